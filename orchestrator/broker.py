"""The orchestrator's side of RabbitMQ, and the only module that imports aio_pika."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, ChannelNotFoundEntity

from shared import trace
from shared.topology import Topology

log = structlog.get_logger()

CONNECT_SECONDS = 10
GATHER_SECONDS = 0.01  # how long a batch waits for more after its first message
MAX_BATCH = 200
BrokerError = (AMQPError, ChannelInvalidStateError, ConnectionError, OSError, asyncio.TimeoutError)


@dataclass(frozen=True)
class Outgoing:
    """One message to a stage."""

    stage: str
    run_id: UUID
    attempt: int
    kind: str
    body: bytes
    correlation_id: str
    trace_id: UUID | None = None  # None: a trace of its own
    is_urgent: bool = False


@dataclass(frozen=True)
class Incoming:
    """One message from `results` or `dead-letters`."""

    body: bytes
    message_id: str | None
    routing_key: str
    headers: dict[str, Any]  # Any: AMQP values
    correlation_id: str | None = None


class QueueState(NamedTuple):
    ready: int  # messages
    consumers: int


class Broker:
    """One connection: everything here ends with it. Open a new one with `connect`."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel, names: Topology) -> None:
        self._connection = connection
        self._channel = channel
        self.names = names
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.close_callbacks.add(self._on_close)
        channel.close_callbacks.add(self._on_close)

    @classmethod
    async def connect(cls, url: str, names: Topology) -> "Broker":
        """Connected, with everything of the topology declared. Raises one of BrokerError."""
        connection = await aio_pika.connect(url, timeout=CONNECT_SECONDS)
        try:
            channel = await connection.channel(publisher_confirms=True)
            await _declare(channel, names)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, channel, names)

    async def close(self) -> None:
        await self._connection.close()

    def _on_close(self, _sender: object, error: BaseException | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
            log.info("broker.closed", reason=str(error) if error else None)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Returns when the broker has confirmed every message, all of them under way at once."""
        exchange = await self._channel.get_exchange(self.names.stage_exchange, ensure=False)
        await asyncio.gather(
            *(
                exchange.publish(_message(message), routing_key=self._routing_key(message), mandatory=True)
                for message in messages
            )
        )

    def _routing_key(self, message: Outgoing) -> str:
        return (self.names.urgent_queue if message.is_urgent else self.names.stage_queue)(message.stage)

    async def queue_state(self, queue: str) -> QueueState:
        return (await self.queue_states([queue]))[queue]

    async def queue_states(self, queues: Sequence[str]) -> dict[str, QueueState]:
        channel = await self._connection.channel()
        try:
            return {queue: await _state(channel, queue) for queue in queues}
        finally:
            await channel.close()

    async def is_there(self, queue: str) -> bool:
        channel = await self._connection.channel()
        try:
            await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            return False
        finally:
            if not channel.is_closed:
                await channel.close()
        return True

    async def delete(self, queues: Sequence[str], exchanges: Sequence[str]) -> None:
        """With all that is in them. What is not there is passed over."""
        channel = await self._connection.channel()
        try:
            for queue in queues:
                await channel.queue_delete(queue)
            for exchange in exchanges:
                await channel.exchange_delete(exchange)
        finally:
            await channel.close()

    async def is_new(self, epoch: UUID) -> bool:
        """Whether these queues have never been published to from this database, or were lost since."""
        channel = await self._connection.channel()
        try:
            await channel.declare_exchange(self._epoch_name(epoch), passive=True)
        except ChannelNotFoundEntity:
            return True
        finally:
            if not channel.is_closed:
                await channel.close()
        return False

    async def mark(self, epoch: UUID) -> None:
        """From now on `is_new` is false, until the broker's data is lost."""
        await self._channel.declare_exchange(self._epoch_name(epoch), durable=True)

    def _epoch_name(self, epoch: UUID) -> str:
        return epoch_name(self.names, epoch)

    async def consume(self, queue: str, apply: Callable[[list[Incoming]], Awaitable[None]]) -> None:
        """Hand over batches in order and ack each when `apply` returns. Never nacks; ends with the connection."""
        channel = await self._connection.channel()
        channel.close_callbacks.add(self._on_close)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: self._on_close(queue, None))  # the queue was deleted
        await channel.set_qos(prefetch_count=MAX_BATCH * 2)
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        declared: AbstractQueue = await channel.get_queue(queue, ensure=False)
        await declared.consume(arrived.put)
        while True:
            messages = await _batch(arrived)
            await apply([_incoming(message) for message in messages])
            await messages[-1].ack(multiple=True)


async def _state(channel: AbstractChannel, queue: str) -> QueueState:
    declared = (await channel.declare_queue(queue, passive=True)).declaration_result
    return QueueState(declared.message_count or 0, declared.consumer_count or 0)


async def server_version(url: str) -> str:
    """What a RabbitMQ says of itself, as "3.10.8". Raises one of BrokerError."""
    async with asyncio.timeout(CONNECT_SECONDS), aiormq.connect(url) as connection:
        return str(connection.server_properties.get("version", ""))


def epoch_name(names: Topology, epoch: UUID) -> str:
    """An exchange that says: this database has published to these queues."""
    return f"{names.prefix}.epoch.{epoch}"


async def _declare(channel: AbstractChannel, names: Topology) -> None:
    for exchange in names.exchanges:
        await channel.declare_exchange(exchange.name, exchange.type, durable=True)
    for queue in names.queues:
        await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for binding in names.bindings:
        queue_ = await channel.get_queue(binding.queue, ensure=False)
        await queue_.bind(binding.exchange, routing_key=binding.routing_key)


async def _batch(arrived: "asyncio.Queue[AbstractIncomingMessage]") -> list[AbstractIncomingMessage]:
    messages = [await arrived.get()]
    if arrived.empty():
        await asyncio.sleep(GATHER_SECONDS)
    while len(messages) < MAX_BATCH and not arrived.empty():
        messages.append(arrived.get_nowait())
    return messages


def _message(outgoing: Outgoing) -> aio_pika.Message:
    return aio_pika.Message(
        outgoing.body,
        message_id=str(outgoing.run_id),
        correlation_id=outgoing.correlation_id,
        type=f"{outgoing.kind}.v1",
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        timestamp=datetime.now(UTC),
        headers={
            "attempt": outgoing.attempt,
            "traceparent": trace.traceparent(outgoing.trace_id or outgoing.run_id, outgoing.run_id),
        },
    )


def _incoming(message: AbstractIncomingMessage) -> Incoming:
    return Incoming(
        message.body, message.message_id, message.routing_key or "", dict(message.headers), message.correlation_id
    )
