"""The application: the one place where real things are chosen."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator import events, tallies, web
from orchestrator.access.keyring import Keyring
from orchestrator.backfills.feeding import keep_feeding
from orchestrator.backups.service import Backups
from orchestrator.bursts import detection as bursts
from orchestrator.context import Services
from orchestrator.curation import again, watching
from orchestrator.curation import service as curation
from orchestrator.db import is_passing_trouble, migrate, open_engine, open_sessions
from orchestrator.decision_log.writing import DecisionLog
from orchestrator.embedding import service as embedding
from orchestrator.embedding.background import ClipFetch
from orchestrator.exchange import Exchange
from orchestrator.export.service import Exports
from orchestrator.imports.scan import Scanner
from orchestrator.imports.scanning import Scans
from orchestrator.imports.service import Imports
from orchestrator.lead import Duty, Lead
from orchestrator.live import Live
from orchestrator.metrics import instruments
from orchestrator.outbox import Relay
from orchestrator.photos import sweeper
from orchestrator.pipeline import PIPELINE, Pipeline, limited, stages
from orchestrator.preferences.service import PreferencesInForce
from orchestrator.rejects.background import end_work, keep_settled
from orchestrator.removal.vectors import Forgetting
from orchestrator.renditions import keeping as renditions
from orchestrator.results import ResultApplier
from orchestrator.routers import ROUTERS
from orchestrator.tasks import end_tasks
from orchestrator.taste.artifacts import Artifacts
from orchestrator.taste.keeper import Keeper
from orchestrator.throughput import Throughput
from orchestrator.upkeep import Job, keep_up
from orchestrator.watching.background import Watching
from orchestrator.write_back.background import keep_writing
from shared.claims import ClaimStore, open_claims
from shared.errors import KeepersError
from shared.originals_bucket import REST_SECONDS, OriginalsBuckets
from shared.settings import Settings
from shared.topology import topology

log = structlog.get_logger()

DATABASE_RETRY_SECONDS = 1.0
DISK_THREADS = 32  # a look at a network drive that hangs keeps its thread; with as many as cores few would be left


def create_app(settings: Settings, pipeline: Pipeline = PIPELINE) -> FastAPI:
    """Pages and JSON, and while this orchestrator leads, what goes on in the background. Raises KeepersError when an
    address is missing."""
    if settings.database_url is None or settings.rabbitmq_url is None:
        raise KeepersError("Set DATABASE_URL and RABBITMQ_URL, or run `keepers up`, which brings its own.")
    pipeline = limited(pipeline, {"curate": settings.curate_concurrency})
    app = FastAPI(
        title="Keepers",
        version="0.1.0",
        lifespan=partial(_lifespan, settings=settings, pipeline=pipeline),
        docs_url=None,  # they load scripts from elsewhere; /openapi.json is there
        redoc_url=None,
    )
    web.install(app)
    instruments.begin(stages(pipeline))
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: Settings, pipeline: Pipeline) -> AsyncIterator[None]:
    assert settings.database_url is not None
    assert settings.rabbitmq_url is not None
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="disk"))
    engine = open_engine(settings.database_url)
    sessions = open_sessions(engine, OriginalsBuckets(settings, REST_SECONDS))
    throughput = Throughput()
    relay = Relay(sessions, pipeline, throughput)
    claims = open_claims(settings)
    artifacts = Artifacts(claims)
    taste = Keeper(sessions, claims, artifacts, settings.taste_window_seconds, relay.wake)
    scans = Scans(sessions, Scanner(sessions, settings, relay.wake))

    def on_applied() -> None:
        relay.wake()
        taste.wake()

    def on_ring() -> None:
        relay.wake()
        scans.wake()

    applier = ResultApplier(sessions, pipeline, throughput, settings.probe_seconds, on_applied)
    names = topology(settings.topology_prefix, stages(pipeline), settings.retry_delays_ms)
    exchange = Exchange(settings.rabbitmq_url, names, sessions, pipeline, relay, applier)
    hub = Live(sessions, settings.database_url)
    keyring = Keyring(sessions, settings, hub.hang_up)
    preferences = PreferencesInForce(sessions)
    hub.heed(events.PREFERENCES, preferences.note_change)
    backups = Backups(settings, sessions, claims)
    duties: list[Duty] = [
        scans.run,
        exchange.lead,
        partial(keep_up, sessions, _jobs(settings, claims)),
        partial(keep_writing, sessions, settings.sidecar_delay_seconds),
        partial(keep_feeding, sessions, relay.wake),
        partial(keep_settled, sessions),
        Watching(sessions, settings, relay.wake).run,
        backups.run,
        DecisionLog(sessions, settings.decisions_file).run,
    ]
    if "bursts" in stages(pipeline):  # beside the other jobs: listing all frames takes seconds
        duties.append(partial(keep_up, sessions, [bursts.Keeping(claims)], bursts.EVERY_SECONDS))
    if "train" in stages(pipeline):
        duties.append(taste.run)
    lead = Lead(settings.database_url, duties, [exchange.look_on], on_ring)
    exports = Exports(sessions, claims, settings, lead.ring, exchange.trouble_of)
    app.state.services = Services(
        settings=settings,
        sessions=sessions,
        claims=claims,
        live=hub,
        keyring=keyring,
        pipeline=pipeline,
        imports=Imports(sessions, settings, lead.ring),
        clip=ClipFetch(settings),
        artifacts=artifacts,
        preferences=preferences,
        exports=exports,
        backups=backups,
        wake=lead.ring,
        is_connected=lambda: exchange.is_connected,
        trouble_of=exchange.trouble_of,
        rate_of=throughput.lately,
        leads=lambda: lead.is_held,
        queues=lambda: exchange.queues,
    )
    await _prepare_database(engine, app)
    await hub.start()
    await keyring.start()
    if settings.fetch_clip:
        app.state.services.clip.start()
    background = [asyncio.create_task(lead.run()), asyncio.create_task(preferences.follow())]
    try:
        yield
    finally:
        await end_tasks(background)
        await exports.stop()
        await end_work(app)
        await backups.stop()
        await keyring.stop()
        await hub.stop()
        await engine.dispose()


def _jobs(settings: Settings, claims: ClaimStore) -> list[Job]:
    """What is done now and then."""
    sweeping: list[Job] = [sweeper.Patrol(claims), partial(sweeper.sweep, claims=claims), Forgetting()]
    describing: list[Job] = [watching.Lookout(settings)]
    describing += [partial(job, settings=settings) for job in (watching.count_calls, again.go_on)]
    embeddings: list[Job] = [partial(embedding.choose, settings=settings), embedding.switch_if_complete]
    sweeping.append(renditions.Bound(claims, settings.renditions_max_gb))
    return [tallies.fold, events.forget_old, *embeddings, *describing, *sweeping]


async def _prepare_database(engine: AsyncEngine, app: FastAPI) -> None:
    """Waits for PostgreSQL, and brings what is in there in line with this version and these settings."""
    services: Services = app.state.services
    while True:
        try:
            await migrate(engine, before_upgrade=services.backups.before_upgrade)
            async with services.sessions.begin() as session:
                await embedding.choose(session, services.settings)
                await curation.prepare(session, services.settings)
            await services.preferences.load()
            return
        except KeepersError as exc:
            app.state.refusal = exc  # `keepers serve` ends with it
            raise
        except Exception as exc:  # while it starts, it is there and takes nobody
            if not is_passing_trouble(exc):
                raise
            log.warning("database.unreachable", error=str(exc).partition("\n")[0])
            await asyncio.sleep(DATABASE_RETRY_SECONDS)
