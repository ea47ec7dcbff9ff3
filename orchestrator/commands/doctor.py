"""`keepers doctor`: what is configured, reachable and missing, and the next command to type."""

import argparse

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor",
        help="what is configured, reachable and missing, and the next command to type",
        description="Looks, and changes nothing. Exit status 0 when Keepers can work, 1 when something is missing.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_doctor)


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.doctor import command

    return command.doctor(settings, as_json=options.json)
