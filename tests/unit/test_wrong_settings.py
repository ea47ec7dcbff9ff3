"""Settings that cannot be used end every command with a sentence about each."""

import os
import subprocess
import sys

import pytest

from orchestrator.__main__ import main
from shared.wrong_settings import WrongSettings, read_settings

SOME_DELAYS = "It must be a list of whole numbers, 1 or more, as [5000, 30000, 300000]."


@pytest.mark.parametrize("command", ["orchestrator serve", "orchestrator doctor --json", "workers", "workers --check"])
def test_a_command_says_each_setting_that_is_wrong_and_ends(command: str) -> None:
    wrong = {"METRICS_PORT": "abc", "LOG_FORMAT": "xml", "KEEPERS_PASSWORD": "hunter22"}
    answer = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == [
        "LOG_FORMAT is 'xml'. It must be text or json.",
        "METRICS_PORT is 'abc'. It must be a whole number, 1 or more, 65535 at most.",
    ]
    assert answer.stdout == ""


def test_every_command_of_keepers_ends_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CURATE_CONCURRENCY", "many")
    for command in ("up", "prune", "backup", "export --target /tmp/x", "password", "backfill embed"):
        assert main(command.split()) == 2
        assert capsys.readouterr().err == "CURATE_CONCURRENCY is 'many'. It must be a whole number, 1 or more.\n"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("CONVERT_WORKERS", "0", "is '0'. It must be a whole number, 1 or more."),
        ("LLM_TIMEOUT_SECONDS", "1e9", "is '1e9'. It must be a number, more than 0, 400 at most."),
        ("BACKUP_EVERY_HOURS", "inf", "is 'inf'. It must be a number, 0 or more."),
        ("TASTE_WINDOW_SECONDS", "nan", "is 'nan'. It must be a number, 0 or more."),
        ("TRUSTED_NETWORK", "perhaps", "is 'perhaps'. It must be 1 or 0."),
        ("RAW_RENDER", "fast", "is 'fast'. It must be embedded or demosaic."),
        ("DECODE_SECONDS", "0", "is '0'. It must be a number, more than 0."),
        ("RETRY_DELAYS_MS", "5 s", f"is '5 s'. {SOME_DELAYS}"),
        ("RETRY_DELAYS_MS", '["x", "y"]', SOME_DELAYS),
        ("RETRY_DELAYS_MS", "[5, -5]", SOME_DELAYS),
        ("RETRY_DELAYS_MS", "[]", SOME_DELAYS),
        ("METRICS_PORT", "9" * 5_000, f"is '{'9' * 60}'. It must be a whole number, 1 or more, 65535 at most."),
    ],
)
def test_what_was_given_and_what_is_expected_is_said(
    name: str, given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(WrongSettings) as told:
        read_settings()
    assert told.value.message.startswith(name)
    assert told.value.message.endswith(expected)
    assert "\n" not in told.value.message
