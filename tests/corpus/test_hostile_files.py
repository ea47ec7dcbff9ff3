"""Broken and hostile files through the whole system: each is recorded, and no worker is lost."""

import pytest

from tests.material import MATERIAL
from tests.stack import Stack, a_jpeg

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not MATERIAL.is_dir(), reason=f"no test material at {MATERIAL}: set KEEPERS_TEST_DATA"),
]


def test_every_hostile_file_ends_as_done_damaged_or_failed(stack: Stack) -> None:
    a_jpeg(stack.photos / "good.jpg", seed=1)
    for file in (MATERIAL / "hostile").iterdir():
        (stack.photos / file.name).symlink_to(file)
    stack.environment["DECODE_SECONDS"] = "5"
    stack.environment["DECODE_MEMORY_MB"] = "1500"
    stack.orchestrator()
    workers = stack.workers()
    stack.wait(lambda: stack.children(workers, "--child"), "the worker")
    worker = stack.children(workers, "--child")[0]
    import_id = stack.start_import()
    stack.wait(lambda: stack.progress(import_id)["state"] == "done", "all of them to be looked at", 200)
    seen = stack.progress(import_id)
    assert seen["found"] > 150
    assert seen["done"] >= 1
    assert worker.is_running()
    sentences = stack.sql("SELECT DISTINCT message FROM error_logs WHERE final")
    assert all(len(message) > 20 and "Traceback" not in message for (message,) in sentences)
    assert stack.sql("SELECT 1 FROM error_logs WHERE error_type NOT IN ('Retry', 'DecoderCrashed', 'UnsupportedFile',"
                     " 'CorruptFile', 'TooLarge', 'Reject')") == []  # fmt: skip
    stack.check_books()
