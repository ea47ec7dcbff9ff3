"""Files that are being written are left alone until they have not changed for a while. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from orchestrator.imports.walk import Unit, name_of_photo

Names = Set[bytes]  # as `name_of_photo` gives them


@dataclass
class _Seen:
    units: Sequence[Unit] = ()
    since: float = 0.0


@dataclass
class Settling:
    """What is waited for: photographs by their folder and name."""

    seconds: float
    _waiting: dict[bytes, dict[bytes, _Seen]] = field(default_factory=dict)

    def expect(self, folder: bytes, name: bytes) -> None:
        """Something happened to a photograph of this name."""
        self._waiting.setdefault(folder, {}).setdefault(name, _Seen())

    def forget(self, folder: bytes) -> None:
        self._waiting.pop(folder, None)

    @property
    def folders(self) -> Mapping[bytes, Names]:
        return {folder: set(names) for folder, names in self._waiting.items()}

    def settled(self, folder: bytes, units: Iterable[Unit], now: float) -> list[Unit]:
        """The photographs that are as they were for long enough, given what is there now; they are waited for no
        longer, and neither are names under which nothing is there."""
        there: dict[bytes, list[Unit]] = defaultdict(list)
        for unit in units:
            there[name_of_photo(unit.main.path)].append(unit)
        waiting = self._waiting.get(folder, {})
        taken: list[Unit] = []
        for name, seen in list(waiting.items()):
            found = there.get(name, [])
            if found and found != seen.units:
                waiting[name] = _Seen(found, now)
            elif not found or now - seen.since >= self.seconds:
                taken += found
                del waiting[name]
        if not waiting:
            self.forget(folder)
        return taken
