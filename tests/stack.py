"""The orchestrator and the workers as processes, on a database and queues of their own, driven over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import psutil
import psycopg
import pytest
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
SETTLED_SECONDS = 120
T = TypeVar("T")


class Stack:
    """What `keepers up` runs, without the services that it brings."""

    def __init__(self, folder: Path, database_url: str, rabbitmq_url: str) -> None:
        self.home = folder / "home"
        self.photos = folder / "photos"
        self.home.mkdir()
        self.photos.mkdir()
        self.environment = {
            **os.environ,
            "KEEPERS_HOME": str(self.home),
            "DATABASE_URL": database_url,
            "RABBITMQ_URL": rabbitmq_url,
            "TOPOLOGY_PREFIX": f"test.{uuid.uuid4().hex[:8]}",
            "RETRY_DELAYS_MS": "[50, 50, 50]",
            "PROBE_SECONDS": "0.2",
            "CONVERT_WORKERS": "1",
            "LLM_DEFAULT_BASE_URL": "http://127.0.0.1:9/v1/",  # nobody is there
            "PYTHONPATH": str(REPOSITORY),
        }
        self._database_url = database_url
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._log = (folder / "log.txt").open("ab")
        self._running: list[subprocess.Popen[bytes]] = []
        self._closing: list[httpx.Client | socket.socket] = []
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def orchestrator(self, module: str = "orchestrator", *arguments: str) -> "subprocess.Popen[bytes]":
        """Start an orchestrator on this stack's port, and wait until it is ready unless it is one that dies."""
        process = self._start([module, "serve", "--fd", str(self._listening.fileno()), *arguments])
        if module == "orchestrator":
            self.wait(lambda: self.is_ready(process, self.client), "the orchestrator to be ready")
        return process

    def another_orchestrator(self) -> httpx.Client:
        """On the same database and broker, ready, and a client of it."""
        listening = socket.create_server(("127.0.0.1", 0))
        process = self._start(["orchestrator", "serve", "--fd", str(listening.fileno())], listening.fileno())
        client = httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60)
        self._closing += [client, listening]
        self.wait(lambda: self.is_ready(process, client), "the other orchestrator to be ready")
        return client

    def workers(self, *stages: str, package: str = "workers.stages") -> "subprocess.Popen[bytes]":
        return self._start(["workers", *(stages or ("convert",)), "--from", package])

    def keepers(self, *words: str | Path) -> str:
        """What a command prints that succeeds."""
        command = [sys.executable, "-m", "orchestrator", *words]
        said = subprocess.run(
            command, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr
        return said.stdout

    def _start(self, command: list[str], *descriptors: int) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=self.environment,
            cwd=REPOSITORY,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[self._listening.fileno(), *descriptors],
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def is_ready(self, process: "subprocess.Popen[bytes]", client: httpx.Client) -> bool:
        assert process.poll() is None, f"the orchestrator ended with {process.returncode}"
        try:
            return client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, process: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM) -> None:
        process.send_signal(how)
        process.wait(60)
        self._running.remove(process)

    def close(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(60)
        for one in (self.client, self._listening, *self._closing):
            one.close()
        self._log.close()

    def start_import(self, path: Path | str | None = None, **wishes: Any) -> int:
        answer = self.client.post("/api/imports", json={"path": str(path or self.photos), **wishes})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    def progress(self, import_id: int) -> dict[str, Any]:
        """The import as JSON; that its figures add up is checked at every look."""
        answer = self.client.get(f"/api/imports/{import_id}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        assert seen["found"] == seen["done"] + seen["skipped"] + seen["failed"] + seen["pending"]
        assert seen["damaged"] <= seen["done"]
        return seen

    def settled(self, import_id: int) -> dict[str, Any]:
        self.wait(lambda: self.progress(import_id)["state"] in ("done", "failed"), f"import {import_id} to settle")
        return self.progress(import_id)

    def photos_shown(self, **query: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            parameters = {"limit": "200", **query, **({"after": after} if after else {})}
            page = self.client.get("/api/photos", params=parameters).json()
            items += page["items"]
            after = page["next"]
            if after is None:
                return items

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on this stack's database, or [] for a change."""
        url = self._database_url.replace("+asyncpg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def wait(self, condition: Callable[[], T], what: str, seconds: float = SETTLED_SECONDS) -> T:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}\n{self.log_tail()}"
            time.sleep(0.05)
        return value

    def log_tail(self, characters: int = 6_000) -> str:
        return Path(self._log.name).read_text(errors="replace")[-characters:]

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """It has ended by itself."""
        self._running.remove(process)

    def children(self, process: "subprocess.Popen[bytes]", containing: str) -> list[psutil.Process]:
        """Descendants of a process whose command line contains this."""
        found = []
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                if containing in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def check_books(self) -> None:
        """What must hold after everything: counts equal the rows, no file or photo twice, every derived file known."""
        items = "SELECT import_id::text, state, count(*) FROM import_items GROUP BY 1, 2"
        runs = "SELECT stage, state, count(*) FROM stage_runs GROUP BY 1, 2"
        rows = f"SELECT * FROM ({items}) AS items UNION ALL {runs}"
        tallied = (
            "SELECT CASE kind WHEN 'items' THEN import_id::text ELSE kind END, state, sum(n)::bigint FROM tallies"
            " GROUP BY 1, 2 HAVING sum(n) <> 0"
        )
        # As one statement: the services may still be at work.
        assert self.sql(f"({rows} EXCEPT {tallied}) UNION ALL ({tallied} EXCEPT ({rows}))") == []
        assert self.sql("SELECT content_hash FROM photos GROUP BY 1 HAVING count(content_hash) > 1") == []
        assert self.sql("SELECT root_id, path FROM photo_files GROUP BY 1, 2 HAVING count(*) > 1") == []
        claims = self.home / "claims"
        on_disk = {str(p.relative_to(claims)) for p in claims.rglob("*") if p.is_file()} if claims.exists() else set()
        rows = self.sql("SELECT preview, thumbnail FROM photos WHERE preview IS NOT NULL")
        rows += self.sql("SELECT upload, preview, thumbnail FROM placards")
        rows += self.sql("SELECT claim FROM renditions")
        known = {claim for row in rows for claim in row if claim}
        assert known <= on_disk
        unneeded = {row[0] for row in self.sql("SELECT claim FROM orphan_candidates")}
        assert on_disk - known <= unneeded, "orphaned files"


@pytest.fixture
def stack(tmp_path: Path, database_url: str, rabbitmq_url: str) -> Iterator[Stack]:
    made = Stack(tmp_path, database_url, rabbitmq_url)
    made.sql("UPDATE broker_epoch SET id = gen_random_uuid()")  # the template's is every test's
    yield made
    made.close()


def a_jpeg(path: Path, seed: int, size: tuple[int, int] = (320, 240)) -> Path:
    """A small photograph-like JPEG, different for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(path, "JPEG", quality=88)
    return path


def a_slow_png(path: Path, seed: int = 1) -> Path:
    """One that takes the decoder a second or so."""
    noise = np.random.default_rng(seed).integers(0, 256, (6000, 6000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, "PNG", compress_level=1)
    return path
