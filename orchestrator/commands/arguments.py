"""What the parsers of several commands share."""

import argparse
from pathlib import Path
from typing import TypeAlias

from shared.bucket_address import BucketAddress, address, is_address
from shared.errors import KeepersError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FAILED = 1


def place(text: str) -> Path | BucketAddress:
    """A folder of this machine, or of a bucket."""
    try:
        return address(text) if is_address(text) else Path(text)
    except KeepersError as exc:
        raise argparse.ArgumentTypeError(exc.message) from exc


def port(text: str) -> int:
    """A TCP port of an argument. Raises ArgumentTypeError."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number
