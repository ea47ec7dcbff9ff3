"""What an archive costs for each photo, to be multiplied: rows and indexes in PostgreSQL, an index over all vectors
(which Keepers does not have) beside comparing each, and messages in a quorum queue.

Times are processor seconds of the one process that works, not of the clock: so they can be taken on a busy machine.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pika
import psutil
import psycopg
from numpy.typing import NDArray

from benchmarks.archive import fill
from benchmarks.system import System
from orchestrator.db import migrate, open_engine
from shared.contracts import convert
from shared.contracts.embed import DIMENSIONS

MODEL = "benchmark"
SCENES = 400  # vectors lie around so many centres, as photos of shoots do
NEAREST = 20
ASKED = 50  # photos whose nearest are looked for
MESSAGES = 20_000
QUEUE = "growth"

# What `fill` leaves empty or shorter.
_AS_IN_USE = (
    """UPDATE stage_runs SET request = jsonb_build_object('photo_id', photo_id, 'file_path', file_path,
         'root', '/photos', 'root_key', 'root:1', 'model', 'starter-efficientnet-lite0')
       FROM photos WHERE photos.id = photo_id""",
    """UPDATE photos SET perceptual_hash = right(md5(id::text), 16),
         content_hash = encode(sha256(id::text::bytea), 'hex')""",
    "UPDATE photo_files SET quick_hash = encode(sha256(id::text::bytea), 'hex')",
    "VACUUM FULL ANALYZE",
)
_SIZES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC
"""
_BUILD = f"CREATE INDEX vectors ON photo_vectors USING hnsw (vector halfvec_cosine_ops) WHERE model = '{MODEL}'"
_NEAR = f"""
SELECT photo_id FROM photo_vectors WHERE model = '{MODEL}'
ORDER BY vector <=> (SELECT vector FROM photo_vectors WHERE photo_id = %s AND model = '{MODEL}') LIMIT {NEAREST}
"""


def run(system: System, options: argparse.Namespace) -> None:
    url = system.database_url.replace("+asyncpg", "")
    asyncio.run(_migrated(system.database_url))
    fill(url, options.archive)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _AS_IN_USE:
            connection.execute(statement)
        _store(connection, _vectors(options.archive))
        _report_sizes(connection, options.archive)
        _report_vectors(connection, options.archive)
    _report_queue(system)


async def _migrated(url: str) -> None:
    engine = open_engine(url)
    await migrate(engine)
    await engine.dispose()


def _vectors(n: int) -> NDArray[np.float32]:
    """Unit length, float32[n, DIMENSIONS]."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((SCENES, DIMENSIONS), np.float32)
    found = centres[random.integers(SCENES, size=n)] + 0.7 * random.standard_normal((n, DIMENSIONS), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _store(connection: "psycopg.Connection[tuple[object, ...]]", vectors: NDArray[np.float32]) -> None:
    copied = "COPY photo_vectors (photo_id, model, vector) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copied) as copy:
        for number, vector in enumerate(vectors, 1):
            copy.write_row((number, MODEL, "[" + ",".join(f"{value:.4f}" for value in vector.tolist()) + "]"))
    connection.execute("VACUUM ANALYZE photo_vectors")


def _report_sizes(connection: "psycopg.Connection[tuple[object, ...]]", photos: int) -> None:
    sizes = [(str(name), int(str(size))) for name, size in connection.execute(_SIZES).fetchall()]
    whole = sum(size for _, size in sizes)
    print(f"growth: {photos:,} photos, {whole / photos:,.0f} bytes of database for each, just vacuumed")
    for name, size in sizes:
        if size > whole / 100:
            print(f"  {name:24}{size / photos:9,.0f} bytes, indexes included")


def _report_vectors(connection: "psycopg.Connection[tuple[object, ...]]", photos: int) -> None:
    asked = np.random.default_rng(2).integers(1, photos + 1, ASKED).tolist()
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute("SET maintenance_work_mem = '1GB'")
    with _processor_seconds(connection) as spent:
        compared = _nearest(connection, asked)
    print(f"  the {NEAREST} nearest by comparing each: {spent[0] / ASKED * 1e3:,.1f} ms")
    with _processor_seconds(connection) as spent:
        connection.execute(_BUILD)
    (size,) = connection.execute("SELECT pg_relation_size('vectors')").fetchone() or (0,)
    print(
        f"  an HNSW index: {spent[0]:,.1f} s to build on one core, {int(str(size)) / photos:,.0f} bytes for each photo"
    )
    with _processor_seconds(connection) as spent:
        found = _nearest(connection, asked)
    same = sum(len(one & other) for one, other in zip(compared, found, strict=True)) / (NEAREST * ASKED)
    print(f"  the {NEAREST} nearest by that index: {spent[0] / ASKED * 1e3:,.1f} ms, {same:.0%} of them the right ones")


def _nearest(connection: "psycopg.Connection[tuple[object, ...]]", asked: Sequence[int]) -> list[set[object]]:
    return [{row[0] for row in connection.execute(_NEAR, (photo_id,)).fetchall()} for photo_id in asked]


@contextmanager
def _processor_seconds(connection: "psycopg.Connection[tuple[object, ...]]") -> Iterator[list[float]]:
    """One number, once it is over: what the server's process for this connection has spent."""
    server, spent = psutil.Process(connection.info.backend_pid), [0.0]
    before = server.cpu_times()
    yield spent
    after = server.cpu_times()
    spent[0] = after.user + after.system - before.user - before.system


def _report_queue(system: System) -> None:
    """Requests of `convert` that nobody takes: they are on disk, and the queue keeps a little about each in memory."""
    body = convert.Request(
        photo_id=1_234_567, file_path="/photos/2024/05-12/DSC_0001.NEF", root="/photos", root_key="root:1"
    )
    data = body.model_dump_json().encode()
    with pika.BlockingConnection(pika.URLParameters(system.rabbitmq_url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        before = _memory(system)
        for _ in range(MESSAGES):
            channel.basic_publish("", QUEUE, data, pika.BasicProperties(delivery_mode=2, message_id="0" * 36))
        after = _memory(system)
        channel.queue_delete(QUEUE)
    each = (after - before) / MESSAGES
    print(
        f"  a request of {len(data)} bytes in a quorum queue: {each:,.0f} bytes of memory, beside the write-ahead log"
    )


def _memory(system: System) -> int:
    """Of the queue's process, after its garbage is collected."""
    system.broker("force_gc")
    lines = system.broker("list_queues", "--quiet", "--no-table-headers", "name", "memory").splitlines()
    return next(int(line.split()[1]) for line in lines if line.split()[0] == QUEUE)
