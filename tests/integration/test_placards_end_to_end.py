"""A placard through the whole system, while it has much else to do."""

import io
from typing import Any

import pytest

from tests.doubles.vision_host import GOOD, VisionHost, describing, tinted
from tests.stack import Stack

pytestmark = pytest.mark.timeout(240)

PHOTOS = 40
LARGE = (2400, 1600)  # a quarter of a second or so each


def a_large_jpeg(number: int) -> bytes:
    buffer = io.BytesIO()
    tinted(number, LARGE).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def described(stack: Stack, number: int) -> dict[str, Any]:
    """The placard of a photo with this number, once it is complete."""
    answer = stack.client.post(f"/api/placards?name={number}.jpg", content=a_large_jpeg(number))
    assert answer.status_code == 202, answer.text
    address = f"/api/placards/{answer.json()['id']}"
    stack.wait(lambda: stack.client.get(address).json()["words"], "the placard to be described")
    placard: dict[str, Any] = stack.client.get(address).json()
    return placard


def test_a_placard_is_complete_before_the_import_that_runs(stack: Stack) -> None:
    for number in range(PHOTOS):
        (stack.photos / f"{number}.jpg").write_bytes(a_large_jpeg(number))
    with describing(VisionHost()) as host:
        stack.environment |= {"LLM_BASE_URL": host.url}
        stack.workers("convert", "curate")
        stack.orchestrator()
        described(stack, 98)  # the workers have loaded what they need
        import_id = stack.start_import()
        stack.wait(lambda: stack.progress(import_id)["done"], "the import to be under way")
        placard = described(stack, 99)
        stack.settled(import_id)
    assert (placard["words"]["subject"], placard["words"]["described_by"]) == (GOOD["subject"], "llava")
    assert stack.client.get(placard["preview_url"]).status_code == 200
    ends = "SELECT max(finished_at) FROM stage_runs WHERE stage = %s AND (photo_id IS NULL) = %s"
    ((complete,),) = stack.sql(ends, "curate", True)
    ((imported,),) = stack.sql(ends, "convert", False)
    assert complete < imported
    assert len(stack.photos_shown()) == PHOTOS
    stack.check_books()
