"""Rating, training and scoring through the real broker, with real workers."""

import signal
from typing import Any

from tests.stack import Stack, a_jpeg


def test_ratings_become_a_model_and_every_photo_a_score_also_when_the_orchestrator_is_killed(stack: Stack) -> None:
    stack.environment["TASTE_WINDOW_SECONDS"] = "2"
    for number in range(30):
        a_jpeg(stack.photos / f"{number:02}.jpg", number)
    orchestrator = stack.orchestrator()
    stack.workers("convert", "embed", package="tests.doubles.stages")
    stack.workers("train", "score")
    stack.settled(stack.start_import())
    stack.wait(lambda: stack.sql("SELECT count(*) FROM photo_vectors") == [(30,)], "the vectors")
    ids = sorted(item["id"] for item in stack.photos_shown())
    for stars in (1, 3, 5):
        rate(stack, ids[stars // 2 : 25 : 3], stars)
    stack.wait(lambda: taste(stack)["versions"], "the training to start")
    stack.stop(orchestrator, signal.SIGKILL)
    stack.orchestrator()
    stack.wait(lambda: scored(stack) == [(1, 30)], "every photo to be scored by version 1")
    assert taste(stack)["model"]["version"] == 1
    rate(stack, ids[25:28], 5)
    stack.wait(lambda: scored(stack) == [(2, 30)], "every photo to be scored by the next version")
    seen = taste(stack)
    assert (seen["model"]["version"], seen["model"]["n"]) == (2, 28)
    assert stack.client.post("/api/taste/1/activate").status_code == 200
    stack.wait(lambda: scored(stack) == [(3, 30)], "every photo to be scored by version 1 again")
    why = stack.client.get(f"/api/photos/{ids[-1]}/why").json()
    assert (why["version"], why["note"]) == (1, None)
    stack.wait(
        lambda: stack.sql("SELECT 1 FROM stage_runs WHERE photo_id IS NULL AND stage <> 'bursts'") == [], "tidiness"
    )


def rate(stack: Stack, ids: list[int], stars: int) -> None:
    assert stack.client.post("/api/decisions", json={"ids": ids, "user_rating": stars}).status_code == 200


def taste(stack: Stack) -> dict[str, Any]:
    seen: dict[str, Any] = stack.client.get("/api/taste").json()
    return seen


def scored(stack: Stack) -> list[tuple[int, int]]:
    return stack.sql("SELECT score_activation, count(*) FROM photos WHERE preference_score IS NOT NULL GROUP BY 1")
