"""Descriptions through the whole system, with a vision model on loopback that does everything wrong."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import vision_host
from tests.doubles.vision_host import Reply, VisionHost, a_tinted_jpeg, describing
from tests.stack import Stack

pytestmark = pytest.mark.timeout(240)

# photo number -> the replies it gets one after the other, the last one for ever
REPLIES = {
    1: [vision_host.WELL],
    2: [vision_host.NOT_JSON],
    3: [vision_host.FENCED],
    4: [vision_host.MISSING_FIELDS],
    5: [vision_host.EXTRA_FIELDS],
    6: [vision_host.WRONG_ENUM],
    7: [vision_host.MANY_TAGS],
    8: [vision_host.HOSTILE],
    9: [vision_host.EMPTY],
    10: [vision_host.HALF],
    11: [vision_host.SLOW, vision_host.WELL],
    12: [vision_host.TOO_LARGE],
    13: [vision_host.UNAVAILABLE, vision_host.WELL],
    14: [vision_host.DROPPED, vision_host.WELL],
    15: [vision_host.NOT_JSON, vision_host.NO_SUBJECT, vision_host.WELL],
    16: [vision_host.UNAUTHORIZED, vision_host.WELL],
    17: [vision_host.NO_MODEL, vision_host.WELL],
    18: [vision_host.error(429, "slow down", Retry_After="1"), vision_host.WELL],
    19: [vision_host.UNAVAILABLE, vision_host.WELL, vision_host.UNAVAILABLE, vision_host.WELL],
}
CALLS = {2: 3, 9: 3, 10: 3, 11: 2, 13: 2, 14: 2, 15: 3, 16: 2, 17: 2, 18: 2, 19: 2}  # all others: one
NO_USE = "llava gave no description that can be used. It was asked 3 times."


def scripted(number: int, earlier: int) -> Reply:
    replies = REPLIES[number]
    return replies[min(earlier, len(replies) - 1)]


@pytest.fixture
def host() -> VisionHost:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return VisionHost(port=listening.getsockname()[1])


@pytest.fixture
def stack(stack: Stack, host: VisionHost) -> Iterator[Stack]:
    stack.environment |= {"LLM_BASE_URL": host.url, "LLM_TIMEOUT_SECONDS": "4"}
    return stack


def working(stack: Stack, *, with_vectors: bool = False) -> None:
    stack.workers("convert", "curate")
    if with_vectors:
        stack.workers("embed", package="tests.doubles.stages")
    stack.orchestrator()


def photos_of(stack: Stack) -> dict[int, dict[str, Any]]:
    """Every photo in full, by its number."""
    shown = stack.photos_shown()
    return {int(Path(item["file_name"]).stem): stack.client.get(f"/api/photos/{item['id']}").json() for item in shown}


def stage(stack: Stack) -> dict[str, Any]:
    items: list[dict[str, Any]] = stack.client.get("/api/stages").json()["items"]
    return next(item for item in items if item["stage"] == "curate")


def is_quiet(stack: Stack) -> bool:
    now = stage(stack)
    return not any(now[state] for state in ("queued", "published", "retrying", "held"))


def test_a_model_that_does_everything_wrong(stack: Stack, host: VisionHost) -> None:
    host.choose = scripted
    causes: set[str] = set()
    for number in REPLIES:
        a_tinted_jpeg(stack.photos / f"{number}.jpg", number)
    with describing(host):
        working(stack, with_vectors=True)
        stack.settled(stack.start_import())

        def seen() -> bool:
            now = stage(stack)
            causes.update([now["hold"]["cause"]] if now["hold"] else [])
            return is_quiet(stack)

        stack.wait(seen, "every photo to be described or given up")
    assert dict(host.calls) == {number: CALLS.get(number, 1) for number in REPLIES}

    photos = photos_of(stack)
    failed = {number for number, photo in photos.items() if photo["stages"]["curate"] == "failed"}
    assert failed == {2, 9, 10, 12}
    assert {photo["stages"]["embed"] for photo in photos.values()} == {"done"}
    described = {number: photo["description"] for number, photo in photos.items() if number not in failed}
    assert {description["described_by"] for description in described.values()} == {"llava"}
    assert described[6]["content_type"] == "other"
    assert len(described[7]["suggested_tags"]) == 7
    assert photos[8]["subject"] == f"A cat {vision_host.MARKUP}"

    letters = stack.client.get("/api/dead-letters").json()["items"]
    assert {(letter["error_type"], letter["message"]) for letter in letters} == {
        ("InvalidReply", NO_USE),
        ("ImageTooLarge", f"{host.url} takes no image of this size. It says: Request entity too large"),
    }
    assert len(letters) == 4
    failures = stack.client.get("/api/failures?stage=curate&limit=200").json()["items"]
    by_type = Counter((failure["error_type"], failure["status"], failure["final"]) for failure in failures)
    assert by_type == {
        ("InvalidReply", 200, True): 3,
        ("ImageTooLarge", 413, True): 1,
        ("VisionBusy", 503, False): 2,
        ("VisionTimeout", None, False): 1,
        ("ConnectionDropped", None, False): 1,
    }
    assert all("<script>" not in failure["message"] for failure in failures)
    assert any("does not accept the key: set LLM_API_KEY" in cause for cause in causes)
    assert any("llava' is not at" in cause for cause in causes)
    assert any("takes no more requests for now" in cause for cause in causes)
    stack.check_books()


def test_the_model_is_stopped_in_the_middle_of_an_import_and_comes_back(stack: Stack, host: VisionHost) -> None:
    for number in range(20):
        a_tinted_jpeg(stack.photos / f"{number}.jpg", number)
    with describing(host):
        working(stack, with_vectors=True)
        import_id = stack.start_import()
        stack.wait(lambda: sum(host.calls.values()) >= 3, "the first descriptions")
    seen = stack.settled(import_id)
    assert (seen["done"], seen["failed"], seen["state"]) == (20, 0, "done")
    stack.wait(lambda: stage(stack)["health"] == "held" and not stage(stack)["queued"], "the stage to be held")
    now = stage(stack)
    assert now["held"] >= 10
    assert now["hold"]["cause"].startswith(f"No vision model answers at {host.url}: start it, or set LLM_BASE_URL")
    stack.wait(lambda: all(p["stages"]["embed"] == "done" for p in photos_of(stack).values()), "the vectors")
    photos = photos_of(stack)
    assert len(photos) == 20
    assert all(photo["preview_url"] for photo in photos.values())
    waiting = next(photo for photo in photos.values() if photo["stages"]["curate"] == "held")
    assert stack.client.patch(f"/api/photos/{waiting['id']}", json={"user_rating": 4}).status_code == 200
    with describing(host):
        stack.wait(lambda: is_quiet(stack), "the queue to be drained")
    assert {photo["stages"]["curate"] for photo in photos_of(stack).values()} == {"done"}
    assert stack.client.get(f"/api/photos/{waiting['id']}").json()["user_rating"] == 4
    assert stage(stack)["hold"] is None
    assert stack.client.get("/api/dead-letters").json()["items"] == []
    stack.check_books()


def test_without_a_model_photos_are_described_by_pixels_until_one_comes(stack: Stack, host: VisionHost) -> None:
    del stack.environment["LLM_BASE_URL"]
    stack.environment["LLM_DEFAULT_BASE_URL"] = host.url
    for number in range(4):
        a_tinted_jpeg(stack.photos / f"{number}.jpg", number)
    working(stack)
    stack.settled(stack.start_import())
    stack.wait(lambda: is_quiet(stack), "the built-in descriptions")
    assert {photo["description"]["described_by"] for photo in photos_of(stack).values()} == {"built-in"}
    with describing(host):
        stack.wait(lambda: len(host.calls) == 4 and is_quiet(stack), "the model to describe them again")
    assert {photo["description"]["described_by"] for photo in photos_of(stack).values()} == {"llava"}
    a_tinted_jpeg(stack.photos / "9.jpg", 9)
    stack.settled(stack.start_import())
    stack.wait(lambda: stage(stack)["held"] == 1, "the new photo to wait for the model")


def test_no_photo_goes_to_another_machine_before_the_yes(stack: Stack, host: VisionHost) -> None:
    """The host is on loopback under a public name, which a proxy of the environment leads to it."""
    stack.environment |= {"LLM_BASE_URL": "http://vision.example.com/v1/", "HTTP_PROXY": host.url.removesuffix("/v1/")}
    for number in range(3):
        a_tinted_jpeg(stack.photos / f"{number}.jpg", number)
    with describing(host):
        working(stack)
        stack.settled(stack.start_import())
        stack.wait(lambda: stage(stack)["held"] == 3, "the photos to wait for a yes")
        assert stage(stack)["hold"]["cause"].startswith("Photos would be sent to vision.example.com")
        assert host.calls == {}
        answer = stack.client.post("/api/curation/consent", json={"host": "vision.example.com"})
        assert answer.status_code == 200, answer.text
        stack.wait(lambda: is_quiet(stack), "the descriptions")
    assert host.calls == {0: 1, 1: 1, 2: 1}
    body = json.dumps([photo["description"] for photo in photos_of(stack).values()])
    assert vision_host.GOOD["subject"] in body
