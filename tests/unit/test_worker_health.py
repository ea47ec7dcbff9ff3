"""`keepers-worker --check`: what a container platform asks again and again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workers.heartbeat import CUT_OFF_SECONDS, SILENT_SECONDS, Beat, Heartbeat, complaint


def said(file: Path, silent_seconds: float = 0, cut_off_seconds: float = 0) -> Path:
    """What a supervisor of two workers wrote so long ago, the second of them without a broker for so long."""
    now = time.monotonic()
    connected = [("convert", now), ("score+train", now - cut_off_seconds)]
    file.write_text(Beat(at=now - silent_seconds, connected=connected).model_dump_json())
    return file


def check(**environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "workers", "--check"]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_workers_that_are_well_pass_the_check(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    Heartbeat(file).write([(("convert",), 0.0), (("score", "train"), time.monotonic())])
    answer = check(WORKER_HEARTBEAT=str(file))
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_supervisor_that_hangs_fails_the_check(tmp_path: Path) -> None:
    answer = check(WORKER_HEARTBEAT=str(said(tmp_path / "beat", silent_seconds=SILENT_SECONDS + 10)))
    assert answer.returncode == 1
    assert answer.stderr.startswith("The supervisor of the workers has not been heard of for ")


def test_a_worker_without_a_broker_fails_the_check_only_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert complaint(said(tmp_path / "beat", cut_off_seconds=CUT_OFF_SECONDS - 10)) is None
    sentence = complaint(said(tmp_path / "beat", cut_off_seconds=CUT_OFF_SECONDS + 5.2))
    assert sentence == "Not connected to the broker: score+train for 125 s."


def test_a_worker_that_never_found_a_broker_counts_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "beat"
    start = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start)
    heartbeat = Heartbeat(file)
    monkeypatch.setattr(time, "monotonic", lambda: start + CUT_OFF_SECONDS + 60)
    heartbeat.write([(("embed",), 0.0)])
    assert complaint(file) == "Not connected to the broker: embed for 180 s."


def test_a_file_from_before_the_machine_started_fails_the_check(tmp_path: Path) -> None:
    assert "not been heard of" in str(complaint(said(tmp_path / "beat", silent_seconds=-5_000)))


def test_without_workers_the_check_says_so(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    assert complaint(file) == f"No workers run here: there is no {file}."
    file.write_text("{")
    assert "cannot be read" in str(complaint(file))
    assert "set WORKER_HEARTBEAT" in check(WORKER_HEARTBEAT="").stderr
