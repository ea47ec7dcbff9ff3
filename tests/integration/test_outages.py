"""The broker or the database goes away in the middle and comes back: the work goes on by itself."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.postgres import Server
from orchestrator.embedded.rabbitmq import Node
from tests.stack import Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)
DOUBLES = "tests.doubles.stages"
BROKER_AWAY = "RabbitMQ does not answer. What waits goes on when it is back."


@pytest.fixture(scope="module")
def own_node(services_home: Path) -> Iterator[Node]:
    """A broker that a test may stop and wipe. `stack` starts it again."""
    node = Node(services_home / "own-rabbitmq")
    yield node
    node.stop()
    shutil.rmtree(services_home / "own-rabbitmq")


@pytest.fixture
def stack(tmp_path: Path, database_url: str, own_node: Node) -> Iterator[Stack]:
    made = Stack(tmp_path, database_url, own_node.start())
    made.sql("UPDATE broker_epoch SET id = gen_random_uuid()")
    yield made
    made.close()


def an_import_in_the_middle(stack: Stack, photos: int = 20) -> int:
    """Some photos are done, one is in a worker's hands, others wait in the broker and in the outbox."""
    for i in range(photos // 2):
        a_jpeg(stack.photos / f"a-{i:03}.jpg", seed=i)
        a_jpeg(stack.photos / f"z-{i:03}.jpg", seed=1000 + i)
    a_jpeg(stack.photos / "wait.jpg", seed=5000)
    stack.orchestrator()
    stack.workers(package=DOUBLES)
    import_id = stack.start_import()
    stack.wait(lambda: stack.progress(import_id)["done"] == photos // 2, "half of them")
    return import_id


def causes_of_holds(stack: Stack) -> set[str | None]:
    stages = stack.client.get("/api/stages").json()["items"]
    return {stage["hold"] and stage["hold"]["cause"] for stage in stages}


def test_the_broker_is_stopped_and_started_in_the_middle(stack: Stack, own_node: Node) -> None:
    import_id = an_import_in_the_middle(stack)
    own_node.stop()
    (stack.home / "go").touch()
    stack.wait(lambda: stack.client.get("/readyz").json()["broker"] is False, "the outage to be seen")
    assert causes_of_holds(stack) == {BROKER_AWAY}
    own_node.start()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (21, 21, 0)
    stack.wait(lambda: BROKER_AWAY not in causes_of_holds(stack), "the hold to be over")
    stack.check_books()


def test_a_broker_that_lost_its_data_gets_everything_again(stack: Stack, own_node: Node, services_home: Path) -> None:
    import_id = an_import_in_the_middle(stack)
    own_node.stop()
    shutil.rmtree(services_home / "own-rabbitmq" / "data")
    own_node.start()
    (stack.home / "go").touch()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (21, 21, 0)
    stack.check_books()


def test_closing_all_connections_ten_times_dead_letters_nobody(stack: Stack, own_node: Node) -> None:
    import_id = an_import_in_the_middle(stack, photos=60)
    for i in range(10):
        own_node.control("close_all_connections", f"test {i}")
        stack.wait(lambda: stack.client.get("/readyz").status_code == 200, "the orchestrator to be back")
        if i == 6:
            (stack.home / "go").touch()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (61, 61, 0)
    # The one that a worker held through all of it was given up by the broker at most until the worker answered.
    assert stack.sql("SELECT 1 FROM dead_letters WHERE state = 'open'") == []
    stack.check_books()


def test_the_database_is_stopped_and_started_in_the_middle(
    tmp_path: Path, services_home: Path, rabbitmq_url: str
) -> None:
    server = Server(services_home / "own-postgres")
    stack = Stack(tmp_path, server.start(), rabbitmq_url)
    try:
        import_id = an_import_in_the_middle(stack)
        server.stop()
        (stack.home / "go").touch()
        stack.wait(lambda: stack.client.get("/readyz").status_code == 503, "the outage to be seen")
        answer = stack.client.get("/api/photos")
        assert answer.status_code == 503
        assert answer.json()["error"]["type"] == "database_unavailable"
        server.start()
        stack.wait(lambda: stack.client.get("/readyz").status_code == 200, "the database to be back")
        seen = stack.settled(import_id)
        assert (seen["found"], seen["done"], seen["failed"]) == (21, 21, 0)
        stack.check_books()
    finally:
        stack.close()
        server.stop()
        shutil.rmtree(services_home / "own-postgres")


def test_a_stack_started_before_its_services_waits_for_them(tmp_path: Path, services_home: Path) -> None:
    server, node = Server(services_home / "late-postgres"), Node(services_home / "late-rabbitmq")
    database_url, rabbitmq_url = server.start(), node.start()
    server.stop()
    node.stop()
    stack = Stack(tmp_path, database_url, rabbitmq_url)
    try:
        a_jpeg(stack.photos / "one.jpg", seed=1)
        starting = threading.Thread(target=stack.orchestrator)
        starting.start()
        stack.workers()
        stack.wait(lambda: "database.unreachable" in stack.log_tail(), "the orchestrator to miss its database")
        server.start()
        stack.wait(lambda: "broker.unreachable" in stack.log_tail(), "the orchestrator to miss its broker")
        node.start()
        starting.join(60)
        assert stack.settled(stack.start_import())["done"] == 1
    finally:
        stack.close()
        server.stop()
        node.stop()


def test_queues_that_somebody_deletes_are_made_again(stack: Stack, own_node: Node) -> None:
    """The broker only says that it ends the consumers: the connections stay."""
    a_jpeg(stack.photos / "one.jpg", seed=1)
    stack.orchestrator()
    stack.workers()
    stack.wait(lambda: "broker.consuming" in stack.log_tail(), "the worker to consume")
    for queue in ("stage.convert", "results", "dead-letters"):
        own_node.control("delete_queue", f"{stack.environment['TOPOLOGY_PREFIX']}.{queue}")
    stack.wait(lambda: stack.log_tail().count("broker.consuming") == 2, "the worker to consume again")
    assert stack.settled(stack.start_import())["done"] == 1
