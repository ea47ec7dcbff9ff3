"""From the click on "train now" to every photo scored again: 14,000 rated photos of 100,000, through the whole system;
beside the learning alone, in one process with everything in memory."""

import argparse
import time

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.system import Running, System
from shared import embedding_models
from shared.contracts.embed import DIMENSIONS
from workers.domain.taste import learn

KINDS_OF_PHOTOS = 60  # what real embeddings vary in, more or less
SAMPLE = 20_000
POLL_SECONDS = 0.5  # asking costs time too


def run(system: System, options: argparse.Namespace) -> None:
    photos, rated = options.archive, options.rated
    vectors, ratings = _archive(photos, rated)
    print(f"learning from {rated} ratings and scoring {photos} photos again")
    print(f"  the learning alone       {_learning_alone(vectors, ratings):8.1f} s", flush=True)
    with system.running(["train", "score"], workers=1) as running:
        _fill(system, vectors, ratings)
        for name in ("the first time", "the next time"):
            trained, scored = _retrain(running, photos)
            print(f"  {name:<15} trained  {trained:8.1f} s, all scored {scored:8.1f} s", flush=True)


def _archive(photos: int, rated: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Unit vectors of few kinds and much noise, and the stars of somebody who likes some of the kinds."""
    random = np.random.default_rng(1)
    kinds = random.normal(size=(photos, KINDS_OF_PHOTOS)).astype(np.float32) * np.linspace(2, 0.3, KINDS_OF_PHOTOS)
    vectors = kinds @ random.normal(size=(KINDS_OF_PHOTOS, DIMENSIONS)).astype(np.float32)
    vectors += random.normal(size=vectors.shape).astype(np.float32) * 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    liking = kinds[:rated] @ random.normal(size=KINDS_OF_PHOTOS)
    noisy = liking / liking.std() + random.normal(size=rated)
    return vectors.astype(np.float16), np.clip(np.round(3 + noisy), 1, 5).astype(np.float32)


def _learning_alone(vectors: NDArray[np.float16], ratings: NDArray[np.float32]) -> float:
    n = len(ratings)
    start = time.monotonic()
    learned = learn(
        version=1,
        embedding_model="starter",
        photo_ids=np.arange(1, n + 1),
        ratings=ratings,
        vectors=vectors[:n],
        archive=vectors[-min(SAMPLE, len(vectors)) :],
    )
    learned.model.scores(vectors)
    return time.monotonic() - start


def _fill(system: System, vectors: NDArray[np.float16], ratings: NDArray[np.float32]) -> None:
    model, wire = embedding_models.starter_name(), vectors.astype(">f2")
    header = DIMENSIONS.to_bytes(2, "big") + b"\0\0"  # as halfvec_recv reads it
    with psycopg.connect(system.database_url.replace("+asyncpg", ""), autocommit=True) as connection:
        (root,) = connection.execute(
            "INSERT INTO roots (path, label, state) VALUES ('/bench', 'bench', 'online') RETURNING id"
        ).fetchone() or (0,)
        connection.execute(
            "INSERT INTO photos (id, root_id, file_name, file_path, preview, thumbnail, score_activation)"
            " SELECT i, %s, 'IMG_' || i, '/bench/IMG_' || i, 'previews/' || i, 'thumbnails/' || i, 0"
            " FROM generate_series(1, %s) i",
            (root, len(vectors)),
        )
        connection.execute(
            "INSERT INTO stage_runs (stage, subject, photo_id, run_id, request, state)"
            " SELECT 'embed', id::text, id, gen_random_uuid(), '{}', 'done' FROM photos"
        )
        copying = "COPY photo_vectors (photo_id, model, vector) FROM STDIN (FORMAT BINARY)"
        with connection.cursor() as cursor, cursor.copy(copying) as copy:
            copy.set_types(["int8", "text", "bytea"])
            for place, vector in enumerate(wire):
                copy.write_row((place + 1, model, header + vector.tobytes()))
        with connection.cursor() as cursor:
            stars = [(int(rating), place + 1) for place, rating in enumerate(ratings)]
            cursor.executemany("UPDATE photos SET user_rating = %s WHERE id = %s", stars)
        connection.execute(
            "VACUUM ANALYZE"
        )  # an archive grows over days: what filling it at once leaves to do is no part
        connection.execute("CHECKPOINT")


def _retrain(running: Running, photos: int) -> tuple[float, float]:
    """Seconds until the new model was in force, and until no photo had another score."""
    before = running.get("/api/taste")["activation"]
    start = time.monotonic()
    running.post("/api/taste/train")
    while running.get("/api/taste")["activation"] == before:
        time.sleep(POLL_SECONDS)
    trained = time.monotonic() - start
    while running.sql(f"SELECT count(*) FROM photos WHERE score_activation = {before + 1}") != [(photos,)]:
        time.sleep(POLL_SECONDS)
    return trained, time.monotonic() - start
