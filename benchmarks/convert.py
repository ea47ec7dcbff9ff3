"""Photos per second: the bare convert function in as many processes, and the same photos through the whole system."""

import argparse
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.system import REPOSITORY, Running, System

SIZE = (6000, 4000)
PICTURES = 6  # different ones; the rest are the same pixels in files that differ


def run(system: System, options: argparse.Namespace) -> None:
    folder = system.folder / "photos"
    make_photos(folder, options.photos)
    processes = os.cpu_count() or 1
    # Before and after, because a machine that others use is not equally fast all the time.
    first = _bare(folder, system.folder / "bare-1", processes)
    system_seconds = _through_the_system(system, folder, options.photos, processes)
    second = _bare(folder, system.folder / "bare-2", processes)
    bare, whole = 2 * options.photos / (first + second), options.photos / system_seconds
    print(f"convert, {options.photos} JPEGs of 24 megapixels, {processes} processes")
    print(
        f"  the bare function    {bare:8.2f} photos/s   ({options.photos / first:.2f}, {options.photos / second:.2f})"
    )
    print(f"  the whole system     {whole:8.2f} photos/s")
    print(f"  ratio                {whole / bare:8.2f}", flush=True)


def make_photos(folder: Path, count: int, size: tuple[int, int] = SIZE) -> None:
    """Photograph-like JPEGs: soft shapes with fine grain, 8 MB each at 24 megapixels, no two files alike."""
    folder.mkdir()
    pictures = [_picture(seed, size) for seed in range(PICTURES)]
    for i in range(count):
        note = f"photo {i}".encode()
        comment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
        data = pictures[i % PICTURES]
        (folder / f"photo-{i:05}.jpg").write_bytes(data[:2] + comment + data[2:])


def _picture(seed: int, size: tuple[int, int]) -> bytes:
    random = np.random.default_rng(seed)
    soft = Image.fromarray(random.integers(0, 256, (60, 90, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = random.normal(0, 6, (size[1], size[0], 1)).astype(np.float32)
    pixels = np.clip(np.asarray(soft, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=92)
    return data.getvalue()


def _bare(folder: Path, home: Path, processes: int) -> float:
    commands = [
        [sys.executable, "-m", "benchmarks.bare_convert", str(folder), str(home), str(i), str(processes)]
        for i in range(processes)
    ]
    started = [
        subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for command in commands
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()  # it has imported everything and converted a first photo
    _read_ahead(folder)
    start = time.monotonic()
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in started:
        process.communicate()
    return time.monotonic() - start


def _read_ahead(folder: Path) -> None:
    """The same start for all: nothing waits to be written, and the files are in memory if they fit."""
    os.sync()
    for file in folder.iterdir():
        file.read_bytes()


def _through_the_system(system: System, folder: Path, photos: int, processes: int) -> float:
    with system.running(["convert"], processes) as running:
        warm = system.folder / "warm"
        warm.mkdir()
        for i in range(processes * 2):  # decode children start with their first photo
            Image.new("RGB", (64 + i, 64)).save(warm / f"{i}.jpg")
        settle(running, running.start_import(warm))
        _read_ahead(folder)
        start = time.monotonic()
        import_id = running.start_import(folder)
        settle(running, import_id)
        seconds = time.monotonic() - start
        assert running.progress(import_id)["done"] == photos, running.progress(import_id)
        return seconds


def settle(running: Running, import_id: int) -> None:
    while running.progress(import_id)["state"] != "done":
        time.sleep(0.1)
