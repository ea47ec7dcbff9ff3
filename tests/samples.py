"""The sample archive, made once for a whole run: its pictures take some ten seconds."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.samples import make_samples


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder to read from. The processes of a run share it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if hasattr(request.config, "workerinput") else own) / "samples"
    if not folder.exists():
        half = own / "samples.half"
        make_samples(half)
        with suppress(OSError):  # another process was faster
            half.rename(folder)
    return folder


def put_samples(samples: Path, folder: Path) -> None:
    shutil.copytree(samples, folder, dirs_exist_ok=True)
