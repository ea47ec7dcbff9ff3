"""The supervisor and its children: deadlines, restarts, an orderly end."""

import signal
import time

import pytest

from tests.stack import Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)


def test_a_handler_past_its_deadline_is_ended_and_its_photo_given_up(stack: Stack) -> None:
    a_jpeg(stack.photos / "stuck.jpg", seed=1)
    a_jpeg(stack.photos / "fine.jpg", seed=2)
    stack.orchestrator()
    stack.workers(package="tests.doubles.impatient")
    seen = stack.settled(stack.start_import())
    assert (seen["found"], seen["done"], seen["failed"]) == (2, 1, 1)
    assert "worker.overdue" in stack.log_tail(100_000)
    letters = stack.wait(lambda: stack.sql("SELECT error_type, reason FROM dead_letters"), "the letter")
    assert letters == [("WorkerDied", "delivery_limit")]


def test_a_worker_that_is_asked_to_end_finishes_its_photo_first(stack: Stack) -> None:
    a_jpeg(stack.photos / "wait.jpg", seed=1)
    stack.orchestrator()
    workers = stack.workers(package="tests.doubles.stages")
    import_id = stack.start_import()
    stack.wait(lambda: stack.sql("SELECT 1 FROM stage_runs WHERE state = 'published'"), "the message to be out")
    stack.wait(lambda: stack.children(workers, "--child"), "the worker")
    stack.wait(lambda: "broker.consuming" in stack.log_tail(), "the worker to consume")
    time.sleep(0.5)  # it has the message in hand: nothing outside shows that moment
    workers.send_signal(signal.SIGTERM)
    (stack.home / "go").touch()
    assert workers.wait(60) == 0
    stack.forget(workers)
    seen = stack.settled(import_id)
    assert (seen["done"], stack.sql("SELECT attempt FROM stage_runs WHERE stage = 'convert'")) == (1, [(1,)])


def test_ctrl_c_ends_a_worker_that_somebody_typed(stack: Stack) -> None:
    workers = stack.workers(package="tests.doubles.stages")
    stack.wait(lambda: "broker.consuming" in stack.log_tail(), "the worker to consume")
    workers.send_signal(signal.SIGINT)
    assert workers.wait(60) == 0
    stack.forget(workers)


def test_attempts_that_fail_are_made_again_with_their_number(stack: Stack) -> None:
    a_jpeg(stack.photos / "flaky-2.jpg", seed=1)
    a_jpeg(stack.photos / "flaky-9.jpg", seed=2)
    stack.orchestrator()
    stack.workers(package="tests.doubles.stages")
    seen = stack.settled(stack.start_import())
    assert (seen["done"], seen["failed"]) == (1, 1)
    attempts = stack.sql(
        "SELECT file_name, array_agg(attempt ORDER BY attempt), bool_or(final) FROM error_logs"
        " JOIN photos ON photos.id = photo_id GROUP BY 1 ORDER BY 1"
    )
    assert attempts == [("flaky-2.jpg", [1, 2], False), ("flaky-9.jpg", [1, 2, 3, 4, 5], True)]
    failures = stack.client.get("/api/failures").json()["items"]
    assert {failure["max_attempts"] for failure in failures} == {5}
    stack.check_books()


def test_a_stage_without_workers_says_so_and_what_to_type(stack: Stack) -> None:
    a_jpeg(stack.photos / "photo.jpg", seed=1)
    stack.orchestrator()
    stack.start_import()

    def held() -> str | None:
        convert, *_ = stack.client.get("/api/stages").json()["items"]
        return convert["hold"] and convert["hold"]["cause"]

    cause = stack.wait(held, "the page to say so")
    assert cause == "No worker is there for this. `keepers up` starts one; elsewhere type `keepers-worker convert`."
    stack.workers()
    stack.wait(lambda: held() is None, "the worker to be seen")
