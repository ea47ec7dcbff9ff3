"""The command line: `keepers up`, and what belongs to it."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from shared import logs
from shared.errors import KeepersError
from shared.settings import Settings

FAILED = 1
STOP_SECONDS = 10  # for requests that are being answered


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(Settings(), options)
        return status
    except KeepersError as exc:
        print(exc.message, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130


def _up(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedded.up import Options, up

    if options.watch and (options.photos is None or options.once):
        raise KeepersError(
            "--watch needs a folder, --photos DIR, and goes on until Keepers is stopped: not with --once."
        )
    chosen = Options(
        photos=options.photos,
        watch=options.watch,
        once=options.once,
        as_json=options.json,
        host=options.host,
        port=options.port,
    )
    return up(settings, chosen, os.environ)


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    import uvicorn

    from orchestrator.app import create_app
    from orchestrator.server import Server

    logs.configure(settings.log_format, "orchestrator")
    app = create_app(settings)
    config = uvicorn.Config(
        app, options.host, options.port, access_log=False, lifespan="on", timeout_graceful_shutdown=STOP_SECONDS
    )
    server = Server(config, lambda: app.state.services.live)
    server.run(sockets=None if options.fd is None else [socket.socket(fileno=options.fd)])
    return 0 if server.started else FAILED


def _samples(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.samples import make_samples

    print(f"Making sample photographs in {options.folder} ...", flush=True)
    made = make_samples(options.folder)
    print(f"{len(made)} files are there.")
    return 0


def _models(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedding import command

    if options.action == "list":
        command.list_models(settings, _open_archive_size(settings))
    else:
        command.fetch(settings, options.name, _open_archive_size(settings))
    return 0


def _export(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.export import command

    wishes = {name: getattr(options, name) for name in ("project", "full_size", "gps", "dry_run", "refresh")}
    return command.export(settings, options.target, wishes)


def _open_archive_size(settings: Settings) -> int:
    """How many photos a Keepers that is open has, for estimates; 0 when none is open."""
    from orchestrator.embedded.client import Client, NotAnswering, Refused
    from orchestrator.embedded.home import Home

    address = Home(settings.keepers_home).services().get("address")
    try:
        return Client(address).photo_count() if address else 0
    except (NotAnswering, Refused):
        return 0


def _xmp(settings: Settings, options: argparse.Namespace) -> int:
    import asyncio

    from orchestrator.embedded.home import Home
    from orchestrator.write_back import command

    url = settings.database_url or Home(settings.keepers_home).services().get("database_url")
    if url is None:
        raise KeepersError("Keepers is not open. Open it with `keepers up`, then write the sidecars.")
    enable = True if options.enable else False if options.disable else None
    wish = command.Options(options.root, options.dry_run, enable, options.all_files)
    return FAILED if asyncio.run(command.xmp(url, wish)) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keepers", description="Finds the keepers in a photographer's archive.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="run everything, with an own PostgreSQL and RabbitMQ")
    up.add_argument("--photos", type=Path, metavar="DIR", help="import this folder")
    up.add_argument("--watch", action="store_true", help="and what comes into it from now on, until it is switched off")
    up.add_argument("--once", action="store_true", help="stop when the import is settled, and print its figures")
    up.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else, on stdout")
    up.add_argument("--host", default="127.0.0.1", help="the interface the web page listens on")
    up.add_argument("--port", type=_port, help="0 for any; default: 8000, or the next free one")
    up.set_defaults(run=_up)

    serve = commands.add_parser(
        "serve", help="run the orchestrator alone (DATABASE_URL and RABBITMQ_URL name the rest)"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a listening socket inherited from `keepers up`
    serve.set_defaults(run=_serve)

    samples = commands.add_parser("samples", help="write a set of sample photographs into a folder")
    samples.add_argument("folder", type=Path, metavar="DIR")
    samples.set_defaults(run=_samples)

    models = commands.add_parser("models", help="the embedding models that are there, and fetching another")
    actions = models.add_subparsers(required=True, metavar="ACTION", dest="action")
    actions.add_parser("list", help="which models there are")
    fetch = actions.add_parser("fetch", help="download a model")
    fetch.add_argument("name", metavar="NAME")
    models.set_defaults(run=_models)

    xmp = commands.add_parser(
        "xmp",
        help="write ratings, picks and tags into XMP sidecars",
        description="Writes stars (-1 for rejected), picks and your tags into the XMP sidecars of a root, now. Only"
        " with --enable once. Lightroom reads sidecars for proprietary RAW only (not for DNG, JPEG or TIFF).",
    )
    xmp.add_argument("--root", required=True, metavar="R", help="the folder that was imported, or its number")
    xmp.add_argument("--dry-run", action="store_true", help="only say what would be written")
    xmp.add_argument("--all-files", action="store_true", help="make sidecars for other photos than RAW too")
    switch = xmp.add_mutually_exclusive_group()
    switch.add_argument(
        "--enable",
        action="store_true",
        help="switch it on for this root: while it is open, Keepers writes what you decide",
    )
    switch.add_argument("--disable", action="store_true", help="switch it off for this root")
    xmp.set_defaults(run=_xmp)

    export = commands.add_parser("export", help="write what you approved, and photos.json, into a folder")
    export.add_argument("--target", type=Path, required=True, metavar="DIR", help="made if it is not there")
    export.add_argument("--project", metavar="NAME", help="only photos of this project")
    export.add_argument("--full-size", action="store_true", help="all pixels instead of previews")
    export.add_argument("--gps", action="store_true", help="pictures say where they were made, if the photos do")
    export.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    export.add_argument("--refresh", action="store_true", help="bring entries up to date, mark what is withdrawn")
    export.set_defaults(run=_export)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
