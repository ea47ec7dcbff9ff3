"""The one consumer, on pika's event loop. The loop's thread never works.

A delivery is acked only when the broker has confirmed its answer.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pika
import structlog
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from shared.contracts.answers import Done
from shared.topology import Topology
from workers import reporting
from workers.runner import Delivery
from workers.stage import Stage
from workers.workbench import Task, Workbench

log = structlog.get_logger()

RECONNECT_SECONDS = 1.0
TICK_SECONDS = 0.2
MOST_ATTEMPTS = 1_000


class Consumer:
    """Consumes the queues of some stages until `stop`."""

    def __init__(self, url: str, names: Topology, stages: list[Stage], workbench: Workbench) -> None:
        self.names = names
        self.stages = stages
        self.workbench = workbench
        self.stopping = False
        self._parameters = pika.URLParameters(url)

    def run(self) -> None:
        """Reconnects until stopped; returns when the last outcome is acked."""
        while not self.stopping:
            session = Session(self, self._parameters)
            session.run()
            if not self.stopping:
                session.loop.close()
                time.sleep(RECONNECT_SECONDS)
        self.workbench.close()

    def stop(self) -> None:
        """Drain: take nothing new, finish what is in work, publish it, disconnect. Safe in a signal handler."""
        self.stopping = True


@dataclass
class Settlement:
    task: Task
    begun_at: float = field(default_factory=time.perf_counter)
    unconfirmed: int = 0


class Session:
    """One connection and all that dies with it: tags, consumers, confirms."""

    def __init__(self, consumer: Consumer, parameters: pika.URLParameters) -> None:
        self._consumer = consumer
        self._workbench = consumer.workbench
        self._names = consumer.names
        self._confirms: dict[int, Settlement] = {}
        self._published = 0
        self._consumers: dict[str, str] = {}  # queue -> consumer tag
        self._wide: set[str] = set()  # stages whose prefetch is a whole batch
        self._channel: Channel | None = None
        self.is_open = False
        self._connection = SelectConnection(
            parameters,
            on_open_callback=self._on_connected,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )
        self.loop = self._connection.ioloop

    def run(self) -> None:
        """Until the connection ends, for whatever reason."""
        self.loop.start()
        self.is_open = False
        self._workbench.detach()

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.loop.add_callback_threadsafe(callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.loop.call_later(seconds, callback)

    def close(self) -> None:
        self.is_open = False
        if self._connection.is_open:
            self._connection.close()
        else:
            self.loop.stop()

    def cancel(self) -> None:
        for tag in self._consumers.values():
            if self._channel is not None and self._channel.is_open:
                self._channel.basic_cancel(tag)
        self._consumers.clear()

    def _on_connected(self, connection: Any) -> None:  # Any: pika's connection, untyped
        connection.add_on_connection_blocked_callback(lambda *_: log.warning("broker.blocked"))
        connection.add_on_connection_unblocked_callback(lambda *_: log.info("broker.unblocked"))
        connection.channel(on_open_callback=self._on_channel)

    def _on_lost(self, _connection: Any, reason: Any) -> None:  # Any: pika's connection and reason, untyped
        if not self._consumer.stopping:
            log.warning("broker.lost", reason=str(reason))
        self.is_open = False
        self.loop.stop()

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.add_on_cancel_callback(self._on_cancelled)
        self._declare(deque(self._declarations(channel)))

    def _on_channel_closed(self, _channel: Any, reason: Any) -> None:  # Any: pika's channel and reason, untyped
        if self._connection.is_open:
            log.warning("broker.channel_closed", reason=str(reason))
            self.close()

    def _on_cancelled(self, _frame: Any) -> None:  # Any: pika's frame, untyped
        log.warning("broker.queue_gone")
        self.close()  # reconnecting declares everything again

    def _declarations(self, channel: Channel) -> list[Callable[..., None]]:
        names = self._names
        exchange, queue, bind = channel.exchange_declare, channel.queue_declare, channel.queue_bind
        return [
            *(partial(exchange, e.name, e.type, durable=True) for e in names.exchanges),
            *(partial(queue, q.name, durable=True, arguments=dict(q.arguments)) for q in names.queues),
            *(partial(bind, b.queue, b.exchange, b.routing_key) for b in names.bindings),
        ]

    def _declare(self, left: "deque[Callable[..., None]]") -> None:
        if left:
            left.popleft()(callback=lambda _: self._declare(left))
        else:
            self._ready()

    def _ready(self) -> None:
        assert self._channel is not None
        self._channel.confirm_delivery(self._on_confirm)
        self.is_open = True
        log.info("broker.consuming", stages=[stage.name for stage in self._consumer.stages])
        for stage in self._consumer.stages:
            self._consume(self._names.urgent_queue(stage.name), stage, 1)
            self._consume(self._names.stage_queue(stage.name), stage, 1)
        self._workbench.attach(self)
        self._tick()

    def _tick(self) -> None:
        """A signal handler may set a flag and no more: look at it now and then."""
        self._workbench.beat()
        if self._consumer.stopping:
            self.cancel()
            self._workbench.forget_waiting()
            if not self._workbench.is_working and not self._confirms:
                self.close()
                return
        self.loop.call_later(TICK_SECONDS, self._tick)

    def _consume(self, queue: str, stage: Stage, prefetch: int) -> None:
        assert self._channel is not None
        self._channel.basic_qos(prefetch_count=prefetch)
        self._consumers[queue] = self._channel.basic_consume(queue, partial(self._on_message, stage))

    def widen(self, task: Task) -> None:
        """Prefetch a whole batch once a first delivery of the stage was taken that nobody had taken before.

        Until then one at a time: if one of the deliveries that killed a worker kills this one too, no other is
        counted as delivered.
        """
        stage = task.stage
        if stage.batch == 1 or task.redelivered or stage.name in self._wide or not self.is_open:
            return
        self._wide.add(stage.name)
        queue = self._names.stage_queue(stage.name)
        if self._channel is not None and (tag := self._consumers.pop(queue, None)) is not None:
            self._channel.basic_cancel(tag, callback=lambda _: self._consume_wide(queue, stage))

    def _consume_wide(self, queue: str, stage: Stage) -> None:
        if not self._consumer.stopping:
            self._consume(queue, stage, stage.batch)

    def _on_message(
        self, stage: Stage, _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        if self._consumer.stopping or not self.is_open:
            return  # not begun: the broker delivers it again
        headers = properties.headers or {}
        count = int(headers.get("x-delivery-count", 0))
        header_attempt = _attempt(headers.get("attempt"))
        self._workbench.accept(
            Task(
                key=(properties.message_id or f"tag {method.delivery_tag} of {id(self)}", header_attempt),
                stage=stage,
                delivery=Delivery(
                    body,
                    _run_id(properties),
                    header_attempt + count,
                    properties.correlation_id,
                    headers.get("traceparent"),
                ),
                properties=properties,
                routing_key=method.routing_key,
                redelivered=count > 0,
                line=self,
                tag=method.delivery_tag,
            )
        )

    def settle(self, task: Task) -> None:
        """Publish what the outcome says; ack or reject when all of it is confirmed.

        Of work that outlived its delivery only a success is told, at once: the broker may have given the message up
        by then, and a success counts over that. Anything else waits for the redelivery.
        """
        outcome = task.outcome
        assert outcome is not None
        if task.line is not self and not isinstance(outcome.answer, Done):
            return
        settlement = Settlement(task)
        if outcome.answer is not None:
            kind = outcome.answer.kind
            body = outcome.answer.model_dump_json().encode()
            self._publish(settlement, "", self._names.result_queue, body, _answer_properties(task, kind))
        if outcome.retry:
            exchange = self._names.retry_exchange(task.delivery.attempt, outcome.retry_after_seconds or 0)
            self._publish(settlement, exchange, task.routing_key, task.delivery.body, _retry_properties(task))
        if settlement.unconfirmed == 0:
            self._finish(settlement)

    def _publish(
        self, settlement: Settlement, exchange: str, key: str, body: bytes, properties: BasicProperties
    ) -> None:
        assert self._channel is not None
        self._published += 1
        settlement.unconfirmed += 1
        self._confirms[self._published] = settlement
        self._channel.basic_publish(exchange, key, body, properties, mandatory=True)

    def _on_confirm(self, frame: Any) -> None:  # Any: pika's frame, untyped
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        tags = [t for t in self._confirms if t <= tag] if multiple else [tag]
        if isinstance(frame.method, Basic.Nack):
            log.error("broker.refused_publish")
            self.close()  # the outcomes are kept; they go out again on redelivery
            return
        for confirmed in tags:
            settlement = self._confirms.pop(confirmed, None)
            if settlement is None:  # it was returned: the confirm comes all the same
                continue
            settlement.unconfirmed -= 1
            if settlement.unconfirmed == 0:
                self._finish(settlement)

    def _on_returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:  # Any: pika, untyped
        log.error("broker.unroutable", exchange=method.exchange, routing_key=method.routing_key)
        self._confirms.clear()
        self.close()  # reconnecting declares everything again

    def _finish(self, settlement: Settlement) -> None:
        assert self._channel is not None
        task = settlement.task
        if task.line is not self:
            return
        assert task.outcome is not None
        for tag in (*task.twins, task.tag):
            if task.outcome.dead_letter:
                self._channel.basic_reject(tag, requeue=False)
            else:
                self._channel.basic_ack(tag)
        self._workbench.settled(task)
        seconds = time.perf_counter() - settlement.begun_at
        reporting.settled(task.stage.name, task.delivery, task.outcome, seconds)


def _run_id(properties: BasicProperties) -> UUID | None:
    try:
        return UUID(properties.message_id or "")
    except ValueError:
        return None


def _attempt(header: object) -> int:
    """Whoever published this may have written anything: what is no attempt counts as the first."""
    return header if isinstance(header, int) and header is not True and 1 <= header <= MOST_ATTEMPTS else 1


def _answer_properties(task: Task, kind: str) -> BasicProperties:
    return _properties(task, f"{kind}.v1", _trace(task))


def _retry_properties(task: Task) -> BasicProperties:
    """A new message with our own headers only: one that carried `x-death` would be dropped as a cycle."""
    return _properties(task, task.properties.type, {**_trace(task), "attempt": task.delivery.attempt + 1})


def _properties(task: Task, kind: str | None, headers: dict[str, Any]) -> BasicProperties:  # Any: AMQP values
    """Of a message that goes on with the same work, and outlives the broker."""
    return BasicProperties(
        delivery_mode=2,
        content_type="application/json",
        message_id=task.properties.message_id,
        correlation_id=task.properties.correlation_id,
        timestamp=int(time.time()),
        type=kind,
        headers=headers,
    )


def _trace(task: Task) -> dict[str, Any]:  # Any: AMQP values
    headers = task.properties.headers or {}
    return {name: headers[name] for name in ("traceparent",) if name in headers}
