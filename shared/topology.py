"""Exchanges, queues and bindings as values. Either service declares them; neither invents a name.

Why each argument is as it is: docs/decisions/0002-quorum-queues-and-retries.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DELIVERY_LIMIT = 6  # a message that killed its worker this often is dead-lettered by the broker
UNLIMITED = 2_147_483_647  # -1 removes on the first nack on RabbitMQ 3.10, unset means 20 on 4.x
ONE_AT_A_TIME = ("train", "bursts")  # stages that look at the whole archive: one consumer, however many workers

Argument = str | int


@dataclass(frozen=True)
class Exchange:
    name: str
    type: str  # direct or fanout


@dataclass(frozen=True)
class Queue:
    name: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True)
class Binding:
    queue: str
    exchange: str
    routing_key: str = ""


@dataclass(frozen=True)
class Topology:
    """Every name under one prefix. The prefix carries the topology's version: arguments cannot be changed later."""

    prefix: str
    stages: tuple[str, ...]
    delays_ms: tuple[int, ...]
    exchanges: tuple[Exchange, ...] = field(default=())
    queues: tuple[Queue, ...] = field(default=())
    bindings: tuple[Binding, ...] = field(default=())

    @property
    def stage_exchange(self) -> str:
        return f"{self.prefix}.stages"

    @property
    def dead_letter_exchange(self) -> str:
        return f"{self.prefix}.dead-letters"

    @property
    def dead_letter_queue(self) -> str:
        return f"{self.prefix}.dead-letters"

    @property
    def result_queue(self) -> str:
        """Published to through the default exchange."""
        return f"{self.prefix}.results"

    def stage_queue(self, stage: str) -> str:
        """Also the routing key on the stage exchange."""
        return f"{self.prefix}.stage.{stage}"

    def urgent_queue(self, stage: str) -> str:
        return f"{self.prefix}.stage.{stage}.now"

    def retry_exchange(self, attempt: int, at_least_seconds: float = 0) -> str:
        """Where attempt `attempt` (1 = the first) goes to wait for the next one.

        Delays grow with the attempt, the last one repeats; one shorter than asked for is passed over if it can be.
        """
        delays = self.delays_ms[min(attempt, len(self.delays_ms)) - 1 :]
        long_enough = [delay for delay in delays if delay >= at_least_seconds * 1000]
        return f"{self.prefix}.retry.{long_enough[0] if long_enough else delays[-1]}ms"

    def stage_of(self, routing_key: str) -> str | None:
        """The stage a routing key means; None for a key that is not ours."""
        name = routing_key.removeprefix(f"{self.prefix}.stage.").removesuffix(".now")
        return name if name in self.stages else None


def topology(prefix: str, stages: Sequence[str], delays_ms: Sequence[int]) -> Topology:
    """All that has to exist in the broker for these stages and retry delays."""
    names = Topology(prefix, tuple(stages), tuple(delays_ms))
    retries = [f"{prefix}.retry.{delay}ms" for delay in names.delays_ms]
    stage_queues = [queue for stage in stages for queue in (names.stage_queue(stage), names.urgent_queue(stage))]
    return Topology(
        prefix,
        names.stages,
        names.delays_ms,
        exchanges=(
            Exchange(names.stage_exchange, "direct"),
            Exchange(names.dead_letter_exchange, "fanout"),
            *(Exchange(name, "fanout") for name in retries),
        ),
        queues=(
            *(Queue(name, _stage_arguments(names, name)) for name in stage_queues),
            *(
                Queue(name, _retry_arguments(names, delay))
                for name, delay in zip(retries, names.delays_ms, strict=True)
            ),
            Queue(names.result_queue, _endless()),
            Queue(names.dead_letter_queue, _endless()),
        ),
        bindings=(
            *(Binding(name, names.stage_exchange, name) for name in stage_queues),
            *(Binding(name, name) for name in retries),
            Binding(names.dead_letter_queue, names.dead_letter_exchange),
        ),
    )


def _endless() -> dict[str, Argument]:
    return {"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED}


def _dead_lettering(exchange: str) -> dict[str, Argument]:
    return {
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _stage_arguments(names: Topology, queue: str) -> dict[str, Argument]:
    alone: dict[str, Argument] = {"x-single-active-consumer": True} if names.stage_of(queue) in ONE_AT_A_TIME else {}
    return {
        **alone,
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        **_dead_lettering(names.dead_letter_exchange),
    }


def _retry_arguments(names: Topology, delay_ms: int) -> dict[str, Argument]:
    return {**_endless(), "x-message-ttl": delay_ms, **_dead_lettering(names.stage_exchange)}
