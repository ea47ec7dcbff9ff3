"""Secrets that come from files, as container platforms hand them over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import KeepersError
from shared.settings import FROM_FILES, Settings

URL = "postgresql://keepers:secret@db/keepers"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "database-url"
    file.write_text(f"{URL}\n")
    return file


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FROM_FILES:
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_secret_may_come_from_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")  # as a compose file passes what is not set
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    monkeypatch.setenv("LLM_API_KEY_FILE", str(file))
    settings = Settings()
    assert settings.database_url == URL
    assert settings.llm_api_key is not None
    assert settings.llm_api_key.get_secret_value() == URL


def test_only_secrets_come_from_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL_FILE", str(file))
    assert Settings().llm_model == "llava"


def test_a_secret_that_is_set_twice_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    with pytest.raises(KeepersError, match="Both DATABASE_URL and DATABASE_URL_FILE are set"):
        Settings()


@pytest.mark.parametrize("module", ["orchestrator", "workers"])
def test_a_secret_file_that_is_missing_is_named(module: str, tmp_path: Path) -> None:
    environment = {**os.environ, "RABBITMQ_URL": "", "RABBITMQ_URL_FILE": str(tmp_path / "nothing")}
    command = [sys.executable, "-m", module, *(["serve"] if module == "orchestrator" else [])]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert f"RABBITMQ_URL_FILE names {tmp_path}/nothing, which cannot be read" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("module", ["orchestrator", "workers"])
def test_an_address_that_cannot_be_read_keeps_its_password_to_itself(module: str) -> None:
    environment = {**os.environ, "RABBITMQ_URL": "amqp://keepers:secr/et@host/"}
    command = [sys.executable, "-m", module, *(["serve"] if module == "orchestrator" else [])]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "RABBITMQ_URL is no address" in answer.stderr
    assert "secr" not in answer.stderr
