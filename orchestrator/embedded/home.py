"""The folder in which one archive lives: its lock, its logs, and where to connect while it is open."""

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_LOGS_KEPT = 3


class Home:
    """`KEEPERS_HOME`. Created private: previews show what the photos show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._lock: IO[str] | None = None
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self.folder.chmod(0o700)
        for name in ("run", "log", "claims", "models"):
            (self.folder / name).mkdir(exist_ok=True)

    def lock(self) -> bool:
        """Take the lock until this process ends. False when another process has it."""
        file = open(self.folder / "lock", "w")  # noqa: SIM115 - closing it gives the lock back
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        self.forget_services()  # of a run that was killed
        return True

    def unlock(self) -> None:
        """Give the lock back before this process ends."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def services(self) -> dict[str, Any]:  # Any: JSON
        """Where the running Keepers is: address, token, database_url, rabbitmq_url. Empty when none runs."""
        return services_of(self.folder)

    def remember_services(self, services: Mapping[str, str | int]) -> None:
        temporary = self._services_file.with_suffix(".tmp")
        temporary.touch(mode=0o600)  # the addresses carry passwords
        temporary.write_text(json.dumps(services, indent=1))
        temporary.replace(self._services_file)

    def forget_services(self) -> None:
        self._services_file.unlink(missing_ok=True)

    def fresh_log(self, service: str) -> Path:
        """An empty log file for one service; the last few are kept as `.1`, `.2`, `.3`."""
        log = self.folder / "log" / f"{service}.log"
        names = [log, *(log.with_suffix(f".log.{number}") for number in range(1, _LOGS_KEPT + 1))]
        for older, newer in reversed(list(zip(names[1:], names[:-1], strict=True))):
            if newer.exists():
                newer.replace(older)
        return log

    @property
    def _services_file(self) -> Path:
        return _services_file(self.folder)


def services_of(folder: Path) -> dict[str, Any]:  # Any: JSON
    """What `Home.services` says, of a folder that need not be there."""
    try:
        known: dict[str, Any] = json.loads(_services_file(folder.expanduser()).read_text())
    except (OSError, ValueError):
        return {}
    return known


def _services_file(folder: Path) -> Path:
    return folder / "run" / "services.json"
