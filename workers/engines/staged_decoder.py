"""Decoding where derived files lie in an object store: the decode child works in a folder of its own, into which its
files are fetched and from which they are carried away. So it gets no address and no key of the store."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.claims import ClaimStore, path_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert, render
from shared.errors import FileVanished
from shared.settings import Settings
from workers.domain.names import printable_name
from workers.engines.decoder import Decoder
from workers.fetching import fetching

LEFT_SECONDS = 3600  # a folder that was not touched for so long was left by a worker that was killed


class StagedDecoder:
    """As a Decoder, beside the object store. Not for several threads at once."""

    def __init__(self, settings: Settings, claims: ClaimStore) -> None:
        self._claims = claims
        desks = settings.cache_folder / "decode"
        desks.mkdir(parents=True, exist_ok=True)
        _clear(desks, time.time() - LEFT_SECONDS)
        own = settings.model_copy(update={"keepers_home": Path(tempfile.mkdtemp(dir=desks))})
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
            yield
        finally:
            shutil.rmtree(self._here.folder, ignore_errors=True)

    def _fetch_upload(self, claim: str) -> None:
        """The photo of a placard lies with the derived files. An original is read by the child itself."""
        if path_of(claim).is_absolute():
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


def _clear(desks: Path, touched_before: float) -> None:
    for desk in desks.iterdir():
        with suppress(FileNotFoundError):  # another worker starts as well
            if desk.stat().st_mtime < touched_before:
                shutil.rmtree(desk, ignore_errors=True)
