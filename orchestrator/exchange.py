"""The conversation with the broker: connect, reconcile, then relay and apply until the connection ends; again. Only the
orchestrator that leads has it; the others stay connected and look on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import structlog
from sqlalchemy import text

from orchestrator import identity_lock, runs
from orchestrator.broker import Broker, BrokerError
from orchestrator.db import Sessions
from orchestrator.failures.filing import DeadLetterFiler
from orchestrator.metrics import queues
from orchestrator.outbox import Relay
from orchestrator.pipeline import Pipeline
from orchestrator.results import ResultApplier
from orchestrator.retiring import earlier, retire
from shared.topology import Topology

log = structlog.get_logger()

RECONNECT_SECONDS = 1.0
LOST_CHECK_SECONDS = 60.0


class Exchange:
    """Outlives every outage of the broker and of the database."""

    def __init__(
        self,
        url: str,
        names: Topology,
        sessions: Sessions,
        pipeline: Pipeline,
        relay: Relay,
        applier: ResultApplier,
    ) -> None:
        self._url = url
        self._names = names
        self._sessions = sessions
        self._pipeline = pipeline
        self._relay = relay
        self._applier = applier
        self._filer = DeadLetterFiler(sessions, names)
        self.is_connected = False
        self.queues: queues.Queues = {}

    def trouble_of(self, stage: str) -> str | None:
        """Why nothing of this stage can go on, in a sentence; None when it can."""
        if not self.is_connected:
            return "RabbitMQ does not answer. What waits goes on when it is back."
        if self._relay.is_refused:
            return "RabbitMQ takes no messages: its disk or its memory is at the limit. What waits goes on after that."
        if stage in self._relay.stages_without_workers():
            return f"No worker is there for this. `keepers up` starts one; elsewhere type `keepers-worker {stage}`."
        return None

    async def lead(self) -> None:
        """Until cancelled."""
        await self._stay_connected(self._converse)

    async def look_on(self) -> None:
        """Until cancelled: know how the broker and the workers do, publish and apply nothing."""
        await self._stay_connected(self._look_on)

    async def _stay_connected(self, converse: Callable[[Broker], Awaitable[None]]) -> None:
        while True:
            try:
                broker = await Broker.connect(self._url, self._names)
            except BrokerError as exc:
                log.warning("broker.unreachable", error=str(exc))
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            try:
                await converse(broker)
            except* Exception as group:
                log.warning("broker.conversation_ended", errors=[repr(error) for error in group.exceptions])
            finally:
                self.is_connected = False
                with suppress(*BrokerError):
                    await broker.close()
            if (me := asyncio.current_task()) and me.cancelling():
                raise asyncio.CancelledError  # a group of which one failed meanwhile tells of that alone
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _converse(self, broker: Broker) -> None:
        epoch = await self._reconcile(broker)
        answering = [old for old in earlier(self._names) if not await retire(broker, old, epoch)]
        self.is_connected = True
        log.info("broker.connected")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run(broker))
            group.create_task(broker.consume(self._names.result_queue, self._applier.apply))
            group.create_task(broker.consume(self._names.dead_letter_queue, self._filer.file))
            for old in answering:
                group.create_task(broker.consume(old.result_queue, self._applier.apply))
                group.create_task(broker.consume(old.dead_letter_queue, DeadLetterFiler(self._sessions, old).file))
            group.create_task(self._look_for_lost(broker))
            group.create_task(queues.watch(broker, self.queues))
            group.create_task(_end_with(broker))

    async def _look_on(self, broker: Broker) -> None:
        self.is_connected = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.look_on(broker))
            group.create_task(queues.watch(broker, self.queues))
            group.create_task(_end_with(broker))

    async def _reconcile(self, broker: Broker) -> UUID:
        """A broker that does not know this database has lost its data, or has the queues of an earlier version only:
        what was out goes out again."""
        async with self._sessions.begin() as session:
            epoch = (await session.execute(text("SELECT id FROM broker_epoch"))).scalar_one()
            if await broker.is_new(epoch):
                await identity_lock.take(session)
                count = await runs.requeue_unanswered(session)
                log.warning("broker.is_new", requeued=count)
        await broker.mark(epoch)
        found: UUID = epoch
        return found

    async def _look_for_lost(self, broker: Broker) -> None:
        """By age alone a run is published again only past its whole retry budget and with its queues empty:
        slow is not lost."""
        while True:
            await asyncio.sleep(LOST_CHECK_SECONDS)
            retries = [queue.name for queue in self._names.queues if ".retry." in queue.name]
            if any([(await broker.queue_state(name))[0] for name in retries]):
                continue
            for step in self._pipeline:
                ready, _ = await broker.queue_state(self._names.stage_queue(step.stage))
                if ready == 0:
                    async with self._sessions.begin() as session:
                        await identity_lock.take(session)
                        await runs.requeue_lost(session, step.stage, step.retry_budget_seconds)


async def _end_with(broker: Broker) -> None:
    await broker.closed
    raise ConnectionError("the connection to the broker is closed")
