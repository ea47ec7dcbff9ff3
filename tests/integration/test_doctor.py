"""`keepers doctor`, of a Keepers that is open, closed, or only half set up."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.__main__ import main
from orchestrator.doctor import machine
from orchestrator.doctor.checks import Patient
from orchestrator.doctor.command import examine
from shared.settings import Settings
from tests import factories
from tests.site import Site

NOWHERE = "127.0.0.1:9"  # nobody listens there


async def found(settings: Settings, services: dict[str, Any] | None = None) -> dict[str, tuple[str, str, str | None]]:
    checks = await examine(Patient(settings, services or {}))
    return {check.name: (check.state, check.sentence, check.command) for check in checks}


def about(tmp_path: Path, **fields: Any) -> Settings:
    return Settings(**{"keepers_home": tmp_path / "home", "llm_default_base_url": f"http://{NOWHERE}/v1/", **fields})


def test_a_machine_on_which_nothing_was_started_yet_is_well_and_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEPERS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLM_DEFAULT_BASE_URL", f"http://{NOWHERE}/v1/")
    for name in ("DATABASE_URL", "RABBITMQ_URL", "LLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert {"name": "home", "state": "ok", "command": "keepers up"}.items() <= said["checks"][0].items()
    assert not (tmp_path / "home").exists()
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("Keepers can work.\n")
    assert "keepers models fetch clip\n" in out


def test_what_is_missing_is_said_with_the_status_1_and_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEPERS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:hidden@{NOWHERE}/keepers")
    monkeypatch.setenv("RABBITMQ_URL", f"amqp://me:hidden@{NOWHERE}/")
    monkeypatch.setenv("PHOTO_LIBRARY", str(tmp_path / "nowhere"))
    monkeypatch.setenv("LLM_BASE_URL", f"http://{NOWHERE}/v1/")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    lines = {line.split()[1]: line.split()[0] for line in out.splitlines() if line.startswith(("missing", "warning"))}
    assert lines == {
        "postgresql": "missing", "rabbitmq": "missing", "libraries": "missing", "descriptions": "warning",
    }  # fmt: skip
    assert f"PostgreSQL does not answer at {NOWHERE}" in out
    assert "hidden" not in out


async def test_an_open_keepers_says_what_stands_still_and_what_failed(
    site: Site, rabbitmq_url: str, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    async with site.services.sessions.begin() as session:
        here = await factories.a_root(session, str(tmp_path))
        await factories.a_root(session, "/nowhere/cards", state="offline")
        await factories.a_dead_letter(session, await factories.a_photo(session, here))
        await session.execute(text("INSERT INTO stage_pauses (stage) VALUES ('embed')"))
        await session.execute(
            text("INSERT INTO breakers (key, stage, cause) VALUES ('claims', 'convert', 'The disk is full.')")
        )
    settings = about(tmp_path, database_url=site.services.settings.database_url, rabbitmq_url=rabbitmq_url)
    seen = await found(settings, {"address": f"http://{NOWHERE}"})
    assert seen["postgresql"][0] == seen["rabbitmq"][0] == "ok"
    assert "pgvector 0." in seen["postgresql"][1]
    assert seen["keepers"] == (
        "warning", f"Keepers was opened at http://{NOWHERE}, and does not answer there.", "keepers up",
    )  # fmt: skip
    assert seen["drives"][:2] == (
        "warning", "Not here: /nowhere/cards. What waits for them goes on when they are connected.",
    )  # fmt: skip
    assert seen["stages"][1] == (
        "embed is paused: resume it in the pipeline of the page. convert waits: The disk is full."
    )
    assert seen["problems"][1].startswith("1 failed for good.")
    async with site.services.sessions.begin() as session:
        await session.execute(text("ALTER TABLE roots RENAME TO away"))
    seen = await found(settings)
    assert ("drives" in seen, seen["problems"][0]) == (False, "warning")


async def test_a_stage_that_nobody_works_on_is_said(site: Site, served: str, tmp_path: Path) -> None:
    assert (await found(about(tmp_path), {"address": served}))["workers"][0] == "ok"
    nobody = "No worker is there for this."
    site.app.state.services = replace(site.services, trouble_of=lambda stage: nobody if stage == "convert" else None)
    assert (await found(about(tmp_path), {"address": served}))["workers"] == ("warning", nobody, "keepers-worker")


async def test_a_database_of_a_newer_keepers_is_told_apart_from_one_that_is_empty(
    site: Site, empty_database_url: str, tmp_path: Path
) -> None:
    assert "It is empty" in (await found(about(tmp_path, database_url=empty_database_url)))["postgresql"][1]
    async with site.services.sessions.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    state, sentence, _ = (await found(about(tmp_path, database_url=site.services.settings.database_url)))["postgresql"]
    assert (state, "of a newer Keepers" in sentence) == ("missing", True)


async def test_photos_are_sent_to_no_host_that_there_is_no_yes_for(tmp_path: Path) -> None:
    settings = about(tmp_path, llm_base_url="https://api.example.com/v1/")
    state, sentence, _ = (await found(settings))["descriptions"]
    assert (state, "api.example.com, for which there is no yes yet" in sentence) == ("warning", True)


async def test_weights_that_are_named_and_not_there_are_missing(tmp_path: Path) -> None:
    seen = await found(about(tmp_path, clip_pretrained=str(tmp_path / "clip.safetensors")))
    assert seen["embedding"][0] == "missing"


def test_a_home_that_is_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert machine.home(Patient(about(tmp_path))).state == "missing"


def test_a_port_that_is_taken_and_few_watches_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(machine, "DEFAULT_PORT", taken.getsockname()[1])
        assert machine.port(Patient(about(tmp_path))).sentence.startswith("Another program has port")
    (tmp_path / "limit").write_text("8192\n")
    check = machine.watches(Patient(about(tmp_path)), tmp_path / "limit")
    assert (check.state, check.command) == ("warning", "sudo sysctl fs.inotify.max_user_watches=524288")
