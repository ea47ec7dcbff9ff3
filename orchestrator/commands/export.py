"""`keepers export`: what was approved, and photos.json, into a folder."""

import argparse
from pathlib import Path

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser("export", help="write what you approved, and photos.json, into a folder")
    parser.add_argument("--target", type=Path, required=True, metavar="DIR", help="made if it is not there")
    parser.add_argument("--project", metavar="NAME", help="only photos of this project")
    parser.add_argument("--full-size", action="store_true", help="all pixels instead of previews")
    parser.add_argument("--gps", action="store_true", help="pictures say where they were made, if the photos do")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    parser.add_argument("--refresh", action="store_true", help="bring entries up to date, mark what is withdrawn")
    parser.set_defaults(run=_export)


def _export(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.export import command

    wishes = {name: getattr(options, name) for name in ("project", "full_size", "gps", "dry_run", "refresh")}
    return command.export(settings, options.target, wishes)
