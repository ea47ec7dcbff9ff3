"""Time to scan 100,000 files, new and again unchanged, beside a walk that only looks at size and time; and to watch
them: until it is known that nothing is new, and until a file that comes is a row (2 s of it are for settling)."""

import argparse
import os
import time
from pathlib import Path

from benchmarks.system import Running, System

FILES_PER_FOLDER = 1_000


def run(system: System, options: argparse.Namespace) -> None:
    folder = system.folder / "many"
    _make_files(folder, options.files)
    walk = _walk(folder)
    with system.running(["convert"], workers=0) as running:
        first, _ = _scan(running, folder)
        running.sql("UPDATE photos SET preview = 'p', content_hash = id::text WHERE preview IS NULL")
        running.sql("UPDATE photo_files SET content_hash = id::text, quick_hash = id::text")
        running.sql("UPDATE photo_files SET content_hash = id::text, quick_hash = id::text")
        running.sql("UPDATE stage_runs SET state = 'done'")
        running.sql("ANALYZE")
        again, skipped = _scan(running, folder)
        watched, noticed = _watch(running, folder)
    print(f"scan of {options.files} files")
    print(f"  walk and stat alone      {walk:8.2f} s")
    print(f"  new: rows written        {first:8.2f} s")
    print(f"  again, unchanged         {again:8.2f} s   ({skipped} skipped)")
    print(f"  watched, nothing is new  {watched:8.2f} s")
    print(f"  a new file is a row      {noticed:8.2f} s", flush=True)


def _make_files(folder: Path, count: int) -> None:
    for i in range(count):
        if i % FILES_PER_FOLDER == 0:
            inner = folder / f"{i // FILES_PER_FOLDER:04}"
            inner.mkdir(parents=True)
        with open(inner / f"IMG_{i:06}.jpg", "wb") as file:
            file.truncate(i + 1)


def _walk(folder: Path) -> float:
    start = time.monotonic()
    for _ in range(1):
        pending = [folder]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir():
                        pending.append(Path(entry.path))
                    else:
                        entry.stat()
    return time.monotonic() - start


def _watch(running: Running, folder: Path) -> tuple[float, float]:
    start = time.monotonic()
    running.post("/api/roots/1/watch", {"enabled": True})
    while running.get("/api/watches")["items"][0]["state"] != "watching":
        time.sleep(0.1)
    ready = time.monotonic()
    (folder / "0000" / "new.jpg").write_bytes(b"new")
    while running.get("/api/watches")["items"][0]["last_new_at"] is None:
        time.sleep(0.05)
    return ready - start, time.monotonic() - ready


def _scan(running: object, folder: Path) -> tuple[float, int]:
    """Seconds, and how many files were skipped as known."""
    start = time.monotonic()
    import_id = running.start_import(folder)  # type: ignore[attr-defined]
    while (seen := running.progress(import_id))["state"] == "scanning":  # type: ignore[attr-defined]
        time.sleep(0.1)
    return time.monotonic() - start, seen["skipped"]
