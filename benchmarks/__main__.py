"""`python -m benchmarks [part ...] [--photos N]`: each part, see PARTS, prints its figure beside its baseline."""

import argparse
import importlib
import os
import tempfile
from pathlib import Path

from benchmarks.system import System

PARTS = (
    "convert", "round_trips", "scan", "bursts", "retrain", "bulk", "taste", "gallery", "scroll", "loupe", "render",
    "growth",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part")
    parser.add_argument("--photos", type=int, default=300, help="24-megapixel JPEGs to convert")
    parser.add_argument("--messages", type=int, default=20_000, help="round trips")
    parser.add_argument("--files", type=int, default=100_000, help="files to scan")
    parser.add_argument(
        "--archive",
        type=int,
        default=100_000,
        help="photos to score after a training, to reject, and to show in the gallery",
    )
    parser.add_argument("--rated", type=int, default=14_000, help="rated photos to train on")
    parser.add_argument("--people", type=int, default=120, help="whose ratings are foretold")
    parser.add_argument("--steps", type=int, default=500, help="photos to step through in the loupe")
    parser.add_argument("--scrolled", type=int, default=100_000, help="thumbnails to scroll through in the gallery")
    parser.add_argument("--rendered", type=int, default=20, help="photos of each kind to render")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    with tempfile.TemporaryDirectory(prefix="keepers-bench-", dir="/var/tmp") as folder, System(Path(folder)) as system:
        for part in options.parts:
            importlib.import_module(f"benchmarks.{part}").run(system, options)


if __name__ == "__main__":
    main()
