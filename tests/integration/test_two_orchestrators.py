"""Two orchestrators on one database and one broker: pages of both say the same, one works, the other after it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.stack import Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)


class Listener:
    """What a page of one orchestrator is told."""

    def __init__(self) -> None:
        self.imports: set[int] = set()
        self.photos: set[int] = set()

    def listen(self, answer: httpx.Response) -> None:
        try:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    said: dict[str, Any] = json.loads(line.removeprefix("data:"))
                    self.imports |= set(said.get("imports", ()))
                    self.photos |= set(said.get("photos", ()))
        except httpx.TransportError:  # the orchestrator, or the test, has ended
            return


@contextmanager
def listening(client: httpx.Client) -> Iterator[Listener]:
    listener = Listener()
    with client.stream("GET", "/api/events") as answer:
        thread = threading.Thread(target=listener.listen, args=(answer,), daemon=True)
        thread.start()
        yield listener


def test_an_import_is_finished_by_the_other_when_the_one_that_scans_is_killed(stack: Stack) -> None:
    for number in range(24):
        a_jpeg(stack.photos / f"{number // 4}" / f"{number:03}.jpg", seed=number)
    first = stack.orchestrator("tests.doubles.dying_orchestrator", "--die", "in-scan")
    stack.wait(lambda: stack.is_ready(first, stack.client), "the first to be ready")
    other = stack.another_orchestrator()
    stack.workers("convert")
    with listening(other) as told:
        import_id = stack.start_import()
        stack.wait(lambda: import_id in told.imports, "the other to hear of the import")
        stack.wait(lambda: other.get(f"/api/imports/{import_id}").json()["found"] == 4, "a folder to be scanned")
        (stack.home / "die").touch()
        first.wait(60)
        stack.forget(first)
        stack.client.close()
        stack.client = other
        seen = stack.settled(import_id)
        assert (seen["found"], seen["done"], seen["failed"]) == (24, 24, 0)
        stack.wait(lambda: len(told.photos) == 24, "the other to hear of all photos")
    assert stack.sql("SELECT state, attempt, count(*) FROM stage_runs WHERE stage = 'convert' GROUP BY 1, 2") == [
        ("done", 1, 24)
    ]
    stack.check_books()


def test_what_one_is_told_the_other_knows(stack: Stack) -> None:
    a_jpeg(stack.photos / "a.jpg", seed=1)
    stack.orchestrator()
    other = stack.another_orchestrator()
    assert other.patch("/api/preferences", json={"auto_advance": True}).status_code == 200
    stack.wait(
        lambda: stack.client.get("/api/preferences").json()["auto_advance"], "the first to know what is preferred"
    )
    assert other.post("/api/imports", json={"path": str(stack.photos)}).status_code == 202
    stack.wait(lambda: stack.progress(1)["found"] == 1, "the first to scan for the other")
    target = {"target": str(stack.home.parent / "website")}
    made = other.post("/api/exports", json=target).json()["id"]
    stack.wait(lambda: stack.client.get(f"/api/exports/{made}").json()["state"] == "done", "the export to end")
