"""Queues of earlier versions. Their arguments could not be changed, so a newer version has others: what was waiting in
the old ones goes out again through the new ones, what was answered there is still taken, and then they go."""

import re
from uuid import UUID

import structlog

from orchestrator.broker import Broker, epoch_name
from shared.topology import Topology, topology

log = structlog.get_logger()

_VERSIONED = re.compile(r"(?P<name>.+\.v)(?P<version>\d+)")


def earlier(names: Topology) -> list[Topology]:
    """The topologies before this one: of `keepers.v3`, `keepers.v1` and `keepers.v2`."""
    match = _VERSIONED.fullmatch(names.prefix)
    if match is None:
        return []
    prefixes = [f"{match['name']}{version}" for version in range(1, int(match["version"]))]
    return [topology(prefix, names.stages, names.delays_ms) for prefix in prefixes]


async def retire(broker: Broker, old: Topology, epoch: UUID) -> bool:
    """Delete the queues that requests wait in; nothing but what was put back into the outbox before may be in them.
    Whether all of it is gone: while workers of that version are there, and answers that nobody took, `results` and
    `dead-letters` stay and are to be consumed."""
    queues = [queue.name for queue in old.queues]
    there = [name for name in queues if await broker.is_there(name)]
    if not there:
        return True
    states = {name: await broker.queue_state(name) for name in there}
    answers = {old.result_queue, old.dead_letter_queue}
    is_answered = any(ready for name, (ready, _) in states.items() if name in answers)
    has_workers = any(consumers for name, (_, consumers) in states.items() if name not in answers)
    await broker.delete([name for name in there if name not in answers], [])
    log.info("topology.retired", prefix=old.prefix, workers=has_workers, answers=is_answered)
    if (is_answered or has_workers) and answers <= states.keys():
        return False
    # The mark too: an earlier version that is started again finds queues that it has not published to.
    exchanges = [exchange.name for exchange in old.exchanges]
    await broker.delete(list(answers), [*exchanges, epoch_name(old, epoch)])
    return True
