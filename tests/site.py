"""The web side over a fresh database: the application without broker and workers, and a client of it."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import BaseRoute

from orchestrator import web
from orchestrator.access.keyring import Keyring
from orchestrator.answers import ERRORS
from orchestrator.backups.service import Backups
from orchestrator.context import Services
from orchestrator.db import migrate, open_engine, open_sessions, plain_dsn
from orchestrator.embedding.background import ClipFetch
from orchestrator.export.service import Exports
from orchestrator.imports.scan import Scanner
from orchestrator.imports.scanning import Scans
from orchestrator.imports.service import Imports
from orchestrator.live import Live
from orchestrator.pipeline import PIPELINE
from orchestrator.preferences.service import PreferencesInForce
from orchestrator.routers import ROUTERS
from orchestrator.server import Server
from orchestrator.tasks import end_tasks
from orchestrator.taste.artifacts import Artifacts
from shared.claims import open_claims
from shared.claims_folder import FolderClaims
from shared.originals_bucket import REST_SECONDS, OriginalsBuckets
from shared.settings import Settings


class Scanning:
    """The scans of an orchestrator, which may be killed and started again."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._task: asyncio.Task[None] | None = None

    def take_up(self) -> None:
        self._task = asyncio.create_task(self._scans.run())

    async def stop(self) -> None:
        if self._task is not None:
            await end_tasks([self._task])


@dataclass(frozen=True)
class Site:
    app: FastAPI
    services: Services
    client: httpx.AsyncClient
    scanning: Scanning

    @property
    def claims(self) -> FolderClaims:
        """Derived files, where no test says otherwise: a folder."""
        assert isinstance(self.services.claims, FolderClaims)
        return self.services.claims

    def session(self) -> AsyncSession:
        return self.services.sessions()

    async def until_somebody_waits_for_a_lock(self) -> None:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        async with asyncio.timeout(60), self.session() as session:
            while not (await session.execute(text(waiting))).first():
                await session.rollback()
                await asyncio.sleep(0.01)


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    nowhere = "http://127.0.0.1:9"  # nothing is ever downloaded
    settings = Settings(keepers_home=tmp_path / "home", database_url=database_url, hf_endpoint=nowhere)
    async with open_site(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
async def migrated_template(postgres_url: str) -> str:
    name = f"template_{uuid.uuid4().hex[:8]}"
    await _administer(postgres_url, f"CREATE DATABASE {name}")
    engine = open_engine(_with_database(postgres_url, name))
    await migrate(engine)
    await engine.dispose()
    return name


@pytest.fixture
async def database_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """A database of its own with the newest schema, dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    await _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY FILE_COPY")
    yield _with_database(postgres_url, name)
    await _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of its own without a schema, dropped after the test."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    await _administer(postgres_url, f"CREATE DATABASE {name}")
    yield _with_database(postgres_url, name)
    await _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def open_site(settings: Settings) -> AsyncIterator[Site]:
    assert settings.database_url is not None
    engine = open_engine(settings.database_url)
    sessions = open_sessions(engine, OriginalsBuckets(settings, REST_SECONDS))
    hub = Live(sessions, settings.database_url)
    claims = open_claims(settings)
    scans = Scans(sessions, Scanner(sessions, settings, _no_relay))
    services = Services(
        settings=settings,
        sessions=sessions,
        claims=claims,
        live=hub,
        keyring=Keyring(sessions, settings, hub.hang_up, fresh_seconds=0),
        pipeline=PIPELINE,
        imports=Imports(sessions, settings, scans.wake),
        clip=ClipFetch(settings),
        artifacts=Artifacts(claims),
        preferences=PreferencesInForce(sessions),
        backups=Backups(settings, sessions, claims),
        exports=Exports(sessions, claims, settings, _no_relay, lambda stage: None),
        wake=_no_relay,
        is_connected=lambda: False,
        trouble_of=lambda stage: None,
        rate_of=lambda stage: None,
    )
    app = an_app(services)
    await services.preferences.load()
    await hub.start()
    scanning = Scanning(scans)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            scanning.take_up()
            yield Site(app, services, client, scanning)
    finally:
        await scanning.stop()
        await services.exports.stop()
        await services.backups.stop()
        await hub.stop()
        await engine.dispose()


@pytest.fixture
async def served(site: Site) -> AsyncIterator[str]:
    """The address of the site on a real web server, for event streams and browsers."""
    async with serve(site) as address:
        yield address


@asynccontextmanager
async def serve(site: Site, port: int = 0) -> AsyncIterator[str]:
    site.services.live.open()
    listening = socket.create_server(("127.0.0.1", port))
    server = Server(uvicorn.Config(site.app, log_level="error", lifespan="off"), lambda: site.services.live)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


def an_app(services: Services) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, responses=ERRORS)
    app.state.services = services
    web.install(app)
    app.router.routes.extend(_routes())
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Of all routers. FastAPI works them out at their first request, for a tenth of a second: once for all tests."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, responses=ERRORS)
    for router in ROUTERS:
        app.include_router(router)
    return app.routes


def _no_relay() -> None:
    """Nothing is published here."""


async def _administer(url: str, sql: str) -> None:
    connection = await asyncpg.connect(plain_dsn(url))
    await connection.execute(sql)
    await connection.close()


def _with_database(url: str, name: str) -> str:
    address, _, query = url.partition("?")
    return address.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
