"""Round trips per second of a stage that does nothing: outbox, broker, worker, results, database; the same while both
services are asked for their metrics every second; and of a plain client that publishes, gets and acks one message after
the other on the same broker."""

import argparse
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pika

from benchmarks.system import Running, System
from orchestrator.embedded.processes import free_port

BARE_MESSAGES = 1_000
TURNS = 3  # with and without metrics by turns: what else the machine does meets both


def run(system: System, options: argparse.Namespace) -> None:
    bare = _bare(system.rabbitmq_url)
    print(f"round trips of a stage that does nothing, {options.messages} messages, one worker")
    print(f"  one by one, broker alone {bare:8.0f} /s", flush=True)
    turns = [
        (_through_the_system(system, options.messages), _through_the_system(system, options.messages, is_asked=True))
        for _ in range(TURNS)
    ]
    for name, speeds in zip(("the whole system", "asked for its metrics"), zip(*turns, strict=True), strict=True):
        each = ", ".join(f"{speed:.0f}" for speed in speeds)
        print(f"  {name:24} {statistics.median(speeds):8.0f} /s   ({each})", flush=True)


def _bare(url: str) -> float:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("bench.bare", durable=True, arguments={"x-queue-type": "quorum"})
    start = time.monotonic()
    for _ in range(BARE_MESSAGES):
        channel.basic_publish("", "bench.bare", b"{}" * 50, pika.BasicProperties(delivery_mode=2))
        method = None
        while method is None:
            method, _, _ = channel.basic_get("bench.bare")
        channel.basic_ack(method.delivery_tag)
    seconds = time.monotonic() - start
    channel.queue_delete("bench.bare")
    connection.close()
    return BARE_MESSAGES / seconds


def _through_the_system(system: System, messages: int, *, is_asked: bool = False) -> float:
    settings = {"METRICS_PORT": str(free_port())} if is_asked else {}
    with system.running(["noop"], workers=1, **settings) as running:
        _queue(running, 2_000)
        ports = [running.address, *(f"http://127.0.0.1:{port}" for port in settings.values())]
        with _asking([f"{port}/metrics" for port in ports] if is_asked else []):
            start = time.monotonic()
            _queue(running, messages)
            return messages / (time.monotonic() - start)


@contextmanager
def _asking(addresses: list[str]) -> Iterator[None]:
    """Each of them, once a second. An address that does not answer ends the benchmark."""
    is_over = threading.Event()
    failed: list[Exception] = []

    def ask() -> None:
        try:
            while not is_over.wait(1):
                for address in addresses:
                    urllib.request.urlopen(address).read()
        except Exception as exc:
            failed.append(exc)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join()
    if failed:
        raise failed[0]


def _queue(running: Running, count: int) -> None:
    """So many runs, until all are done."""
    label = time.monotonic_ns()
    running.sql(
        "INSERT INTO stage_runs (stage, subject, run_id, request, state)"
        f" SELECT 'noop', '{label}-' || i, gen_random_uuid(),"
        " jsonb_build_object('photo_id', i, 'file_path', '/photos/IMG_' || i || '.jpg'), 'queued'"
        f" FROM generate_series(1, {count}) i"
    )
    while running.sql("SELECT coalesce(sum(n), 0) FROM tallies WHERE kind = 'noop' AND state <> 'done'") != [(0,)]:
        time.sleep(0.1)
