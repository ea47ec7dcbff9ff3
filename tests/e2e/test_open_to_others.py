"""Keepers for other machines: refused without a password, and `keepers up --lan`."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from orchestrator.embedded.lan import lan_address
from tests.stack import REPOSITORY, Stack


def keepers(stack: Stack, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", *arguments]
    return subprocess.run(
        command, env=stack.environment, cwd=REPOSITORY, input=typed, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", [["up", "--port", "0"], ["serve"]])
def test_without_a_password_keepers_does_not_listen_where_others_are(stack: Stack, command: list[str]) -> None:
    said = keepers(stack, *command, "--host", "0.0.0.0")
    assert said.returncode == 1
    assert "Keepers has no password, so it does not listen on 0.0.0.0" in said.stderr
    for what_to_do in ("`keepers password`", "`keepers up --lan`", "TRUSTED_NETWORK=1"):
        assert what_to_do in said.stderr
    assert "Traceback" not in said.stderr


def test_lan_makes_a_password_that_opens_keepers_to_the_network(stack: Stack) -> None:
    host = lan_address()
    if host is None:
        pytest.skip("this machine is in no network")
    file = stack.home / "database-url"  # the address of the database as container platforms hand it over
    file.write_text(stack.environment.pop("DATABASE_URL"))
    stack.environment["DATABASE_URL_FILE"] = str(file)
    with _up(stack, "--lan") as running:
        said = _until_password(running)
        found = re.search(r"In your network Keepers is open at (http://\S+)\n\n(█[█▀▄ \n]+)", said)
        password = re.search(r"^Password: ([a-z-]{19})$", said, re.MULTILINE)
        assert found, said
        assert password, said
        with httpx.Client(base_url=found[1], timeout=60) as phone:
            stack.wait(lambda: phone.get("/api/photos").status_code == 401, "the password to be asked for")
            assert phone.post("/login", data={"password": password[1]}).status_code == 303
            assert phone.get("/api/photos").status_code == 200
            changed = keepers(stack, "password", typed="of my own choice\n")
            assert changed.returncode == 0, changed.stderr
            stack.wait(lambda: phone.get("/api/photos").status_code == 401, "the login to end")
            assert phone.post("/login", data={"password": "of my own choice"}).status_code == 303
    kept = "".join(path.read_text(errors="replace") for path in (stack.home / "log").iterdir())
    assert password[1] not in kept + str(stack.sql("SELECT * FROM access"))


def test_a_password_is_read_from_standard_input_and_never_too_short(stack: Stack) -> None:
    assert keepers(stack, "password", typed="short\n").stderr == (
        "A password has at least 8 characters, and 1,000 at most.\n"
    )
    assert stack.sql("SELECT password_hash FROM access") == [(None,)]
    assert keepers(stack, "password", typed="long enough\n").returncode == 0
    ((kept,),) = stack.sql("SELECT password_hash FROM access")
    assert kept.startswith("scrypt$")
    assert keepers(stack, "password", "--remove").returncode == 0
    assert stack.sql("SELECT password_hash FROM access") == [(None,)]


@contextmanager
def _up(stack: Stack, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-u", "-m", "orchestrator", "up", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env=stack.environment, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=120)


def _until_password(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if line.startswith("Password:"):
            break
    return said
