"""Setting aside in the whole system: a watched folder, a killed process, and an orchestrator that takes up."""

import signal
import subprocess
import sys

from tests.pictures import saved, scene
from tests.stack import Stack


def test_a_watched_folder_stays_in_line_with_what_is_set_aside_and_brought_back(stack: Stack) -> None:
    names = [f"{n}.jpg" for n in range(4)]
    for n, name in enumerate(names):
        (stack.photos / name).write_bytes(saved(scene(90, 60, n), "JPEG"))
    first = stack.orchestrator()
    stack.workers("convert")
    stack.settled(stack.start_import(watch=True))
    photos = [photo["id"] for photo in stack.photos_shown()]
    stack.client.post("/api/decisions", json={"ids": photos, "action": "reject"}).raise_for_status()
    root = str(stack.sql("SELECT id FROM roots")[0][0])
    stack.stop(first, signal.SIGKILL)
    mover = [sys.executable, "-m", "tests.doubles.dying_mover", stack.environment["DATABASE_URL"], root, "4", "3"]
    assert subprocess.run(mover, check=False).returncode == -signal.SIGKILL
    stack.orchestrator()
    stack.wait(lambda: states(stack) == {"aside"}, "what was interrupted to be settled")
    left = stack.client.get("/api/free-space").json()["drives"][0]["rejected"]["photos"]
    assert f"{left} files set aside" in stack.keepers("rejects", "--move", "--root", root, "--confirm", str(left))
    assert sorted(path.name for path in (stack.photos / "_keepers_rejected").iterdir()) == names
    assert "4 files brought back" in stack.keepers("rejects", "--restore", "--root", root)
    (stack.photos / "new.jpg").write_bytes(saved(scene(90, 60, 9), "JPEG"))
    stack.wait(lambda: len(stack.photos_shown()) == 1, "the new photo to come by the watch")
    assert stack.sql("SELECT count(*) FROM photos") == [(5,)]
    assert stack.sql("SELECT count(*) FROM error_logs") == [(0,)]


def states(stack: Stack) -> set[str]:
    return {state for (state,) in stack.sql("SELECT DISTINCT state FROM set_aside")}
