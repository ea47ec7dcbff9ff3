"""`keepers serve`: the orchestrator alone."""

import argparse
import asyncio
import gc
import secrets
import socket
from contextlib import suppress

from pydantic import SecretStr

from orchestrator.commands.arguments import FAILED, Commands, port
from shared import logs
from shared.settings import Settings

STOP_SECONDS = 10  # for requests that are being answered


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve", help="run the orchestrator alone (DATABASE_URL and RABBITMQ_URL name the rest)"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=8000)
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a listening socket inherited from `keepers up`
    parser.set_defaults(run=_serve)


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    gc.disable()  # what is imported stays: looking through it for garbage would be a sixth of the start
    import uvicorn

    from orchestrator.access import binding
    from orchestrator.app import create_app
    from orchestrator.embedded.announcing import announced
    from orchestrator.embedded.home import services_of
    from orchestrator.server import Server

    gc.freeze()
    gc.enable()
    logs.configure(settings.log_format, "orchestrator")
    if options.fd is None and settings.database_url is not None:  # what it inherits was looked at by who opened it
        asyncio.run(binding.check(settings, options.host, settings.database_url))
    if settings.local_token is None:
        # Orchestrators that share a home share the token that it knows.
        token = services_of(settings.keepers_home).get("token") or secrets.token_urlsafe(32)
        settings = settings.model_copy(update={"local_token": SecretStr(token)})
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        options.host,
        options.port,
        log_config=None,  # ours has it
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = Server(config, lambda: app.state.services.live)
    with suppress(SystemExit):  # with which uvicorn ends when the application does not start
        if options.fd is not None:  # of `keepers up`, which says itself where it is
            server.run(sockets=[socket.socket(fileno=options.fd)])
        else:
            with announced(settings, options.port):
                server.run()
    if (refusal := getattr(app.state, "refusal", None)) is not None:
        raise refusal
    return 0 if server.started else FAILED
