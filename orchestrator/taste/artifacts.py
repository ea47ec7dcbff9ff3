"""The files of taste models. A file that is not what was trained is never used."""

import asyncio
import hashlib

from orchestrator.models import TasteModel as Version
from shared.claims import ClaimStore, Stored, path_of
from shared.errors import OutsideRoots
from shared.taste_model import TasteModel, TasteModelBroken


class Artifacts:
    """Reads them, and keeps the one that was read last."""

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._loaded: tuple[Stored, TasteModel] | None = None

    async def load(self, version: Version) -> TasteModel:
        """Raises TasteModelBroken, with a sentence, when the file is gone, cut short or not of this version."""
        return await asyncio.to_thread(self._load, version)

    def _load(self, version: Version) -> TasteModel:
        if version.artifact is None:
            raise TasteModelBroken(f"Version {version.version} has no file: it was never finished.")
        try:
            stamp = self._claims.stat(version.artifact)
            loaded = self._loaded
            if loaded is None or loaded[0] != stamp:
                loaded = stamp, _read(self._claims.read(version.artifact), version)
        except (OSError, OutsideRoots) as exc:
            raise TasteModelBroken(f"The file of version {version.version} is not there any more.") from exc
        self._loaded = loaded
        return loaded[1]


def _read(data: bytes, version: Version) -> TasteModel:
    named = path_of(version.artifact or "").stem.rpartition("-")[2]
    if len(named) == 64 and hashlib.sha256(data).hexdigest() != named:
        raise TasteModelBroken(f"The file of version {version.version} is damaged.")
    model = TasteModel.from_bytes(data)
    if (model.version, model.embedding_model) != (version.version, version.embedding_model):
        raise TasteModelBroken(f"The file of version {version.version} is that of another model.")
    return model
