"""What containers ask of the services beyond `keepers up`: their health, and CLIP without a question."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doubles.model_host import ModelHost, serving
from tests.stack import REPOSITORY, Stack
from workers.heartbeat import Beat

pytestmark = pytest.mark.timeout(240)


def check(stack: Stack) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "workers", "--check"]
    return subprocess.run(command, cwd=REPOSITORY, env=stack.environment, capture_output=True, text=True, check=False)


def last_connected(file: Path) -> float:
    (_stages, at), *_ = Beat.model_validate_json(file.read_bytes()).connected
    return at


def clip(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.client.get("/api/models").json()["items"][1]
    return found


def test_workers_say_that_they_are_well_until_they_end(stack: Stack) -> None:
    file = stack.home / "heartbeat"
    stack.environment["WORKER_HEARTBEAT"] = str(file)
    workers = stack.workers("score")
    stack.wait(file.exists, "the supervisor to be heard of")
    started = last_connected(file)
    assert check(stack).returncode == 0, "a worker that is still starting is not ill"
    stack.wait(lambda: last_connected(file) > started, "the worker to be connected")
    stack.stop(workers)
    assert "No workers run here" in check(stack).stderr


def test_commands_find_an_orchestrator_that_runs_beside_them(stack: Stack, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "orchestrator"]
    running: dict[str, Any] = {"cwd": REPOSITORY, "env": stack.environment, "capture_output": True, "text": True}
    serving = subprocess.Popen([*command, "serve", "--port", str(port)], cwd=REPOSITORY, env=stack.environment)
    try:
        stack.wait(lambda: is_ready(port), "the orchestrator to be ready")
        export = [*command, "export", "--target", str(tmp_path / "website")]
        said = subprocess.run(export, check=False, **running)
    finally:
        serving.terminate()
        serving.wait(60)
    assert (said.returncode, serving.returncode) == (0, 0), said.stderr
    assert said.stdout.endswith("0 there already.\n")
    said = subprocess.run(export, check=False, **running)
    assert "not open" in said.stderr, "it is told when there is none any more"


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_clip_is_fetched_at_the_start_where_that_is_wished(stack: Stack) -> None:
    with serving(ModelHost()) as host:
        host.files["open_clip_model.safetensors"] = b"w" * 300_000
        stack.environment |= {"FETCH_CLIP": "1", "HF_ENDPOINT": host.url}
        stack.orchestrator()
        stack.wait(lambda: clip(stack)["state"] == "ready", "CLIP to be fetched")


def test_without_a_connection_keepers_starts_and_says_that_clip_is_missing(stack: Stack) -> None:
    stack.environment |= {"FETCH_CLIP": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}  # nobody is there
    stack.orchestrator()
    said = stack.wait(lambda: clip(stack)["error"], "the fetch to fail")
    assert said.startswith("CLIP could not be fetched")
    assert clip(stack)["state"] == "absent"
