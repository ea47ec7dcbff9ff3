"""Exporting by the command line, through a Keepers that is open."""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.embedded.client import Client, NotAnswering
from orchestrator.export import command
from shared.errors import KeepersError
from tests.exporting import Desk
from tests.site import serve


class Restarting(Client):
    """A Keepers that does not answer once, and at whose next answer somebody presses Ctrl-C."""

    def __init__(self) -> None:
        super().__init__("")
        self.asked: list[str] = []
        self._seen = {"id": "7", "state": "running", "done": 1, "total": 2, "exported": 1, "already": 0, "left": 0}
        self._seen |= {"dry_run": False, "refresh": False, "not_exported": [], "target": "/website", "error": None}

    def start_export(self, wish: dict[str, Any]) -> dict[str, Any]:
        return dict(self._seen)

    def export(self, export_id: str) -> dict[str, Any]:
        self.asked.append(export_id)
        if len(self.asked) < 3:
            raise (NotAnswering(), KeyboardInterrupt())[len(self.asked) - 1]
        return dict(self._seen)

    def stop_export(self, export_id: str) -> None:
        self.asked.append(f"stop {export_id}")
        self._seen |= {"state": "failed", "error": "The export was stopped."}


def test_the_command_lives_through_a_restart_and_ctrl_c_stops_the_export(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    client = Restarting()
    assert command.watched(client, tmp_path, {}, sys.stdout, lambda: None) == 1
    assert client.asked == ["7", "7", "stop 7", "7"]
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "1 exported to /website, 0 there already."
    assert said.err == "The export was stopped.\n"


async def test_the_command_exports_through_the_open_keepers(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await desk.photo("a.jpg")
    settings = desk.site.services.settings
    wishes = {"project": None, "full_size": False, "gps": False, "dry_run": False, "refresh": False}
    out = io.StringIO()
    with pytest.raises(KeepersError, match="keepers up"):
        await asyncio.to_thread(command.export, settings, desk.target, wishes, out)
    async with serve(desk.site) as address:
        (settings.keepers_home / "run" / "services.json").write_text(json.dumps({"address": address}))
        assert await asyncio.to_thread(command.export, settings, desk.target, wishes, out) == 0
    assert out.getvalue().splitlines()[-1] == f"1 exported to {desk.target}, 0 there already."
    assert desk.files == ["a.jpg", "photos.json"]
