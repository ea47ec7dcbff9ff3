"""Workers take less of a busy machine than whoever works at it."""

import subprocess
import sys
from pathlib import Path

import pytest

SAY = "import os; from workers.niceness import step_back; step_back(7); print(os.nice(0))"
SAY_SESSION = f"{SAY}; print(open('/proc/self/autogroup').read())"


def said_by(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, start_new_session=True, capture_output=True, text=True).stdout


def test_a_worker_steps_back() -> None:
    assert int(said_by(SAY)) == min(19, int(said_by("import os; print(os.nice(0))")) + 7)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="the kernel does not group by session")
def test_the_session_of_a_worker_counts_less_than_others() -> None:
    niceness, session = said_by(SAY_SESSION).splitlines()[:2]
    assert session.endswith(f"nice {niceness}")


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="the kernel does not group by session")
def test_workers_that_step_back_at_once_all_do() -> None:
    """The kernel refuses ordinary users who ask too soon after one another."""
    asked = [
        subprocess.Popen([sys.executable, "-c", SAY_SESSION], start_new_session=True, text=True, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for one in asked:
        niceness, session = one.communicate()[0].splitlines()[:2]
        assert session.endswith(f"nice {niceness}")
