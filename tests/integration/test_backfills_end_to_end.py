"""`keepers backfill` as a person types it, interrupted on either side, and typed again."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.stack import REPOSITORY, Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)
COMMAND = ("backfill", "hash", "--where", "all")


def keepers(stack: Stack, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        env=stack.environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def typed(stack: Stack, *arguments: str) -> tuple[int, str]:
    with keepers(stack, *arguments) as command:
        out, _ = command.communicate(timeout=120)
    return command.returncode, out


def backfills(stack: Stack) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.client.get("/api/backfills").json()["items"]
    return items


def test_a_backfill_outlives_its_command_and_its_orchestrator(stack: Stack) -> None:
    for name in ("a", "b", "wait"):
        a_jpeg(stack.photos / f"{name}.jpg", seed=len(name), size=(64, 48 + ord(name[0])))
    (stack.home / "go").touch()
    orchestrator = stack.orchestrator()
    stack.workers(package="tests.doubles.stages")
    stack.settled(stack.start_import())
    (stack.home / "go").unlink()
    (stack.home / "run").mkdir(exist_ok=True)
    (stack.home / "run/services.json").write_text(json.dumps({"address": f"http://127.0.0.1:{stack.port}"}))

    with keepers(stack, *COMMAND) as command:
        stack.wait(lambda: [one["done"] for one in backfills(stack)] == [2], "all but the one that waits")
        command.send_signal(signal.SIGINT)
        out, _ = command.communicate(timeout=60)
    assert (command.returncode, "It goes on in Keepers." in out) == (130, True)
    stack.stop(orchestrator, signal.SIGKILL)
    stack.orchestrator()

    with keepers(stack, *COMMAND) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "It goes on where it was. With --from-start it begins anew.\n"
        assert command.stdout.readline() == "2 of 3 photos\n"
        (stack.home / "go").touch()
        out, _ = command.communicate(timeout=120)
    assert (command.returncode, out.endswith("Done: 3 of 3 photos.\n")) == (0, True), out
    assert [(one["state"], one["done"], one["total"]) for one in backfills(stack)] == [("done", 3, 3)]
    assert typed(stack, "backfill", "hash") == (0, "No photo lacks this: there is nothing to do.\n")
    assert typed(stack, "backfill", "embed", "--cancel") == (0, "There is no open backfill of embed.\n")
    status, out = typed(stack, "backfill", "quality", "--where", "newer")
    assert (status, out.startswith("There is no condition newer.")) == (1, True)
    stack.check_books()
