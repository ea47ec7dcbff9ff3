"""What waits in the queues of the broker, looked at now and then: a scrape asks nobody."""

import asyncio

from orchestrator.broker import Broker, QueueState

EVERY_SECONDS = 10.0

Queues = dict[str, QueueState]  # by name without the prefix


async def watch(broker: Broker, found: Queues) -> None:
    """For the life of a connection; what was found is forgotten with it."""
    prefix = f"{broker.names.prefix}."
    try:
        while True:
            states = await broker.queue_states([queue.name for queue in broker.names.queues])
            found.update((name.removeprefix(prefix), state) for name, state in states.items())
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        found.clear()
