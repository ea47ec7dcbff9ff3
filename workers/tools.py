"""What handlers work with, loaded on first use and kept for the life of the process."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.claims import open_claims
from shared.settings import Settings

if TYPE_CHECKING:
    from workers.engines.decoder import Decoder
    from workers.engines.embedders import Embedders
    from workers.engines.staged_decoder import StagedDecoder
    from workers.engines.taste_models import TasteModels
    from workers.engines.vision import VisionModel


class Tools:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.claims = open_claims(settings)
        self.attempt = 1  # of the request that is worked alone; the runner sets it

    @cached_property
    def decoder(self) -> "Decoder | StagedDecoder":
        if self.settings.claims_url is not None:
            from workers.engines.staged_decoder import StagedDecoder

            return StagedDecoder(self.settings, self.claims)
        from workers.engines.decoder import Decoder

        return Decoder(self.settings)

    @cached_property
    def embedders(self) -> "Embedders":
        from workers.engines.embedders import Embedders

        return Embedders(self.settings)

    @cached_property
    def taste_models(self) -> "TasteModels":
        from workers.engines.taste_models import TasteModels

        return TasteModels(self.claims)

    @cached_property
    def vision(self) -> "VisionModel":
        from workers.engines.vision import VisionModel

        return VisionModel(self.settings)

    def close(self) -> None:
        """End what was started. Safe to call when nothing was."""
        for name in ("decoder", "vision"):
            started = self.__dict__.get(name)
            if started is not None:
                started.close()
