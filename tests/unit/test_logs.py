"""Logs of a whole process: what libraries say, warnings and crashes have the form of our own lines."""

import json
import subprocess
import sys
from typing import Any

import pytest

SAYING = """
import logging, warnings
import structlog
from shared import logs, trace
logs.configure("{format}", "orchestrator")
log = structlog.get_logger()
with trace.bound(None, correlation_id="import-3"):
    log.info("own.line", path="a\\udce9.jpg", kind=object)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("own.trouble")
    logging.getLogger("uvicorn.error").exception("of the %s", "web server")
logging.getLogger("uvicorn.error").info("Started")
logging.getLogger("httpx").info("a request, which nobody wants to know")
warnings.warn("beware")
raise RuntimeError("the end")
"""


def said(log_format: str) -> str:
    script = SAYING.replace("{format}", log_format)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in said("json").splitlines()]


def test_every_line_is_json_whoever_says_it(lines: list[dict[str, Any]]) -> None:
    events = [line["event"].partition("\n")[0] for line in lines]
    assert events[:4] == ["own.line", "own.trouble", "of the web server", "Started"]
    assert "UserWarning: beware" in events[4]
    assert events[5:] == ["process.crashed"]
    assert {line["service"] for line in lines} == {"orchestrator"}


def test_an_exception_is_a_field(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines if "ZeroDivisionError" in line.get("exception", "")] == [
        "own.trouble", "of the web server",
    ]  # fmt: skip
    assert "RuntimeError: the end" in lines[-1]["exception"]


def test_a_line_has_the_ids_that_are_bound_and_any_name_of_a_file(lines: list[dict[str, Any]]) -> None:
    assert (lines[0]["correlation_id"], len(lines[0]["trace_id"]), lines[0]["path"]) == ("import-3", 32, "a\udce9.jpg")
    assert "trace_id" not in lines[1]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_that_cannot_be_written_does_not_break_the_work(log_format: str) -> None:
    script = SAYING.replace("{format}", log_format).partition("try:")[0] + "print('worked')"
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=full, check=False)
    assert ended.stdout == b"worked\n"


def test_people_read_the_same_as_text() -> None:
    text = said("text")
    assert all(said in text for said in ("own.line", "correlation_id=import-3", "Started", "RuntimeError: the end"))
