"""What went, or would go."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pruned:
    """`later` of the same kind were found and may go tomorrow, if nothing needs them by then."""

    name: str
    count: int
    bytes: int
    later: int = 0
