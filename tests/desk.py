"""A folder of photos and a claims folder, to convert with."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.claims import claim_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert
from shared.settings import Settings
from workers.engines.conversion import convert_file


class Desk:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "photos"
        self.root.mkdir()
        self.settings = Settings(keepers_home=folder / "home")
        self.claims = FolderClaims(self.settings.claims_folder, (self.root,))

    def write(self, name: str | bytes, data: bytes) -> Path:
        path = self.root / os.fsdecode(name)
        path.write_bytes(data)
        return path

    def request(self, path: Path, companion: Path | None = None) -> convert.Request:
        return convert.Request(
            photo_id=1,
            file_path=claim_of(path),
            root=claim_of(self.root),
            root_key="root:1",
            companion=claim_of(companion) if companion else None,
        )

    def result(self, name: str | bytes, data: bytes, companion: Path | None = None) -> convert.Result:
        return convert_file(self.request(self.write(name, data), companion), self.settings, self.claims)

    def preview(self, result: convert.Result) -> NDArray[np.int_]:
        with self.claims.open(result.preview) as file:
            return np.asarray(Image.open(file).convert("RGB")).astype(int)
