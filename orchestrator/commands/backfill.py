"""`keepers backfill`: what photos of the archive lack, or what is to be made again."""

import argparse

from orchestrator.commands.arguments import Commands, place
from shared.settings import Settings

_KINDS = ("embed", "quality", "exif", "hash", "curate")


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "backfill",
        help="fill in what photos of the archive lack, or make it again",
        description="Works behind new imports, in the Keepers that is open, and goes on after Ctrl-C and a restart:"
        " the same command shows it again. Without --where only what is missing is made.",
    )
    parser.add_argument("kind", choices=_KINDS, help="vectors, scores, Exif, hashes, or descriptions")
    parser.add_argument("--source", type=place, metavar="DIR", help="only photos in this folder, or s3://bucket/folder")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="missing, all, model=NAME, older-than=YYYY-MM-DD or content-type=TYPE; given several times, all must hold",
    )
    parser.add_argument("--no-wait", action="store_true", help="begin, and do not wait for the end")
    parser.add_argument("--from-start", action="store_true", help="begin anew with what was interrupted or cancelled")
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument("--pause", action="store_const", const="pause", dest="action", help="begin nothing more of it")
    ending.add_argument(
        "--cancel", action="store_const", const="cancel", dest="action", help="end it; what is done stays"
    )
    parser.set_defaults(run=_backfill)


def _backfill(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.backfills import command
    from orchestrator.embedded.client import open_client

    wish = command.Options(
        options.kind, options.where, options.source, options.action, not options.no_wait, options.from_start
    )
    return command.backfill(command.Watcher(open_client(settings)), wish)
