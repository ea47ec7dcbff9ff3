"""The PostgreSQL and the RabbitMQ of a home: what they keep, what they leave behind, and who may talk to them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pika
import pika.exceptions
import psutil
import pytest

from orchestrator.embedded import rabbitmq
from orchestrator.embedded.postgres import Server
from orchestrator.embedded.rabbitmq import Node
from shared.errors import KeepersError


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="keepers-home-"))
    yield folder
    for process in processes_of(folder):
        process.kill()
    shutil.rmtree(folder)


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    server = Server(home / "postgres")
    yield server
    server.stop()


@pytest.fixture
def node(home: Path) -> Iterator[Node]:
    node = Node(home / "rabbitmq")
    yield node
    node.stop()


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that works in the home or has it as its own home folder."""
    found = []
    for process in psutil.process_iter(["cwd", "environ", "name", "status"]):
        places = [process.info["cwd"] or "", (process.info["environ"] or {}).get("HOME", "")]
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(place.startswith(f"{home}/") for place in places):
            found.append(process)
    return found


def listening_hosts(home: Path) -> set[str]:
    listening = [
        connection
        for process in processes_of(home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    return {connection.laddr.ip for connection in listening}


async def query(url: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


def publish(url: str) -> int:
    """Put one message into a quorum queue, and say how many it holds."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
    channel.basic_publish("", "kept", b"a claim", mandatory=True)
    count: int = channel.queue_declare("kept", passive=True).method.message_count
    connection.close()
    return count


async def test_postgres_keeps_rows_from_one_start_to_the_next_and_leaves_no_process(server: Server, home: Path) -> None:
    url = server.start()
    await query(url, "CREATE TABLE kept AS SELECT 7 AS photo")
    assert server.start() == url
    server.stop()
    server.stop()
    assert processes_of(home) == []
    assert await query(server.start(), "SELECT photo FROM kept") == [(7,)]


async def test_postgres_has_pgvector_with_half_precision(server: Server) -> None:
    url = server.start()
    await query(url, "CREATE EXTENSION vector")
    assert (await query(url, "SELECT '[3,4]'::halfvec(2) <-> '[0,0]'::halfvec(2) AS distance"))[0]["distance"] == 5


async def test_postgres_asks_for_its_password_and_listens_on_loopback_only(server: Server, home: Path) -> None:
    url = server.start()
    user, _, rest = url.removeprefix("postgresql+asyncpg://").partition(":")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await query(f"postgresql://{user}:wrong@{rest.partition('@')[2]}", "SELECT 1")
    assert listening_hosts(home) == {"127.0.0.1"}


async def test_postgres_starts_after_its_main_process_was_killed(server: Server, home: Path) -> None:
    url = server.start()
    await query(url, "CREATE TABLE kept AS SELECT 7 AS photo")
    main = int((home / "postgres/data/postmaster.pid").read_text().split()[0])
    os.kill(main, signal.SIGKILL)
    assert await query(Server(home / "postgres").start(), "SELECT photo FROM kept") == [(7,)]


async def test_postgres_takes_over_from_an_owner_that_was_killed(server: Server, home: Path) -> None:
    await query(kill_an_owner_of("postgres", "Server", home), "CREATE TABLE kept AS SELECT 7 AS photo")
    assert await query(server.start(), "SELECT photo FROM kept") == [(7,)]


async def test_a_pid_file_that_names_another_program_does_not_stop_postgres(server: Server, home: Path) -> None:
    server.start()
    server.stop()
    (home / "postgres/data/postmaster.pid").write_text(f"{os.getpid()}\n")
    assert await query(server.start(), "SELECT 1") == [(1,)]


def test_a_cluster_of_another_major_version_is_refused_in_a_sentence(server: Server, home: Path) -> None:
    server.start()
    server.stop()
    (home / "postgres/data/PG_VERSION").write_text("14\n")
    with pytest.raises(KeepersError, match=r"was written by PostgreSQL 14, and this Keepers has \d+"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the services to another user")
def test_a_closed_folder_above_the_home_stays_closed_to_everybody_else(home: Path) -> None:
    server = Server(home / "deep" / "postgres")
    home.chmod(0o700)
    server.start()
    server.stop()
    refused = subprocess.run(["ls", home], user="nobody", cwd="/", capture_output=True, check=False)
    assert home.stat().st_mode & 0o007 == 0
    assert refused.returncode != 0


def test_rabbitmq_keeps_messages_also_when_it_is_killed_and_is_not_open_to_the_guest_user(
    node: Node, home: Path
) -> None:
    assert publish(node.start()) == 1
    assert listening_hosts(home) <= {"127.0.0.1", "::1"}
    node.stop()
    node.stop()
    assert processes_of(home) == []
    assert publish(node.start()) == 2
    for process in processes_of(home):
        if process.info["name"] == "beam.smp":
            process.kill()
            process.wait()
    url = node.start()
    assert publish(url) == 3
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        publish("amqp://guest:guest@" + url.partition("@")[2])


def test_rabbitmq_takes_over_from_an_owner_that_was_killed_beside_another_home(node: Node, home: Path) -> None:
    other = Node(home / "other" / "rabbitmq")
    try:
        assert publish(other.start()) == 1
        kill_an_owner_of("rabbitmq", "Node", home)
        assert publish(node.start()) == 1
        assert publish(other.start()) == 2
    finally:
        other.stop()


def test_a_missing_rabbitmq_is_answered_with_the_command_to_type(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "SCRIPTS", (Path("/nowhere/rabbitmq-server"),))
    with pytest.raises(KeepersError, match="sudo apt-get install rabbitmq-server"):
        node.start()


def kill_an_owner_of(service: str, name: str, home: Path) -> str:
    """Start the service from another process, kill that process, and return the address the service had."""
    program = (
        f"import pathlib, time; from orchestrator.embedded.{service} import {name};"
        f"print({name}(pathlib.Path({str(home / service)!r})).start(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        owner.kill()
    assert url
    return url
