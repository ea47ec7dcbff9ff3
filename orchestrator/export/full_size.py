"""Pictures with every pixel, made by the stage `render`, for the thread that exports."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.renditions import queries, service
from orchestrator.stages.names import stage_name
from orchestrator.stages.queries import paused_since
from shared.claims import ClaimStore
from shared.errors import KeepersError

_LOOK_SECONDS = 0.2
T = TypeVar("T")


class NotRendered(KeepersError):
    """This photo cannot be rendered in full size."""


class FullSize:
    """`of` blocks; the workers' answers are waited for on the event loop that this was made on."""

    def __init__(
        self,
        sessions: Sessions,
        claims: ClaimStore,
        wake: Callable[[], None],
        trouble_of: Callable[[str], str | None],
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._wake = wake
        self._trouble_of = trouble_of
        self._loop = asyncio.get_running_loop()

    def of(self, photo_id: int, ahead: Sequence[int], heed: Callable[[], None]) -> bytes:
        """A JPEG. `ahead` is what will be asked for next; `heed` raises what ends the waiting. Raises NotRendered, and
        OSError when it is gone again."""
        while True:
            heed()
            try:
                data = self._once(photo_id, ahead)
            except (DBAPIError, ConnectionError) as exc:  # a database that restarts costs time, and no photo
                if not is_passing_trouble(exc):
                    raise
                data = None
            if data is not None:
                return data
            time.sleep(_LOOK_SECONDS)

    def _once(self, photo_id: int, ahead: Sequence[int]) -> bytes | None:
        """None while a worker is at it."""
        answer = self._on_loop(service.wish_alone(self._sessions, self._claims, [photo_id, *ahead]))
        self._wake()
        is_ready = any(one.id == photo_id for one in answer.ready)
        if is_ready and (data := self._on_loop(self._read(photo_id))):
            return data
        for one in answer.failed:
            if one.id == photo_id:
                raise NotRendered(one.message)
        if trouble := self._trouble_of(service.STAGE) or self._on_loop(self._pause()):
            raise NotRendered(trouble)
        return None

    async def _pause(self) -> str | None:
        async with self._sessions() as session:
            is_paused = service.STAGE in await paused_since(session)
        return f"The stage {stage_name(service.STAGE)} is paused. Resume it, then export again." if is_paused else None

    async def _read(self, photo_id: int) -> bytes | None:
        """None when the photo was removed, or converted from other bytes, just now."""
        async with self._sessions() as session:
            (photo,) = await queries.asked(session, [photo_id], "full")
        in_preview = photo.preview if photo.has_all_in_preview else None
        claim = photo.made.claim if photo.made else in_preview
        return await asyncio.to_thread(self._claims.read, claim) if claim else None

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine may yield and be sent
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
