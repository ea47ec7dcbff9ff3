"""A stage is paused in the middle of an import: nothing more of it is begun, the others go on, resuming drains it."""

import pytest

from tests.stack import Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)


def test_a_paused_stage_waits_while_the_others_go_on(stack: Stack) -> None:
    for n in range(6):
        a_jpeg(stack.photos / f"photo-{n}.jpg", seed=n)
    stack.orchestrator()
    stack.workers("convert", "embed", package="tests.doubles.stages")
    assert stack.client.post("/api/stages/embed/pause").status_code == 204
    import_id = stack.start_import()
    assert stack.settled(import_id)["done"] == 6  # every preview is made
    assert stack.sql("SELECT DISTINCT state FROM stage_runs WHERE stage = 'embed'") == [("queued",)]
    held = stack.progress(import_id)["stages"]["embed"]
    assert (held["pending"], held["held"], held["paused"]) == (0, 6, True)

    assert stack.client.post("/api/stages/embed/resume").status_code == 204
    stack.wait(lambda: stack.progress(import_id)["stages"]["embed"]["done"] == 6, "the vectors")
    stack.check_books()
