"""`keepers replay`: decide again what a log of decisions says."""

import argparse
from pathlib import Path

from orchestrator.commands.arguments import FAILED, Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "replay",
        help="make the decisions of a decisions.jsonl again",
        description="Makes true again what a log of decisions says last about each photo: in an archive that was"
        " imported anew, or after the restore of an older backup. Photos are found by their bytes, else by their path.",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: decisions.jsonl of the home")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be changed")
    parser.set_defaults(run=_replay)


def _replay(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.decision_log import command

    return FAILED if command.replay_file(settings, options.file, is_dry=options.dry_run) else 0
