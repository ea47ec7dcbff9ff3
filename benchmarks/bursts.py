"""Time to find the bursts of 10,000, 30,000 and 100,000 photos: the search alone, and the whole way from the archive's
rows through a worker and back into them. Beside it, what comparing every photo with every other takes."""

import argparse
import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from benchmarks.system import Running, System
from shared.contracts.embed import DIMENSIONS
from shared.embedding_models import least_burst_cosine, starter_name
from workers.domain.bursts import Frames, find_bursts

SIZES = (10_000, 30_000, 100_000)
GAP_SECONDS = 5
START = datetime(2024, 1, 1, tzinfo=UTC)


def run(system: System, options: argparse.Namespace) -> None:
    print(
        "bursts: photos; search alone, per photo and log2(n); whole way, again with nothing new, around one new frame"
        " (each waits up to 2 s for its turn); Keep Best of all, undo"
    )
    with system.running(["bursts"], workers=1) as running:
        for size in SIZES:
            archive = _archive(size)
            alone = _timed(archive)
            if size == SIZES[0]:
                print(f"  {size:7,} compared each with each {_all_pairs(archive.vectors):8.2f} s")
            _store(system, archive)
            whole, again, around = _search(running), _search(running), _search_around(running, size // 2)
            photos, groups = running.sql("SELECT sum(size), count(*) FROM bursts WHERE size > 1")[0]
            kept, undone = _keep_best_of_all(running)
            print(
                f"  {size:7,} {alone:8.2f} s {alone / size / math.log2(size) * 1e6:6.2f} us"
                f" {whole:8.2f} s {again:8.2f} s {around:8.2f} s {kept:8.2f} s {undone:8.2f} s"
                f"   {photos:,} in {groups:,}",
                flush=True,
            )


def _archive(size: int) -> Frames:
    """What a photographer brings home: scenes minutes apart, single photos, bursts, brackets, and series at ten frames
    a second that follow something for up to ten minutes."""
    random = np.random.default_rng(size)
    seconds, scenes, drifts, biases = [], [], [], []
    now = 0.0
    for scene in range(size):
        count, step, drift, is_bracket = _shot(random)
        now += float(random.exponential(90)) + 2
        for place in range(min(count, size - len(seconds))):
            seconds.append(now)
            scenes.append(scene)
            drifts.append(drift * place)
            biases.append((0.0, -1.0, 1.0, -2.0, 2.0)[place % 5] if is_bracket else 0.0)
            now += step
        if len(seconds) == size:
            break
    return Frames(
        photo_ids=np.arange(1, size + 1),
        captured_us=(np.array(seconds) * 1e6).astype(np.int64),
        cameras=np.zeros(size, np.int32),
        vectors=_vectors(random, np.array(scenes), np.array(drifts)),
        sharpness=random.uniform(20, 95, size).astype(np.float32),
        exposure_bias_ev=np.array(biases, np.float32),
        focus_distance_m=np.full(size, np.nan, np.float32),
        is_chosen=np.zeros(size, np.bool_),
    )


def _shot(random: np.random.Generator) -> tuple[int, float, float, bool]:
    """Frames, seconds between them, how far each turns away from the one before in degrees, and whether it brackets."""
    kind = random.choice(4, p=(0.62, 0.33, 0.0495, 0.0005))
    if kind == 0:
        return 1, 0, 0, False
    if kind == 1:
        return int(random.integers(2, 12)), float(random.uniform(0.1, 1.5)), 0.5, False
    if kind == 2:
        return int(random.choice((3, 5))), 0.4, 0, True
    return int(random.integers(500, 6_000)), 0.1, float(random.uniform(0, 1.5)), False


def _vectors(
    random: np.random.Generator, scenes: NDArray[np.int64], degrees: NDArray[np.float64]
) -> NDArray[np.float16]:
    """Each scene a direction of its own; its frames turn from there, and shake a little."""
    vectors = np.empty((len(scenes), DIMENSIONS), np.float16)
    for scene in np.unique(scenes):
        rows = np.arange(*np.searchsorted(scenes, (scene, scene + 1)))
        towards, away = random.normal(size=(2, DIMENSIONS)) / math.sqrt(DIMENSIONS)
        angle = np.radians(degrees[rows])[:, None]
        shaken = np.cos(angle) * towards + np.sin(angle) * away
        shaken += random.normal(0, 0.2 / math.sqrt(DIMENSIONS), (len(rows), DIMENSIONS))
        vectors[rows] = shaken / np.linalg.norm(shaken, axis=1, keepdims=True)
    return vectors


def _timed(frames: Frames) -> float:
    start = time.monotonic()
    find_bursts(frames, GAP_SECONDS, least_burst_cosine(starter_name()))
    return time.monotonic() - start


def _all_pairs(vectors: NDArray[np.floating]) -> float:
    start = time.monotonic()
    wide = vectors.astype(np.float32)
    for place in range(0, len(wide), 1_000):
        (wide[place : place + 1_000] @ wide.T).max()
    return time.monotonic() - start


def _store(system: System, archive: Frames) -> None:
    """The archive as rows, in place of what was there."""
    with psycopg.connect(system.database_url.replace("+asyncpg", ""), autocommit=True) as connection:
        register_vector(connection)
        connection.execute("TRUNCATE photos, bursts, roots CASCADE")
        row = connection.execute("INSERT INTO roots (path, label, state) VALUES ('/p', 'p', 'online') RETURNING id")
        (root,) = row.fetchone() or (0,)
        names = (
            "id, root_id, file_name, file_path, preview, captured_at, camera_model, sharpness_score, exposure_bias_ev"
        )
        with connection.cursor() as cursor, cursor.copy(f"COPY photos ({names}) FROM STDIN") as copy:
            for photo in _photos(archive, root):
                copy.write_row(photo)
        with connection.cursor() as cursor, cursor.copy("COPY photo_vectors FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "text", "halfvec"])
            for photo_id, vector in zip(archive.photo_ids.tolist(), archive.vectors, strict=True):
                copy.write_row((photo_id, starter_name(), HalfVector(vector)))
        connection.execute("ANALYZE photos")
        connection.execute("ANALYZE photo_vectors")


def _photos(frames: Frames, root: int) -> Iterator[tuple[object, ...]]:
    for id_, us, sharp, bias in zip(
        frames.photo_ids.tolist(),
        frames.captured_us.tolist(),
        frames.sharpness.tolist(),
        frames.exposure_bias_ev.tolist(),
        strict=True,
    ):
        taken = (START + timedelta(microseconds=us)).replace(tzinfo=None)
        yield id_, root, f"{id_}.jpg", f"/p/{id_}.jpg", f"previews/{id_}.jpg", taken, "R6", sharp, bias


def _search(running: Running) -> float:
    start = time.monotonic()
    running.post("/api/bursts/detect")
    while running.get("/api/bursts?limit=1")["search"]["is_running"]:
        time.sleep(0.1)
    return time.monotonic() - start


def _search_around(running: Running, photo_id: int) -> float:
    """As if this photo had just got its vector."""
    running.sql("UPDATE burst_state SET requested_seq = requested_seq + 1")
    running.sql(f"INSERT INTO new_frames SELECT {photo_id}, requested_seq FROM burst_state")
    start = time.monotonic()
    while running.get("/api/bursts?limit=1")["search"]["is_running"]:
        time.sleep(0.1)
    return time.monotonic() - start


def _keep_best_of_all(running: Running) -> tuple[float, float]:
    start = time.monotonic()
    batch = running.post("/api/bursts/keep-best")["undo"]
    kept = time.monotonic()
    running.post(f"/api/decisions/{batch}/undo")
    return kept - start, time.monotonic() - kept
