"""From the bursts that are known to those that were found: as few changes as possible. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """A photo of a burst that is known; `takes_part` unless the person rejected it or kept it apart."""

    photo_id: int
    burst_id: int
    takes_part: bool


@dataclass(frozen=True)
class Moves:
    """`burst_of` names for each group that was found the burst it goes on as; a group without one is new. `leaving`
    are photos that are in no burst any more."""

    burst_of: Mapping[int, int]
    leaving: Sequence[int]


def moves(known: Iterable[Member], found: Mapping[int, int]) -> Moves:
    """`found`: photo -> number of its group.

    A group and a burst that have more frames in common with each other than with any other are the same one, so a
    burst keeps its number while most of it stays. The only frame of a burst that takes part stays in it, though it is
    found nowhere: the others come back to it when the person takes a decision back.
    """
    known = list(known)
    shared = Counter((found[m.photo_id], m.burst_id) for m in known if m.takes_part and m.photo_id in found)
    of_group = _closest({(group, burst): n for (group, burst), n in shared.items()})
    of_burst = _closest({(burst, group): n for (group, burst), n in shared.items()})
    burst_of = {group: burst for group, burst in of_group.items() if of_burst[burst] == group}
    return Moves(burst_of, _leaving(known, found))


def _closest(shared: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """For each first one the second with the most in common; the lower number of equals."""
    best: dict[int, tuple[int, int]] = {}
    for (first, second), n in shared.items():
        best[first] = max(best.get(first, (0, 0)), (n, -second))
    return {first: -second for first, (_, second) in best.items()}


def _leaving(known: Sequence[Member], found: Mapping[int, int]) -> list[int]:
    members: dict[int, list[Member]] = defaultdict(list)
    for member in known:
        members[member.burst_id].append(member)
    leaving: list[int] = []
    for burst in members.values():
        taking_part = [member.photo_id for member in burst if member.takes_part]
        waits_for_others = len(taking_part) == 1 and len(burst) > 1
        leaving += [photo for photo in taking_part if photo not in found and not waits_for_others]
    return leaving
