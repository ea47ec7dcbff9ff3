"""Somebody who types what stands in the documents, and does before and after it what the documents say beside it."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal, TypeVar

import httpx

from deploy.test.fresh_root import HOME, FreshRoot

T = TypeVar("T")

PORTS = PORT, OTHER_PORT = 8000, 8123
# Typed beside a Keepers that is open; everything else while none is.
BESIDE = re.compile(
    r"make export|curl |jq |.*keepers-worker|.*keepers (backfill|backup|export|prune|rejects|serve|xmp)\b"
)
OPEN = re.compile(r"Keepers is open at (http://\S+)")
# What stays until Ctrl-C, and what it says once all of it is there.
STAYS = {
    re.compile(r"keepers up --lan"): re.compile(r"Password: \S+"),
    re.compile(r"(make up|make demo|keepers up)\b(?!.*--once)"): OPEN,
    re.compile(r"keepers serve\b"): re.compile(r"running on (http://\S+)"),
    re.compile(r"keepers-worker\b"): re.compile(r"broker\.consuming"),
}
# What ends with a sentence that has this word, because this Debian has no such program.
REFUSED = {"make compose": "Docker"}
_DECIDE = f"curl --output /dev/null http://localhost:{PORT}/api/decisions --json"
BEFORE = {
    "make export": f"""{_DECIDE} '{{"ids": [1, 2, 3], "user_rating": 5}}'""",
    "curl --data-binary @IMG_1.jpg": 'cp "$(find /some/folder -iname "*.jpg" -size +100k | head -n 1)" IMG_1.jpg',
}
# Whose output is typed when it asks.
ANSWERS = {
    ".venv/bin/keepers rejects --move": r".venv/bin/keepers rejects --list | sed -nE 's/^ +([0-9]+) .*rejected,.*/\1/p'"
}
AFTER = {".venv/bin/keepers up --lan": ".venv/bin/keepers password --remove"}

COMMAND_SECONDS = 1_800  # the first start installs everything
SETTLE_SECONDS = 600
END_SECONDS = 120
ENDED_BY_CTRL_C = (0, 2, 128 + signal.SIGINT, -signal.SIGINT)  # make says 2


@dataclass(frozen=True)
class Outcome:
    state: Literal["typed", "not typed", "FAILED"]
    why: str = ""
    seconds: float = 0


class Failure(Exception):
    """What went otherwise than documented."""


def first_of(rules: Mapping[str, T], text: str) -> T | None:
    """What the first rule says that the text begins with."""
    return next((says for start, says in rules.items() if text.startswith(start)), None)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Reader:
    """The Keepers that one command needs stays open for the next one."""

    def __init__(self, root: FreshRoot) -> None:
        self._root = root
        self._opened: Opened | None = None
        self._port = 0

    def types(self, text: str) -> Outcome:
        began = time.monotonic()
        try:
            why = self._types(text)
        except (Failure, subprocess.TimeoutExpired, httpx.HTTPError) as failure:
            return Outcome("FAILED", str(failure), time.monotonic() - began)
        return Outcome("typed", why, time.monotonic() - began)

    def close(self) -> None:
        if self._opened is not None:
            opened, self._opened = self._opened, None
            opened.end()

    def _types(self, text: str) -> str:
        if BESIDE.match(text):
            self._open(OTHER_PORT if f"--port {PORT}" in text else PORT)
        else:
            self.close()
        if before := first_of(BEFORE, text):
            self._runs(before)
        if stays := next((says for what, says in STAYS.items() if what.search(text)), None):
            Opened(self._root, self._with_values(text), stays).end()
        elif word := first_of(REFUSED, text):
            return self._refused(text, word)
        else:
            answer = first_of(ANSWERS, text)
            self._runs(f"{answer} | {text}" if answer else text)
        if after := first_of(AFTER, text):
            self._runs(after)
        return ""

    def _runs(self, text: str) -> None:
        command = self._root.typed(text)
        done = subprocess.run(command, check=False, timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failure(f"it ended with {done.returncode}: {text}")

    def _refused(self, text: str, word: str) -> str:
        command = self._root.typed(text)
        done = subprocess.run(command, check=False, timeout=COMMAND_SECONDS, capture_output=True, text=True)
        said = (done.stdout + done.stderr).strip()
        if done.returncode == 0 or word not in said:
            raise Failure(f"it ended with {done.returncode} and was to ask for {word}: {said}")
        return f"without {word} it only says what is missing: {said.splitlines()[0]}"

    def _open(self, port: int) -> None:
        """One that has taken in all of /some/folder."""
        if self._opened is not None and self._port == port:
            return
        self.close()
        command = f"LOG_FORMAT=json .venv/bin/keepers up --port {port} --photos /some/folder"
        self._opened, self._port = Opened(self._root, command, OPEN), port
        _wait(lambda: _is_settled(f"http://127.0.0.1:{port}"), SETTLE_SECONDS, "the import to settle")

    def _with_values(self, text: str) -> str:
        """With the addresses of the services of the open one where the text has dots."""
        file = self._root.there(HOME / ".keepers/run/services.json")
        services: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}  # Any: JSON
        for name in ("DATABASE_URL", "RABBITMQ_URL"):
            text = text.replace(f"{name}=...", f"{name}={services.get(name.lower())}")
        return text


class Opened:
    """A command that stays until Ctrl-C. Made once it has said what it says when all of it is there."""

    def __init__(self, root: FreshRoot, text: str, says: re.Pattern[str]) -> None:
        with NamedTemporaryFile(dir=root.folder.parent, suffix=".log", delete=False) as log:
            self._log = Path(log.name)
            self._process = subprocess.Popen(
                root.typed(text), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _wait(lambda: self._process.poll() is not None or self._said(says), COMMAND_SECONDS, says.pattern)
            self._check(says)
        except BaseException:
            self._kill()
            raise

    def end(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGINT)
            _wait(lambda: self._process.poll() is not None, END_SECONDS, "its end after Ctrl-C")
            if self._process.returncode not in ENDED_BY_CTRL_C:
                raise Failure(f"after Ctrl-C it ended with {self._process.returncode}")
        finally:
            self._kill()

    def _said(self, says: re.Pattern[str]) -> re.Match[str] | None:
        return says.search(self._log.read_text(errors="replace"))

    def _check(self, says: re.Pattern[str]) -> None:
        said = self._said(says)
        if said is None:
            raise Failure(f"it ended with {self._process.returncode}")
        if said.groups():
            with _web() as web:
                web.get(f"{said[1]}/healthz").raise_for_status()

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        print(self._log.read_text(errors="replace")[-3_000:], flush=True)
        self._log.unlink()


def _is_settled(address: str) -> bool:
    with _web() as web:
        newest = web.get(f"{address}/api/imports").raise_for_status().json()["items"][:1]
    return all(one["state"] == "done" and not _pending(one) for one in newest)


def _pending(seen: Mapping[str, Any]) -> int:  # Any: JSON
    return sum(counts["pending"] for counts in seen["stages"].values())


def _web() -> httpx.Client:
    """Without the proxy that this machine may have for the internet."""
    return httpx.Client(trust_env=False, timeout=60)


def _wait(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)
