"""The running orchestrator's HTTP interface, as the command line uses it."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from orchestrator.embedded.home import Home
from shared.errors import KeepersError
from shared.settings import Settings

_TIMEOUT_SECONDS = 30.0
_READY_SECONDS = 2.0  # the socket is open before anybody answers on it


class NotAnswering(KeepersError):
    """Keepers does not answer."""


class Refused(KeepersError):
    """Keepers refused the request."""


@dataclass(frozen=True)
class Progress:
    """What `GET /api/imports/{id}` says."""

    id: str
    state: str
    found: int
    done: int
    skipped: int
    failed: int
    pending: int
    damaged: int
    stages: dict[str, dict[str, int]]
    held_because: str | None = None
    error: str | None = None

    @property
    def held(self) -> int:
        """Runs that wait for something that is down; while the import itself is held, all that is left of it."""
        waiting = self.pending if self.state == "held" else 0
        return waiting + sum(counts.get("held", 0) for counts in self.stages.values())

    @property
    def pauses(self) -> list[str]:
        """A sentence for each later stage that somebody has paused before it was through."""
        return [
            f"The stage {stage} is paused, {counts['held']:,} wait for it. Resume it in the pipeline of the page."
            for stage, counts in sorted(self.stages.items())
            if counts.get("paused") and counts.get("held")
        ]

    @property
    def is_settled(self) -> bool:
        """Nothing goes on any more by itself: every photo is decided, or waits for something that is down."""
        if self.state in ("scanning", "running", "paused"):
            return False
        return self.state in ("cancelled", "failed") or not any(
            counts.get("pending", 0) for counts in self.stages.values()
        )


class Client:
    def __init__(self, address: str, token: str | None = None) -> None:
        """`token` lets commands of this machine in where a password is asked for."""
        self.address = address
        self._login = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy set for the internet must not be asked for this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_ready(self) -> bool:
        try:
            self._call("GET", "/readyz", timeout_seconds=_READY_SECONDS)
        except (NotAnswering, Refused):
            return False
        return True

    def start_import(self, folder: str, *, watch: bool = False) -> str:
        """Start an import and return its id. Raises Refused with the sentence that says why not."""
        return str(self._call("POST", "/api/imports", {"path": folder, "watch": watch})["id"])

    def progress(self, import_id: str) -> Progress:
        answer = self._call("GET", f"/api/imports/{import_id}")
        named = {name: answer[name] for name in Progress.__dataclass_fields__ if name in answer}
        return Progress(**named, held_because=answer.get("held"))

    def photo_count(self) -> int:
        return int(self._call("GET", "/api/photos/counts")["all"])

    def start_export(self, wish: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """Start an export and return how far it is. Raises Refused with the sentence that says why not."""
        return self._call("POST", "/api/exports", wish)

    def export(self, export_id: str) -> dict[str, Any]:  # Any: JSON
        return self._call("GET", f"/api/exports/{export_id}")

    def stop_export(self, export_id: str) -> None:
        self._call("POST", f"/api/exports/{export_id}/stop")

    def begin_backfill(self, wish: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """Begin a backfill or go on with it. Raises Refused with the sentence that says why not."""
        return self._call("POST", "/api/backfills", wish)

    def backfill(self, backfill_id: int) -> dict[str, Any]:  # Any: JSON
        return self._call("GET", f"/api/backfills/{backfill_id}")

    def backfills(self) -> list[dict[str, Any]]:  # Any: JSON
        """The newest ones, the newest first."""
        return list(self._call("GET", "/api/backfills")["items"])

    def change_backfill(self, backfill_id: int, action: str) -> dict[str, Any]:  # Any: JSON
        """`action`: pause, resume or cancel."""
        return self._call("POST", f"/api/backfills/{backfill_id}/{action}")

    def stages(self) -> list[dict[str, Any]]:  # Any: JSON
        return list(self._call("GET", "/api/stages")["items"])

    def dead_lettered(self) -> int:
        return int(self._call("GET", "/api/dead-letters?state=open&limit=1")["total"])

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> dict[str, Any]:  # Any: JSON
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._login},
        )
        try:
            with self._opener.open(request, timeout=timeout_seconds) as answer:
                read: dict[str, Any] = json.load(answer)
                return read
        except urllib.error.HTTPError as exc:
            raise Refused(_sentence(exc)) from exc
        except (OSError, ValueError) as exc:
            raise NotAnswering(f"{self.address} does not answer: {exc}") from exc


def client_of(home: Home) -> Client | None:
    """Of the Keepers that is open in this home, if any."""
    services = home.services()
    return Client(services["address"], services.get("token")) if "address" in services else None


class NotOpen(KeepersError):
    """Keepers is not open. Open it with `keepers up`, then type this again."""


def open_client(settings: Settings) -> Client:
    """Of the Keepers that is open in this home. Raises NotOpen."""
    client = client_of(Home(settings.keepers_home))
    if client is None:
        raise NotOpen
    return client


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}"
