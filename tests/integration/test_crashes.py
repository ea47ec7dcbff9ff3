"""Whatever dies in the middle: nothing is lost, nothing is there twice."""

import json
import shutil
import signal
import uuid
from pathlib import Path

import pika
import pytest

from shared.topology import DELIVERY_LIMIT, topology
from tests.stack import Stack, a_jpeg, a_slow_png

pytestmark = pytest.mark.timeout(240)
DOUBLES = "tests.doubles.stages"


def some_jpegs(folder: Path, count: int, prefix: str = "photo") -> None:
    for i in range(count):
        a_jpeg(folder / f"{prefix}-{i:03}.jpg", seed=i)


def test_a_folder_becomes_a_gallery(stack: Stack) -> None:
    some_jpegs(stack.photos, 5)
    stack.orchestrator()
    stack.workers("convert", "embed", package="workers.stages")
    import_id = stack.start_import()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (5, 5, 0)
    assert {photo["file_name"] for photo in stack.photos_shown()} == {f"photo-{i:03}.jpg" for i in range(5)}
    stack.wait(lambda: stack.progress(import_id)["stages"]["embed"]["done"] == 5, "the vectors")
    assert stack.sql("SELECT count(*) FROM photo_vectors") == [(5,)]
    stack.check_books()


def test_a_killed_convert_worker_loses_nothing(stack: Stack) -> None:
    some_jpegs(stack.photos, 3)
    a_jpeg(stack.photos / "wait.jpg", seed=99)
    stack.orchestrator()
    workers = stack.workers(package=DOUBLES)
    import_id = stack.start_import()
    stack.wait(lambda: stack.progress(import_id)["done"] == 3, "the others to be done")
    stack.children(workers, "--child")[0].kill()
    (stack.home / "go").touch()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"]) == (4, 4)
    stack.check_books()


def test_a_killed_decode_child_costs_one_attempt(stack: Stack) -> None:
    a_slow_png(stack.photos / "large.png")
    some_jpegs(stack.photos, 3)
    stack.orchestrator()
    workers = stack.workers()
    stack.wait(lambda: stack.children(workers, "--child"), "the worker")
    import_id = stack.start_import()
    stack.wait(lambda: stack.children(workers, "decode_child"), "the decode child")
    worker = stack.children(workers, "--child")[0]
    child = stack.wait(lambda: stack.children(workers, "decode_child"), "the decode child")[0]
    stack.wait(lambda: child.memory_info().rss > 150_000_000, "it to decode")
    child.kill()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"]) == (4, 4)
    assert worker.is_running()
    assert stack.sql("SELECT attempt, final, error_type FROM error_logs") == [(1, False, "Retry")]
    stack.check_books()


def test_a_file_that_crashes_its_decoder_is_rejected_at_the_second_attempt(stack: Stack) -> None:
    stack.environment["DECODE_SECONDS"] = "0.05"  # nothing so large is decoded in that time
    a_slow_png(stack.photos / "large.png")
    stack.orchestrator()
    workers = stack.workers()
    stack.wait(lambda: stack.children(workers, "--child"), "the worker")
    worker = stack.children(workers, "--child")[0]
    seen = stack.settled(stack.start_import())
    assert (seen["found"], seen["failed"]) == (1, 1)
    attempts = stack.sql("SELECT attempt, final, error_type FROM error_logs ORDER BY attempt")
    assert attempts == [(1, False, "Retry"), (2, True, "DecoderCrashed")]
    assert worker.is_running()
    letters = stack.wait(lambda: stack.sql("SELECT stage, error_type, reason, state FROM dead_letters"), "the letter")
    assert letters == [("convert", "DecoderCrashed", "rejected", "open")]
    stack.check_books()


def test_a_message_that_kills_its_worker_is_dead_lettered_and_its_neighbours_are_done(stack: Stack) -> None:
    a_jpeg(stack.photos / "killer.jpg", seed=7)
    some_jpegs(stack.photos, 6)
    stack.orchestrator()
    stack.workers(package=DOUBLES)
    seen = stack.settled(stack.start_import())
    assert (seen["found"], seen["done"], seen["failed"]) == (7, 6, 1)
    letters = stack.wait(lambda: stack.sql("SELECT error_type, reason, message FROM dead_letters"), "the letter")
    assert letters == [
        (
            "WorkerDied",
            "delivery_limit",
            f"The convert worker died on this {DELIVERY_LIMIT + 1} times, so it is left alone.",
        )
    ]
    stack.check_books()


@pytest.mark.parametrize("place", ["before-publish", "after-publish", "after-apply"])
def test_an_orchestrator_killed_at_its_worst_moment_loses_nothing(stack: Stack, place: str) -> None:
    some_jpegs(stack.photos, 8)
    workers = stack.workers() if place == "after-apply" else None
    dying = stack.orchestrator("tests.doubles.dying_orchestrator", "--die", place)
    import_id = stack.start_import()
    assert dying.wait(60) == -signal.SIGKILL
    stack.forget(dying)
    stack.orchestrator()
    if workers is None:
        stack.workers()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (8, 8, 0)
    stack.check_books()


def test_every_message_delivered_twice_changes_nothing(stack: Stack) -> None:
    some_jpegs(stack.photos, 6)
    (stack.photos / "broken.jpg").write_bytes(b"<html>no photo</html>" * 50)
    stack.orchestrator()
    import_id = stack.start_import()
    names = topology(stack.environment["TOPOLOGY_PREFIX"], ["convert", "embed"], [50, 50, 50])
    stack.wait(lambda: stack.sql("SELECT 1 FROM stage_runs WHERE state = 'published'"), "a first message")
    connection = pika.BlockingConnection(pika.URLParameters(stack.environment["RABBITMQ_URL"]))
    channel = connection.channel()

    def double(queue: str, until: int) -> None:
        """Take what is in a queue and put it back twice, until so many messages were doubled."""
        doubled: set[str] = set()
        while len(doubled) < until:
            method, properties, body = channel.basic_get(queue)
            if method is None:
                continue
            again = pika.BasicProperties(
                message_id=properties.message_id, type=properties.type, headers={"attempt": 1}, delivery_mode=2
            )
            for _ in range(2):
                channel.basic_publish("", f"{names.prefix}.held-back", body, again)
            doubled.add(properties.message_id)
            channel.basic_ack(method.delivery_tag)
            # the window is small: what is held back goes on, so that the relay publishes the next
            stack.sql("UPDATE stage_runs SET state = 'retrying' WHERE run_id = %s", properties.message_id)

    channel.queue_declare(f"{names.prefix}.held-back")
    double(names.stage_queue("convert"), 7)
    for _ in range(14):
        _, properties, body = channel.basic_get(f"{names.prefix}.held-back", auto_ack=True)
        channel.basic_publish(names.stage_exchange, names.stage_queue("convert"), body, properties)
    channel.queue_delete(f"{names.prefix}.held-back")
    connection.close()
    stack.workers()
    seen = stack.settled(import_id)
    assert (seen["found"], seen["done"], seen["failed"]) == (7, 6, 1)
    stack.wait(lambda: stack.sql("SELECT 1 FROM dead_letters"), "the letter")
    assert stack.sql("SELECT count(*) FROM error_logs") == [(1,)]
    stack.check_books()


def test_messages_that_are_not_requests_are_dead_lettered_and_the_rest_goes_on(stack: Stack) -> None:
    some_jpegs(stack.photos, 2)
    stack.orchestrator()
    stack.workers()
    names = topology(stack.environment["TOPOLOGY_PREFIX"], ["convert", "embed"], [50, 50, 50])
    stack.settled(stack.start_import())
    request = {
        "photo_id": 987654, "file_path": str(stack.photos / "photo-000.jpg"), "root": str(stack.photos),
        "root_key": "root:1", "new_field": "from the future",
    }  # fmt: skip
    connection = pika.BlockingConnection(pika.URLParameters(stack.environment["RABBITMQ_URL"]))
    channel = connection.channel()
    for body, message_id, attempt in [
        (b"not json", str(uuid.uuid4()), "many"),  # what is no attempt counts as the first
        (b'{"photo_id": "x"}', str(uuid.uuid4()), 10**12),
        (b"\xff\x00", None, None),
        (json.dumps(request).encode(), str(uuid.uuid4()), -1),  # unknown fields are ignored, an unknown photo is stale
    ]:
        properties = pika.BasicProperties(message_id=message_id, headers={"attempt": attempt})
        channel.basic_publish(names.stage_exchange, names.stage_queue("convert"), body, properties)
    connection.close()
    stack.wait(lambda: len(stack.sql("SELECT 1 FROM dead_letters")) == 3, "three letters")
    assert set(stack.sql("SELECT error_type, state FROM dead_letters")) == {("Undecodable", "open")}
    a_jpeg(stack.photos / "later.jpg", seed=500)
    assert stack.settled(stack.start_import())["done"] == 1
    assert len(stack.photos_shown()) == 3


def test_a_dead_letter_that_is_requeued_fails_once_and_then_succeeds(stack: Stack) -> None:
    photo = stack.photos / "photo.jpg"
    photo.write_bytes(b"no photo yet")
    stack.orchestrator()
    stack.workers()
    import_id = stack.start_import()
    assert stack.settled(import_id)["failed"] == 1
    _requeue(stack)
    stack.wait(lambda: len(stack.sql("SELECT 1 FROM error_logs")) == 2, "the second failure")
    a_jpeg(photo, seed=3)
    _requeue(stack)

    stack.wait(lambda: stack.progress(import_id)["done"] == 1, "the third try")
    assert stack.client.get("/api/dead-letters?state=open").json()["items"] == []
    assert stack.photos_shown(filter="failed") == []
    assert len(stack.sql("SELECT 1 FROM error_logs")) == 2
    stack.check_books()


def test_a_photo_that_fails_in_every_import_has_one_open_letter(stack: Stack) -> None:
    (stack.photos / "broken.jpg").write_bytes(b"no photo")
    stack.orchestrator()
    stack.workers()
    for tries in (1, 2):
        assert stack.settled(stack.start_import())["failed"] == 1
        stack.wait(lambda n=tries: len(stack.sql("SELECT 1 FROM dead_letters")) == n, "its letter")
    assert stack.client.get("/api/dead-letters").json()["total"] == 1


def _requeue(stack: Stack) -> None:
    letters = stack.wait(lambda: stack.client.get("/api/dead-letters?state=open").json()["items"], "the letter")
    answer = stack.client.post(f"/api/dead-letters/{letters[0]['id']}/requeue")
    assert answer.status_code == 200, answer.text


def test_a_preview_that_was_lost_is_made_again_when_somebody_looks(stack: Stack) -> None:
    a_jpeg(stack.photos / "photo.jpg", seed=1)
    stack.orchestrator()
    stack.workers()
    stack.settled(stack.start_import())
    shutil.rmtree(stack.home / "claims")
    (photo,) = stack.photos_shown()
    assert stack.client.get(photo["preview_url"]).status_code == 410
    stack.wait(lambda: stack.client.get(photo["preview_url"]).status_code == 200, "the preview")
    stack.check_books()
