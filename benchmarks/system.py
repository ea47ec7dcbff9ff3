"""The real services, orchestrator and workers, for as long as a benchmark runs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from orchestrator.embedded.postgres import Server
from orchestrator.embedded.rabbitmq import Node

REPOSITORY = Path(__file__).parents[1]


class System:
    """An own PostgreSQL and RabbitMQ below `folder`; the rest is started per part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o711)  # the services run as a user of their own
        self._server, self._node = Server(folder / "postgres"), Node(folder / "rabbitmq")

    def __enter__(self) -> "System":
        self.database_url, self.rabbitmq_url = self._server.start(), self._node.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._node.stop()
        self._server.stop()

    def broker(self, *arguments: str) -> str:
        """What `rabbitmqctl` says."""
        return self._node.control(*arguments)

    @contextmanager
    def running(self, stages: list[str], workers: int, **settings: str) -> Iterator["Running"]:
        """An orchestrator with these stages alone, and so many convert workers (0: none at all)."""
        home = self.folder / f"home-{time.monotonic_ns()}"
        home.mkdir()
        listening = socket.create_server(("127.0.0.1", 0))
        environment = {
            **os.environ,
            "KEEPERS_HOME": str(home),
            "DATABASE_URL": self.database_url,
            "RABBITMQ_URL": self.rabbitmq_url,
            "TOPOLOGY_PREFIX": f"bench.{time.monotonic_ns()}",
            "CONVERT_WORKERS": str(max(1, workers)),
            "LOG_FORMAT": "json",
            **settings,
        }
        commands = [["benchmarks.orchestrator", str(listening.fileno()), *stages]]
        if workers:
            package = "benchmarks.stages" if "noop" in stages else "workers.stages"
            commands.append(["workers", "--from", package, *stages])
        with open(home / "log.txt", "ab") as log:
            processes = [
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    env=environment,
                    cwd=REPOSITORY,
                    stdout=log,
                    stderr=log,
                    pass_fds=[listening.fileno()],
                )
                for command in commands
            ]
        running = Running(
            httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60), self, home
        )
        try:
            running.wait_until_ready()
            yield running
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()
            listening.close()


class Running:
    def __init__(self, client: httpx.Client, system: System, home: Path) -> None:
        self.home = home
        self._client = client
        self._system = system

    @property
    def address(self) -> str:
        return str(self._client.base_url).rstrip("/")

    def wait_until_ready(self) -> None:
        while self._client.get("/readyz").status_code != 200:
            time.sleep(0.1)

    def start_import(self, folder: Path) -> int:
        return int(self._client.post("/api/imports", json={"path": str(folder)}).raise_for_status().json()["id"])

    def progress(self, import_id: int) -> dict[str, Any]:
        seen: dict[str, Any] = self._client.get(f"/api/imports/{import_id}").json()
        return seen

    def post(self, path: str, body: Any = None) -> dict[str, Any]:  # Any: JSON
        answer: dict[str, Any] = self._client.post(path, json=body, timeout=600).raise_for_status().json()
        return answer

    def fetch(self, path: str) -> None:
        """Whatever it answers, a page too."""
        self._client.get(path).raise_for_status()

    def get(self, path: str) -> dict[str, Any]:
        seen: dict[str, Any] = self._client.get(path).raise_for_status().json()
        return seen

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._system.database_url.replace("+asyncpg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []
