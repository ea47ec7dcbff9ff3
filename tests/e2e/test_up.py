"""`keepers up` as a person runs it: one command, a real folder, everything stopped at the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

DEADLINE_SECONDS = 120


@pytest.fixture
def home() -> Iterator[Path]:
    with a_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def open_home() -> Iterator[Path]:
    """The home of a Keepers that is open, for tests that leave it so."""
    with a_home() as folder, keepers(folder, "up", "--port", "0") as running:
        address_of(folder)
        yield folder
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=DEADLINE_SECONDS)
        assert running.returncode == 0
        assert processes_of(folder) == []


@contextmanager
def a_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="keepers-up-"))
    try:
        yield folder
    finally:
        for process in processes_of(folder):
            process.kill()
        shutil.rmtree(folder)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photographs, a broken one, and a file that is left alone."""
    folder = tmp_path / "Photos of 2024"
    (folder / "Été").mkdir(parents=True)
    Image.linear_gradient("L").resize((640, 480)).save(folder / "a.jpg")
    Image.radial_gradient("L").resize((480, 640)).save(folder / "Été" / "b#1.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing that follows is a picture")
    (folder / "notes.txt").write_text("not a photograph")
    return folder


def keepers(home: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "RABBITMQ_URL")}
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        env=kept
        | {"KEEPERS_HOME": str(home), "CONVERT_WORKERS": "1", "LLM_DEFAULT_BASE_URL": "http://127.0.0.1:9/v1/"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(home: Path, *arguments: str | Path) -> tuple[int, str, str]:
    with keepers(home, *arguments) as process:
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    return process.returncode, out, err


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that works in this home: the services, the orchestrator, the workers."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "environ", "status"]):
        environment = process.info["environ"] or {}
        places = (process.info["cwd"], environment.get("HOME"), environment.get("KEEPERS_HOME"))
        is_ours = any(f"{place}/".startswith(f"{home}/") for place in places)
        if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def address_of(home: Path) -> str:
    wait_until(lambda: services_of(home))
    return str(services_of(home)["address"])


def get(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=DEADLINE_SECONDS) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def services_of(home: Path) -> dict[str, str | int]:
    try:
        known: dict[str, str | int] = json.loads((home / "run/services.json").read_text())
    except FileNotFoundError:
        return {}
    return known


def test_once_imports_a_folder_prints_its_figures_and_leaves_nothing_running(home: Path, photos: Path) -> None:
    status, out, err = run(home, "up", "--photos", photos, "--once", "--json", "--port", "0")
    assert status == 0, err
    figures = json.loads(out)
    assert figures.pop("seconds") > 0
    assert figures == {
        "found": 3, "done": 2, "skipped": 0, "failed": 1, "pending": 0, "damaged": 0, "held": 0, "dead_lettered": 1,
    }  # fmt: skip
    assert processes_of(home) == []

    status, out, err = run(home, "up", "--photos", photos, "--once", "--json", "--port", "0")
    assert status == 0, err
    again = json.loads(out)
    assert (again["found"], again["done"], again["skipped"], again["failed"]) == (3, 0, 2, 1)


def test_every_socket_of_a_running_keepers_is_on_loopback(open_home: Path) -> None:
    listening = [
        connection.laddr
        for process in processes_of(open_home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {host for host, _ in listening} <= {"127.0.0.1", "::1"}
    assert int(address_of(open_home).rpartition(":")[2]) in {port for _, port in listening}


def test_a_second_up_says_where_the_first_one_is_open_and_hands_it_a_folder_to_watch(
    open_home: Path, photos: Path
) -> None:
    address = address_of(open_home)
    status, out, _ = run(open_home, "up")
    assert (status, out) == (0, f"Keepers is already open at {address}\n")
    status, out, err = run(open_home, "up", "--photos", photos, "--watch")
    assert status == 0, err
    wait_until(lambda: [one["state"] for one in get(f"{address}/api/watches")["items"]] == ["watching"])
    shutil.copy(photos / "a.jpg", photos / "not finished.part")
    Image.radial_gradient("L").resize((300, 200)).save(photos / "new.jpg")
    wait_until(lambda: get(f"{address}/api/photos/counts")["all"] == 3)


def test_up_starts_again_after_it_was_killed(home: Path) -> None:
    with keepers(home, "up", "--port", "0") as killed:
        address_of(home)
        killed.kill()
    with keepers(home, "up", "--port", "0") as running:
        wait_until(lambda: services_of(home).get("pid") == running.pid)
        with urllib.request.urlopen(address_of(home) + "/readyz") as answer:
            assert answer.status == 200
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 0
    assert processes_of(home) == []


def test_a_killed_orchestrator_is_started_again_on_the_same_address(open_home: Path) -> None:
    (first,) = orchestrators_of(open_home)
    first.kill()
    wait_until(lambda: orchestrators_of(open_home) not in ([], [first]))
    with urllib.request.urlopen(address_of(open_home) + "/healthz", timeout=DEADLINE_SECONDS) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing", "There is no folder {folder}."),
        ("empty", "There are no photographs in {folder}."),
        ("file.jpg", "{folder} is a file: name the folder it lies in."),
    ],
)
def test_a_folder_with_nothing_to_import_is_one_sentence_and_starts_nothing(
    home: Path, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.jpg").touch()
    folder = tmp_path / name
    assert run(home / "new", "up", "--photos", folder, "--once", "--json") == (
        2,
        "",
        sentence.format(folder=folder) + "\n",
    )
    assert not (home / "new").exists()


def test_a_folder_outside_what_may_be_read_is_refused_in_a_sentence(home: Path, photos: Path) -> None:
    inside = home / "claims" / "photos"
    shutil.copytree(photos, inside)
    status, out, err = run(home, "up", "--photos", inside, "--once", "--json", "--port", "0")
    assert (status, out) == (2, "")
    assert str(home) in err
    assert processes_of(home) == []


def test_a_port_that_is_taken_is_named(home: Path, open_home: Path) -> None:
    port = address_of(open_home).rpartition(":")[2]
    status, _, err = run(home, "up", "--port", port)
    assert status == 1
    assert err == f"Port {port} is taken by another program: name another one with --port.\n"


def orchestrators_of(home: Path) -> list[psutil.Process]:
    return [process for process in processes_of(home) if "serve" in (process.info["cmdline"] or [])]
