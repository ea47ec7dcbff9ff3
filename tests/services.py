"""A real PostgreSQL and a real RabbitMQ for the tests, started on first use and stopped at the end of the session."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from orchestrator.embedded.postgres import Server
from orchestrator.embedded.rabbitmq import Node
from shared.errors import KeepersError

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 2**30
PREFIX = "keepers-tests-"
OWNER = "owner"  # the file that names the process of a run


@pytest.fixture(scope="session")
def services_home() -> Iterator[Path]:
    """Short, because pytest's own folders are deep and closed to other users."""
    beside = MEMORY if _memory_has_room() else Path(tempfile.gettempdir())
    _clear_what_killed_runs_left(beside)
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
    (home / OWNER).write_text(str(os.getpid()))
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres_url(services_home: Path) -> Iterator[str]:
    """A server with pgvector and an empty database; its user may create further databases."""
    server = Server(services_home / "postgres")
    url = _started(server.start)
    _write_without_waiting(url)
    yield url
    server.stop()


@pytest.fixture(scope="session")
def rabbitmq_node(services_home: Path) -> Iterator[Node]:
    """For tests that stop the broker in the middle; they start it again."""
    node = Node(services_home / "rabbitmq")
    _started(node.start)
    yield node
    node.stop()


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_node: Node) -> str:
    return rabbitmq_node.start()


def _memory_has_room() -> bool:
    """In memory a database is copied for a test in a tenth of the time that a disk takes."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:  # PostgreSQL may be copied there
        return False
    return shutil.disk_usage(MEMORY).free > ROOM_BYTES


def _clear_what_killed_runs_left(beside: Path) -> None:
    for home in beside.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):  # another run clears it too, or is just making it
            if not psutil.pid_exists(int((home / OWNER).read_text())):
                Node(home / "rabbitmq").stop()
                Server(home / "postgres").stop()
                shutil.rmtree(home)


def _write_without_waiting(url: str) -> None:
    """Nothing here has to outlive the machine. What a kill of PostgreSQL costs stays the same."""
    with psycopg.connect(url.replace("+asyncpg", ""), autocommit=True) as connection:
        for name in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


def _started(start: Callable[[], str]) -> str:
    try:
        return start()
    except KeepersError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(exc.message)
