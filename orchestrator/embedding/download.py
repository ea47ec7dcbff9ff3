"""Download one large file over a slow or breaking line: what has arrived is kept, the next try goes on from there."""

import fcntl
import hashlib
import re
import shutil
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shared.errors import KeepersError

CHUNK_BYTES = 1 << 18
TIMEOUT_SECONDS = 30
TRIES_WITHOUT_PROGRESS = 3

Report = Callable[[int, int], None]  # bytes that are here, bytes in all


class DownloadFailed(KeepersError):
    """The download failed."""


class NotThere(DownloadFailed):
    """The server has no such file."""


class NoConnection(DownloadFailed):
    """The server could not be reached, or the line kept breaking. What arrived is kept."""


def download(url: str, target: Path, report: Report, pause_seconds: float = 2) -> None:
    """Put the file at `url` at `target`, in one step once all of it is there; resume from `<target>.part`.

    A broken line is tried again as long as bytes keep coming. The size is checked, and the SHA-256 where the
    server announces one. Raises NotThere, NoConnection, or DownloadFailed; OSError when the disk refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.part").open("ab") as part:
        _lock(part)
        try:
            digest = _all_of_it(url, part, report, pause_seconds)
        except NotThere:
            Path(part.name).unlink()
            raise
        part.flush()
        _verify(Path(part.name), digest)
        Path(part.name).replace(target)


def _lock(part: IO[bytes]) -> None:
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise DownloadFailed("This is being downloaded already.") from exc


def _all_of_it(url: str, part: IO[bytes], report: Report, pause_seconds: float) -> str | None:
    tries = 0
    while True:
        before = part.tell()
        try:
            return _rest_of_it(url, part, report)
        except (URLError, HTTPException, ConnectionError, TimeoutError) as exc:
            _raise_if_refused(exc, url)
            tries = 0 if part.tell() > before else tries + 1
            if tries == TRIES_WITHOUT_PROGRESS:
                raise NoConnection(_reason(exc)) from exc
            time.sleep(pause_seconds)


def _rest_of_it(url: str, part: IO[bytes], report: Report) -> str | None:
    """Append what is missing; the announced SHA-256."""
    note = _NoteDigest()
    request = Request(url, headers={"Range": f"bytes={part.tell()}-"} if part.tell() else {})
    try:
        response = build_opener(note).open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as exc:
        exc.close()
        if exc.code == 416 and _total(exc) == part.tell():  # all of it was here already
            return note.digest
        raise
    with response:
        note.look_at(response.headers)
        if response.status != 206:  # the server sends all of it, whatever was asked for
            part.truncate(0)
            part.seek(0)
        _copy(response, part, _total(response), report)
    return note.digest


def _copy(response: Any, part: IO[bytes], total: int, report: Report) -> None:  # Any: what urllib opens
    _check_space(Path(part.name).parent, total - part.tell())
    while chunk := _chunk(response):
        part.write(chunk)
        report(part.tell(), total)
    if part.tell() < total:
        raise ConnectionError("the line ended early")


def _chunk(response: Any) -> bytes:  # Any: what urllib opens
    try:
        data: bytes = response.read(CHUNK_BYTES)
        return data
    except OSError as exc:  # also TLS errors; told apart from a disk that refuses
        raise ConnectionError(str(exc)) from exc


def _total(response: Any) -> int:  # Any: a response, or the error that urllib makes of one
    span = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    return int(span[1] if span else response.headers.get("Content-Length", 0))


def _check_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise DownloadFailed(
            f"{needed_bytes / 1e9:.1f} GB are still to come, and the disk of {folder} "
            f"has {free_bytes / 1e9:.1f} GB free."
        )


def _raise_if_refused(exc: Exception, url: str) -> None:
    """A plain no does not become a yes by asking again; a fault of the server (5xx), or 429, may."""
    if not isinstance(exc, HTTPError) or exc.code >= 500 or exc.code == 429:
        return
    if exc.code == 404:
        raise NotThere(f"There is no {url}.") from exc
    raise DownloadFailed(f"{url} answered {exc.code} {exc.reason}.") from exc


def _reason(exc: Exception) -> str:
    return str(exc.reason if isinstance(exc, URLError) else exc) or type(exc).__name__


def _verify(part: Path, digest: str | None) -> None:
    if digest is None:
        return
    with part.open("rb") as file:
        arrived = hashlib.file_digest(file, "sha256").hexdigest()
    if arrived != digest:
        part.unlink()
        raise DownloadFailed("What arrived is damaged, and was removed. Try again.")


class _NoteDigest(HTTPRedirectHandler):
    """Follows redirects and keeps the SHA-256 that Hugging Face announces before it hands over to its storage."""

    def __init__(self) -> None:
        self.digest: str | None = None

    def redirect_request(  # urllib's signature, and urllib gives it no types
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> Any:
        self.look_at(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def look_at(self, headers: Any) -> None:
        announced = headers.get("X-Linked-ETag", "").strip('"')
        if re.fullmatch(r"[0-9a-f]{64}", announced):
            self.digest = announced
