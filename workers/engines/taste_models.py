"""Taste models, read from their files and kept: a large archive is scored by hundreds of requests under one model."""

from shared.claims import ClaimStore, Stored
from shared.taste_model import TasteModel, TasteModelBroken
from workers import metrics
from workers.engines.claimed_arrays import read_bytes


class TasteModels:
    """Keeps the one that was read last."""

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._last: tuple[Stored, TasteModel] | None = None

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

    def _stamp(self, claim: str) -> Stored | None:
        try:
            return self._claims.stat(claim)
        except OSError:
            return None
