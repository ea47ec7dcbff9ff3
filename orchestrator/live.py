"""Live updates: what the `events` table says, as a stream to every open page.

Telling a page twice is harmless, it only fetches again what it is told of; never telling it is not. So reading and
resuming overlap: a transaction with a lower event id may commit after one with a higher id was seen.
"""

import asyncio
import contextlib
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import asyncpg
import structlog
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import text

from orchestrator.db import Sessions, plain_dsn
from orchestrator.events import BURSTS, CHANNEL, FAILURES, IMPORTS, PHOTOS, RENDITIONS, TASTE
from orchestrator.paging import MAX_ID, RowId
from orchestrator.tasks import end_tasks

log = structlog.get_logger()
router = APIRouter()

_FRAME_SECONDS = 0.25  # at most four frames a second
_MOST_IDS = 1_000  # a page that waits for more than this is better told to start over
_OVERLAP = 500  # event ids that are looked at again, for transactions that committed late
_RECONNECT_SECONDS = 2.0
_CHECK_SECONDS = 30.0  # a read without a notice, in case one was lost

_KINDS = (PHOTOS, IMPORTS, FAILURES, TASTE, BURSTS, RENDITIONS)

Rows = list[tuple[int, str, dict[str, Any]]]  # Any: the event's JSON


@router.get("/api/events", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    since: Annotated[RowId | None, Query(description="the last event that is known already")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Ids of photos, imports and failures that changed. `all` means: too many to name. `reset` means: what happened is
    not known. Either way, fetch again what is shown."""
    live: Live = request.app.state.services.live
    known = min(int(last_event_id), MAX_ID) if last_event_id and last_event_id.isdecimal() else since
    async for event in live.frames(known):
        yield event


class Live:
    """Hears PostgreSQL's notices and hands the new events to every open stream."""

    def __init__(self, sessions: Sessions, listen_dsn: str) -> None:
        self.last_id = 0
        self._sessions = sessions
        self._dsn = plain_dsn(listen_dsn)
        self._clients: set[_Client] = set()
        self._noticed = asyncio.Event()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._listening: asyncio.Task[None] | None = None
        self._heeding: dict[str, Callable[[], None]] = {}
        self._has_begun = False
        self._ended = False

    def heed(self, kind: str, heard: Callable[[], None]) -> None:
        """Have `heard` called after events of this kind, and whenever listening begins."""
        self._heeding[kind] = heard

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._clients)

    async def start(self) -> None:
        """Start to listen. Works while PostgreSQL is away: it is looked for until it is back."""
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        self.end()
        if self._listening:
            await end_tasks([self._listening])

    def open(self) -> None:
        """Let streams open again after `end`."""
        self._ended = False

    def end(self) -> None:
        """End every open stream now. A web server waits for its open answers before it stops."""
        self._ended = True
        for client in self._clients:
            client.wake.set()

    def hang_up(self) -> None:
        """End the streams that are open. Whoever may opens another."""
        for client in self._clients:
            client.is_over = True
            client.wake.set()

    async def frames(self, known: int | None) -> AsyncIterator[ServerSentEvent]:
        """What one page is told, from the event after `known` on."""
        client = _Client(self.last_id)
        self._clients.add(client)
        try:
            await self._catch_up(client, known)
            # The first frame opens the stream; its id is what the page resumes from.
            yield client.frame()
            while not (self._ended or client.is_over):
                await client.wake.wait()
                if client.has_news:
                    yield client.frame()
                client.wake.clear()
                await self._pause()
        finally:
            self._clients.discard(client)

    async def _pause(self) -> None:
        if not self._ended:
            await asyncio.sleep(_FRAME_SECONDS)

    async def _catch_up(self, client: "_Client", known: int | None) -> None:
        if known is None:
            return
        async with self._sessions() as session:
            oldest, newest = (await session.execute(text("SELECT min(id), max(id) FROM events"))).one()
            if newest is None or known + 1 < oldest or known > newest:
                # What followed `known` is forgotten, unless nothing followed it.
                client.is_lost = known != self.last_id
                return
            sql = "SELECT id, kind, data FROM events WHERE id > :known ORDER BY id LIMIT :most"
            found = await session.execute(text(sql), {"known": known - _OVERLAP // 10, "most": _MOST_IDS})
            rows = [(row.id, row.kind, row.data) for row in found]
            client.is_lost = len(rows) == _MOST_IDS  # there may be more
            client.tell(rows)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
                log.warning("live.lost", error=str(exc))
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            connection.add_termination_listener(lambda _: self._noticed.set())
            await connection.add_listener(CHANNEL, lambda *_: self._noticed.set())
            await self._begin(connection)
            while not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._noticed.wait(), _CHECK_SECONDS)
                self._noticed.clear()
                self._tell(await self._new_events(connection))
                await asyncio.sleep(_FRAME_SECONDS / 4)
        finally:
            connection.terminate()

    async def _begin(self, connection: asyncpg.Connection) -> None:
        """The first time, everything there is counts as told, unless a page is open already: it may have come before
        any of it. After a lost connection, what follows the last id is news."""
        if not self._has_begun and not self._clients:
            rows = await connection.fetch("SELECT id FROM events ORDER BY id DESC LIMIT $1", _OVERLAP)
            self._remember([row["id"] for row in reversed(rows)])
        self._has_begun = True
        for heard in self._heeding.values():  # what was told while nobody listened may be forgotten by now
            heard()
        self._noticed.set()

    async def _new_events(self, connection: asyncpg.Connection) -> Rows:
        sql = "SELECT id, kind, data::text FROM events WHERE id > $1 AND id <> ALL($2::bigint[]) ORDER BY id"
        rows = await connection.fetch(sql, self.last_id - _OVERLAP, list(self._seen))
        self._remember([row["id"] for row in rows])
        return [(row["id"], row["kind"], json.loads(row["data"])) for row in rows]

    def _remember(self, ids: list[int]) -> None:
        for id_ in ids:
            self._seen[id_] = None
        self.last_id = max([self.last_id, *ids])
        while self._seen and next(iter(self._seen)) <= self.last_id - _OVERLAP:
            self._seen.popitem(last=False)

    def _tell(self, rows: Rows) -> None:
        for kind in {kind for _, kind, _ in rows} & self._heeding.keys():
            self._heeding[kind]()
        for client in self._clients if rows else ():
            client.tell(rows)


class _Client:
    """What one stream still has to say."""

    def __init__(self, last_id: int) -> None:
        self.wake = asyncio.Event()
        self.is_lost = False
        self.is_over = False
        self.last_id = last_id
        self.has_news = False
        self.is_about_all = False
        self._ids: dict[str, dict[int, None]] = {kind: {} for kind in _KINDS}

    def tell(self, rows: Rows) -> None:
        for id_, kind, data in rows:
            self.last_id = max(self.last_id, id_)
            if kind in self._ids:
                self._ids[kind].update(dict.fromkeys(data.get("ids", ())))
                self.is_about_all |= bool(data.get("all"))
        if self.is_lost or any(len(ids) > _MOST_IDS for ids in self._ids.values()):
            self.is_lost = True
            self._forget()  # a page that has stopped reading takes no memory
        self.has_news = self.has_news or bool(rows)
        if rows:
            self.wake.set()

    def frame(self) -> ServerSentEvent:
        event = ServerSentEvent(event="reset", data={}, id=str(self.last_id)) if self.is_lost else self._news()
        self.is_lost = self.has_news = self.is_about_all = False
        self._forget()
        return event

    def _forget(self) -> None:
        for ids in self._ids.values():
            ids.clear()

    def _news(self) -> ServerSentEvent:
        # Every kind of change moves a queue, so the stages are always worth another look.
        data: dict[str, object] = {kind: list(ids) for kind, ids in self._ids.items()}
        everything = {"all": True} if self.is_about_all else {}
        return ServerSentEvent(data={**data, **everything, "stages": True}, id=str(self.last_id))
