"""`keepers xmp`: ratings, picks and tags into sidecars."""

import argparse
import asyncio

from orchestrator.commands.arguments import FAILED, Commands
from shared.errors import KeepersError
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "xmp",
        help="write ratings, picks and tags into XMP sidecars",
        description="Writes stars (-1 for rejected), picks and your tags into the XMP sidecars of a root, now. Only"
        " with --enable once. Lightroom reads sidecars for proprietary RAW only (not for DNG, JPEG or TIFF).",
    )
    parser.add_argument("--root", required=True, metavar="R", help="the folder that was imported, or its number")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be written")
    parser.add_argument("--all-files", action="store_true", help="make sidecars for other photos than RAW too")
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument(
        "--enable",
        action="store_true",
        help="switch it on for this root: while it is open, Keepers writes what you decide",
    )
    switch.add_argument("--disable", action="store_true", help="switch it off for this root")
    parser.set_defaults(run=_xmp)


def _xmp(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedded.home import Home
    from orchestrator.write_back import command

    url = settings.database_url or Home(settings.keepers_home).services().get("database_url")
    if url is None:
        raise KeepersError("Keepers is not open. Open it with `keepers up`, then write the sidecars.")
    enable = True if options.enable else False if options.disable else None
    wish = command.Options(options.root, options.dry_run, enable, options.all_files)
    return FAILED if asyncio.run(command.xmp(url, wish)) else 0
