"""Decoding where derived files lie in an object store: the decode child works in a folder of its own, into which its
files are fetched and from which they are carried away. So it gets no address and no key of the store."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shared.claims import ClaimStore, is_original, path_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert, render
from shared.errors import FileVanished
from shared.settings import Settings
from workers.domain.names import printable_name
from workers.engines.decoder import Decoder
from workers.engines.desks import clean, new_desk
from workers.fetching import fetching


class StagedDecoder:
    """As a Decoder, beside the object store. Not for several threads at once."""

    def __init__(self, settings: Settings, claims: ClaimStore) -> None:
        self._claims = claims
        own = settings.model_copy(update={"keepers_home": new_desk(clean(settings.cache_folder / "decode"))})
        self._home = own.keepers_home
        self._here = FolderClaims(own.claims_folder)
        self._decoder = Decoder(own)

    def convert(self, request: convert.Request, attempt: int = 1) -> convert.Result:
        """The result of the child, or the Verdict that it raised."""
        with self._desk():
            self._fetch_upload(request.file_path)
            result = self._decoder.convert(request, attempt)
            self._keep(result.preview, result.thumbnail)
            return result

    def render(self, request: render.Request, attempt: int = 1) -> render.Result:
        """The result of the child, or the Verdict that it raised."""
        with self._desk():
            with suppress(FileNotFoundError):  # the child can do without
                self._fetch(request.preview)
            result = self._decoder.render(request, attempt)
            self._keep(result.rendition)
            return result

    def close(self) -> None:
        self._decoder.close()
        shutil.rmtree(self._home, ignore_errors=True)

    @contextmanager
    def _desk(self) -> Iterator[None]:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            os.utime(self._home)  # one that was idle for long is not taken for left now
            yield
        finally:
            shutil.rmtree(self._here.folder, ignore_errors=True)

    def _fetch_upload(self, claim: str) -> None:
        """The photo of a placard lies with the derived files. An original is seen to by the decoder."""
        if is_original(claim):
            return
        try:
            self._fetch(claim)
        except FileNotFoundError as exc:
            raise FileVanished(f"{printable_name(claim)} is not there any more.") from exc

    def _fetch(self, claim: str) -> None:
        with fetching():
            self._here.put(str(path_of(claim)), self._claims.read(claim))

    def _keep(self, *claims: str) -> None:
        with fetching():
            for claim in claims:
                self._claims.put(str(path_of(claim)), self._here.read(claim))
