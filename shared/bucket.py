"""A bucket of an object store that speaks S3. The one module that knows the library."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.bucket_trouble import EVERYTHING, sentence, status_of
from shared.claims import ByteRange, Download
from shared.errors import BucketAway, KeepersError
from shared.settings import Settings

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import S3Config, S3Store

PART_BYTES = 8 * 1024 * 1024  # each in a request of its own, so that the time-out is of so much and not of all
CHUNK_BYTES = 256 * 1024  # on the way to a browser
CONNECT_SECONDS = 5
TRIES_AGAIN = 2
_NOWHERE = "keepers-looks-whether-the-bucket-is-there/"


class Bucket:
    """Objects below an address `s3://bucket/prefix`. Keys are relative to it.

    Everything raises BucketAway, a Hold with the breaker `key`, when the environment is to blame, FileNotFoundError
    when only the object is missing, and PermissionError when only it is refused. Calls block, but for `deliver`; all
    of it may be used by several threads.
    """

    def __init__(self, url: str, settings: Settings, key: str, rights: str = EVERYTHING) -> None:
        """`rights`: what the person has to allow, said where the store refuses."""
        self.url = url
        self.key = key
        self._rights = rights
        self._seconds = settings.claims_timeout_seconds
        self._at = f"{url} at {_endpoint(settings)}"
        self.store = _open(url, settings)

    def read(self, key: str) -> bytes:
        import obstore

        with self.speaking(key):
            found = obstore.get(self.store, key)
            size = found.meta["size"]
            if size <= PART_BYTES:
                return bytes(found.bytes())
            starts = range(0, size, PART_BYTES)
            parts = [obstore.get_range(self.store, key, start=n, end=min(n + PART_BYTES, size)) for n in starts]
            return b"".join(parts)

    def stat(self, key: str) -> "ObjectMeta":
        import obstore

        with self.speaking(key):
            return obstore.head(self.store, key)

    def put(self, key: str, data: bytes | Path) -> None:
        """In parts when it is large; readers see it once all of it is there."""
        import obstore

        size = data.stat().st_size if isinstance(data, Path) else len(data)
        with self.speaking(None):
            obstore.put(self.store, key, data, use_multipart=size > PART_BYTES, chunk_size=PART_BYTES)

    def remove(self, key: str) -> None:
        import obstore

        with self.speaking(None):
            obstore.delete(self.store, key)

    def list(self, folder: str, after: str | None = None) -> Iterator[Sequence["ObjectMeta"]]:
        """All below this folder, or what follows a key in it, some hundred at a time, as the store gives them: S3 does
        so in the order of the bytes of their keys."""
        import obstore

        with self.speaking(None):
            yield from obstore.list(self.store, folder or None, offset=after, chunk_size=1000)

    async def deliver(self, key: str, wanted: ByteRange | None) -> Download:
        """The bytes on their way to a browser; all of them where the wish goes beyond the end."""
        import obstore

        try:
            found = await obstore.get_async(self.store, key, options=_options(wanted))
        except Exception as exc:  # the library's own, which are told apart by what they say
            if wanted is not None and status_of(exc) == 416:
                return await self.deliver(key, None)
            await asyncio.to_thread(self._translate, exc, key)
            raise
        meta = found.meta
        first, beyond = found.range
        return Download(meta["size"], first, beyond, meta["last_modified"].timestamp(), _chunks(found))

    def refuses_alone(self, key: str, exc: Exception) -> bool:
        """Whether it is only this object that is refused, and not all of them."""
        return False

    @contextmanager
    def speaking(self, key: str | None) -> Iterator[None]:
        """`key`: the object that may be missing; None where nothing but the bucket can be."""
        try:
            yield
        except KeepersError:
            raise
        except Exception as exc:  # the library's own, which are told apart by what they say
            self._translate(exc, key)
            raise

    def _translate(self, exc: Exception, key: str | None) -> None:
        """Raises what it means. Returns for a mistake of ours."""
        if isinstance(exc, FileNotFoundError):
            if key is not None and self._is_there():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self.url}/{key}") from None
            raise self._away(404, exc) from exc
        if isinstance(exc, (ValueError, TypeError)):
            return
        if status_of(exc) == 403 and key is not None and self.refuses_alone(key, exc):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"{self.url}/{key}") from exc
        raise self._away(status_of(exc), exc) from exc

    def _is_there(self) -> bool:
        """Whether it is only the object that is missing: the answer to HEAD is the same without the bucket."""
        for _ in self.list(_NOWHERE):
            break
        return True

    def _away(self, status: int | None, exc: Exception) -> BucketAway:
        return BucketAway(sentence(status, str(exc), self._at, self._seconds, self._rights), key=self.key)


def _open(url: str, settings: Settings) -> "S3Store":
    try:
        from obstore.store import S3Store
    except ImportError as exc:
        raise KeepersError("An object store needs one more package: pip install 'keepers[objects]'.") from exc
    parts = urlsplit(url)
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=_config(settings),
        client_options={
            "allow_http": _endpoint(settings).startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": timedelta(seconds=settings.claims_timeout_seconds),
        },
        retry_config={
            "max_retries": TRIES_AGAIN,
            "retry_timeout": timedelta(seconds=2 * settings.claims_timeout_seconds),
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


def _config(settings: Settings) -> "S3Config":
    config: S3Config = {
        "region": settings.aws_region,
        "endpoint": _endpoint(settings),  # named always: the library would take an empty variable for an address
        "virtual_hosted_style_request": False,  # servers of one's own seldom have a name for each bucket
    }
    if settings.aws_access_key_id is not None:
        config["access_key_id"] = settings.aws_access_key_id
    if settings.aws_secret_access_key is not None:
        config["secret_access_key"] = settings.aws_secret_access_key.get_secret_value()
    return config


def _endpoint(settings: Settings) -> str:
    return settings.aws_endpoint_url or f"https://s3.{settings.aws_region}.amazonaws.com"


def _options(wanted: ByteRange | None) -> "GetOptions":
    if wanted is None:
        return {}
    if wanted.first is None:
        return {"range": {"suffix": wanted.last or 0}}
    return {"range": {"offset": wanted.first} if wanted.last is None else (wanted.first, wanted.last + 1)}


async def _chunks(found: "GetResult") -> AsyncIterator[bytes]:
    async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(chunk)
