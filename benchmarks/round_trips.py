"""Round trips per second of a stage that does nothing: outbox, broker, worker, results, database; and of a plain
client that publishes, gets and acks one message after the other on the same broker."""

import argparse
import time

import pika

from benchmarks.system import System

BARE_MESSAGES = 1_000


def run(system: System, options: argparse.Namespace) -> None:
    bare = _bare(system.rabbitmq_url)
    whole = _through_the_system(system, options.messages)
    print(f"round trips of a stage that does nothing, {options.messages} messages, one worker")
    print(f"  one by one, broker alone {bare:8.0f} /s")
    print(f"  the whole system         {whole:8.0f} /s", flush=True)


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


def _through_the_system(system: System, messages: int) -> float:
    with system.running(["noop"], workers=1) as running:
        _queue(running, 2_000, "warm")
        start = time.monotonic()
        _queue(running, messages, "run")
        return messages / (time.monotonic() - start)


def _queue(running: object, count: int, label: str) -> None:
    sql = running.sql  # type: ignore[attr-defined]
    sql(
        "INSERT INTO stage_runs (stage, subject, run_id, request, state)"
        f" SELECT 'noop', '{label}-' || i, gen_random_uuid(),"
        " jsonb_build_object('photo_id', i, 'file_path', '/photos/IMG_' || i || '.jpg'), 'queued'"
        f" FROM generate_series(1, {count}) i"
    )
    while sql("SELECT coalesce(sum(n), 0) FROM tallies WHERE kind = 'noop' AND state <> 'done'") != [(0,)]:
        time.sleep(0.1)
