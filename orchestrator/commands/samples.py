"""`keepers samples`: a set of photographs to try Keepers with."""

import argparse
from pathlib import Path

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser("samples", help="write a set of sample photographs into a folder")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.set_defaults(run=_samples)


def _samples(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.samples import make_samples

    print(f"Making sample photographs in {options.folder} ...", flush=True)
    made = make_samples(options.folder)
    print(f"{len(made)} files are there.")
    return 0
