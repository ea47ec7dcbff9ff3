"""Rejecting and removing 10,000 of 100,000 photos, then all that the gallery shows, as one decision over HTTP, and
their undo. Beside it the same photo by photo, and the bare UPDATE that remembers nothing and follows nothing up."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmarks.archive import fill
from benchmarks.system import Running, System
from shared.contracts.embed import DIMENSIONS

CAMERA = "One in Ten"
ONE_BY_ONE = 200  # photos; the time is counted up to all

_SHOWN = "SELECT id FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL"
_MARK = f"UPDATE photos SET camera_model = '{CAMERA}' WHERE id IN ({_SHOWN} ORDER BY md5(id::text) LIMIT %d)"
# Nothing is left to be done for a photo that comes back.
_COMPLETE = (
    """UPDATE stage_runs SET state = 'done', request = jsonb_build_object('file_path', preview) FROM photos
       WHERE stage = 'curate' AND photos.id = photo_id""",
    f"""INSERT INTO photo_vectors (photo_id, model, vector)
        SELECT id, name, CAST(array_fill(0.1, ARRAY[{DIMENSIONS}]) AS halfvec) FROM photos, embedding_models""",
    "VACUUM ANALYZE",
    "CHECKPOINT",
)


def run(system: System, options: argparse.Namespace) -> None:
    with system.running([], workers=0) as running:
        fill(system.database_url, options.archive)
        running.sql(_MARK % (options.archive // 10))
        for statement in _COMPLETE:
            running.sql(statement)
        tenth, shown = (_count(running, which) for which in ({"camera": CAMERA}, {}))
        print(f"bulk: {tenth:,} and {shown:,} of {options.archive:,} photos; seconds from request to answer")
        one, back = _one_by_one(running)
        _report("photo by photo", *((n * one, n * back) for n in (tenth, shown)))
        _report("the bare UPDATE", _bare(running, f"camera_model = '{CAMERA}'"), _bare(running, "true"))
        _report("reject as one decision", *(_reject(running, which) for which in ({"camera": CAMERA}, {})))
        _report("remove, and bring back", *(_remove(running, which) for which in ({"camera": CAMERA}, {})))


def _count(running: Running, which: dict[str, str]) -> int:
    return int(running.post("/api/removals", {"selection": which, "dry_run": True})["count"])


def _report(name: str, *times: tuple[float, float]) -> None:
    print(f"  {name:24}" + "".join(f"{done:9.2f} s, undo {undone:8.2f} s" for done, undone in times), flush=True)


def _reject(running: Running, which: dict[str, str]) -> tuple[float, float]:
    decision = {"selection": which, "action": "reject"}
    done, answer = _timed(lambda: running.post("/api/decisions", decision))
    undone, _ = _timed(lambda: running.post(f"/api/decisions/{answer['undo']}/undo"))
    return done, undone


def _remove(running: Running, which: dict[str, str]) -> tuple[float, float]:
    done, answer = _timed(lambda: running.post("/api/removals", {"selection": which}))
    undone, _ = _timed(lambda: running.post(f"/api/removals/{answer['removal']}/undo"))
    return done, undone


def _one_by_one(running: Running) -> tuple[float, float]:
    """Seconds for one photo."""
    photos = [photo for (photo,) in running.sql(f"{_SHOWN} LIMIT {ONE_BY_ONE}")]
    batches: list[str] = []

    def reject() -> None:
        batches.extend(running.post(f"/api/photos/{photo}/reject")["undo"] for photo in photos)

    def undo() -> None:
        for batch in batches:
            running.post(f"/api/decisions/{batch}/undo")

    return _timed(reject)[0] / len(photos), _timed(undo)[0] / len(photos)


def _bare(running: Running, which: str) -> tuple[float, float]:
    those = f"id IN ({_SHOWN} AND {which})"
    done, _ = _timed(lambda: running.sql(f"UPDATE photos SET rejected_at = 'infinity' WHERE {those}"))
    undone, _ = _timed(lambda: running.sql("UPDATE photos SET rejected_at = NULL WHERE rejected_at = 'infinity'"))
    return done, undone


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
