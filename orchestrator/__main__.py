"""The command line: `keepers up`, and what belongs to it."""

import argparse
import sys
from collections.abc import Sequence

from orchestrator.commands import COMMANDS
from orchestrator.commands.arguments import FAILED
from shared.errors import KeepersError
from shared.wrong_settings import STATUS, WrongSettings, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(read_settings(), options)
        return status
    except WrongSettings as exc:
        print(exc.message, file=sys.stderr)
        return STATUS
    except KeepersError as exc:
        print(exc.message, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Of all commands; parsing imports nothing heavy."""
    parser = argparse.ArgumentParser(prog="keepers", description="Finds the keepers in a photographer's archive.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
