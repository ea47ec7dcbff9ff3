"""`keepers prune`: old logs, old versions of the taste, settled failures, vectors of retired models, orphaned files."""

import argparse

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "prune",
        help="remove old logs, old versions of your taste, settled failures, vectors of retired models, orphaned files",
        description="Originals, decisions and what is in use are never touched. Works while Keepers is open or closed.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument(
        "--days", type=_count, default=30, metavar="N", help="keep what is younger than this (default: 30)"
    )
    parser.add_argument(
        "--keep-versions",
        type=_count,
        default=50,
        metavar="N",
        help="versions of your taste that stay usable, beside the one in use (default: 50, those that its page lists)",
    )
    parser.add_argument("--json", action="store_true", help="print what went as JSON")
    parser.set_defaults(run=_prune)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100_000:
        raise argparse.ArgumentTypeError("a number from 0 to 100000")
    return number


def _prune(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedded.database import reachable_database
    from orchestrator.pruning import command

    wish = command.Options(options.days, options.keep_versions, options.dry_run, options.json)
    with reachable_database(settings) as url:
        command.prune(settings, url, wish)
    return 0
