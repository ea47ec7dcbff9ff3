"""A photo that somebody looks at does not wait for an import: the real orchestrator, workers and broker."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from tests.factories import a_gradient
from tests.stack import Stack, a_jpeg

IMPORTED = 20


def many_large_jpegs(folder: Path) -> None:
    """One picture under many contents: each takes the decoder a good part of a second."""
    folder.mkdir()
    buffer = io.BytesIO()
    a_gradient(6000, 4000).save(buffer, "JPEG", quality=85)
    data = buffer.getvalue()
    for number in range(IMPORTED):
        note = f"photo {number:02}".encode()
        comment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
        (folder / f"{number:02}.jpg").write_bytes(data[:2] + comment + data[2:])


def ask(stack: Stack, photo: int, size: str) -> dict[str, Any]:
    answer = stack.client.post("/api/renditions", json={"ids": [photo], "size": size, "wait_ms": 1_000})
    assert answer.status_code == 200, answer.text
    assert answer.json()["failed"] == []
    return dict(answer.json())


def test_a_view_is_there_before_a_running_import_is_done(stack: Stack) -> None:
    a_jpeg(stack.photos / "a.jpg", seed=1, size=(2800, 1400))
    stack.orchestrator()
    stack.workers("convert", "render")
    stack.settled(stack.start_import())
    ((photo,),) = stack.sql("SELECT id FROM photos")
    stack.wait(lambda: ask(stack, photo, "full")["ready"], "all pixels")  # from now on the decoder is there
    folder = stack.photos / "card"
    many_large_jpegs(folder)
    running = stack.start_import(folder)
    stack.wait(lambda: stack.progress(running)["done"] > 0, "the import to run")
    (view,) = stack.wait(lambda: ask(stack, photo, "view")["ready"], "the view")
    assert stack.progress(running)["pending"] > 0
    image = Image.open(io.BytesIO(stack.client.get(view["url"]).content))
    assert image.size == (view["width"], view["height"]) == (2560, 1280)
    told = stack.sql("SELECT data FROM events WHERE kind = 'renditions'")
    assert {id_ for (data,) in told for id_ in data["ids"]} == {photo}
