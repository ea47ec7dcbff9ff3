"""`keepers up`: everything, with its own PostgreSQL and RabbitMQ."""

import argparse
import os

from orchestrator.commands.arguments import Commands, place, port
from shared.errors import KeepersError
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser("up", help="run everything, with an own PostgreSQL and RabbitMQ")
    parser.add_argument("--photos", type=place, metavar="DIR", help="import this folder, or s3://bucket/folder")
    parser.add_argument(
        "--watch", action="store_true", help="and what comes into it from now on, until it is switched off"
    )
    parser.add_argument("--once", action="store_true", help="stop when the import is settled, and print its figures")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else, on stdout")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--host", default="127.0.0.1", help="the interface the web page listens on")
    where.add_argument(
        "--lan", action="store_true", help="open it to your network, with a password; prints address and QR code"
    )
    parser.add_argument("--port", type=port, help="0 for any; default: 8000, or the next free one")
    parser.set_defaults(run=_up)


def _up(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedded.up import EVERY_INTERFACE, Options, up

    if options.watch and (options.photos is None or options.once):
        raise KeepersError(
            "--watch needs a folder, --photos DIR, and goes on until Keepers is stopped: not with --once."
        )
    chosen = Options(
        photos=options.photos,
        watch=options.watch,
        once=options.once,
        as_json=options.json,
        host=EVERY_INTERFACE if options.lan else options.host,
        lan=options.lan,
        port=options.port,
    )
    return up(settings, chosen, os.environ)
