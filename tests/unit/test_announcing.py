"""Orchestrators in two containers that share a home, as while one takes the place of the other."""

import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestrator.embedded.announcing import announced
from orchestrator.embedded.home import services_of
from shared.settings import Settings


def test_the_one_that_ends_leaves_what_the_new_one_has_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    settings = Settings(keepers_home=tmp_path, local_token=SecretStr("shared"))
    monkeypatch.setattr(socket, "gethostname", lambda: "old")
    with ExitStack() as new:
        with announced(settings, 8000):
            assert services_of(tmp_path)["host"] == "old"
            monkeypatch.setattr(socket, "gethostname", lambda: "new")
            new.enter_context(announced(settings, 8000))
        said = services_of(tmp_path)
        assert said == {"address": "http://127.0.0.1:8000", "host": "new", "token": "shared"}
    assert services_of(tmp_path) == {}
