"""A stage is paused in the middle of an import: nothing more of it is begun, the others go on, resuming drains it."""

import asyncio
import io
import time
from pathlib import Path

import pytest

from orchestrator.embedded.client import Client
from orchestrator.embedded.importing import Folder, import_and_wait
from orchestrator.embedded.progress import Reporter
from tests.site import Site
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


async def test_an_import_into_a_paused_stage_ends_with_the_reason(
    site: Site, served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    a_jpeg(folder / "photo.jpg", seed=1)
    await site.client.post("/api/stages/convert/pause")
    said = io.StringIO()
    status = await asyncio.to_thread(
        import_and_wait, Client(served), Folder(folder), Reporter(said), False, lambda: time.sleep(0.02)
    )
    assert status == 0
    assert capsys.readouterr().err == "Previews are paused. Resume them in the pipeline.\n"
    assert "1 held" in said.getvalue()
