"""`keepers rejects`: the originals of rejected photos, set aside and brought back."""

import argparse
import asyncio
from uuid import UUID

from orchestrator.commands.arguments import FAILED, Commands
from shared.errors import KeepersError
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "rejects",
        help="set the originals of rejected photos aside, or bring them back",
        description="Moves the originals of rejected photos, with what lies beside them, into the folder"
        " _keepers_rejected of their own drive, and back. Keepers never empties that folder.",
    )
    verb = parser.add_mutually_exclusive_group(required=True)
    verb.add_argument("--list", action="store_true", help="what rejected and set aside originals take, drive by drive")
    verb.add_argument("--move", action="store_true", help="set aside, after the number of photos was typed")
    verb.add_argument("--restore", action="store_true", help="bring back what was set aside")
    parser.add_argument("--root", metavar="R", help="the folder that was imported, or its number; needed by --move")
    parser.add_argument("--confirm", type=int, metavar="N", help="with --move: the number, for a script that knows it")
    parser.add_argument("--batch", type=UUID, metavar="ID", help="with --restore: only what one --move set aside")
    parser.add_argument(
        "--only-restored", action="store_true", help="with --restore: only of photos that are not rejected any more"
    )
    parser.set_defaults(run=_rejects)


def _rejects(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedded.home import Home
    from orchestrator.rejects import command

    url = settings.database_url or Home(settings.keepers_home).services().get("database_url")
    if url is None:
        raise KeepersError("Keepers is not open. Open it with `keepers up`, then set originals aside.")
    verb: command.Verb = "move" if options.move else "restore" if options.restore else "list"
    wish = command.Options(verb, options.root, options.confirm, options.batch, options.only_restored)
    return FAILED if asyncio.run(command.rejects(url, wish)) else 0
