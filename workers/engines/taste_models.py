"""Taste models, read from their files and kept: a large archive is scored by hundreds of requests under one model."""

from shared.claims import ClaimStore
from shared.taste_model import TasteModel, TasteModelBroken
from workers import metrics
from workers.engines.claimed_arrays import read_bytes

_Stamp = tuple[str, int, int, int]  # claim, inode, size, mtime in ns: a file that was tampered with has another


class TasteModels:
    """Keeps the one that was read last."""

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._last: tuple[_Stamp, TasteModel] | None = None

    def get(self, claim: str) -> TasteModel:
        """Raises TasteModelBroken when the file is gone or is not a taste model, and Hold as `read_bytes` does."""
        stamp = self._stamp(claim)
        if self._last is None or stamp is None or self._last[0] != stamp:
            gone = TasteModelBroken("The file of this taste model is not there any more. Train again to get a new one.")
            model = TasteModel.from_bytes(read_bytes(self._claims, claim, missing=gone))
            metrics.ENGINE_LOADS.labels("taste").inc()
            self._last = (stamp, model) if stamp is not None else None
            return model
        return self._last[1]

    def _stamp(self, claim: str) -> _Stamp | None:
        try:
            found = self._claims.path(claim).stat()
        except OSError:
            return None
        return claim, found.st_ino, found.st_size, found.st_mtime_ns
