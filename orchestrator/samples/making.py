"""Write the sample archive into a folder: the same bytes each time, and no file that is there already."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orchestrator.samples.shots import BURSTS, DAMAGED, RATED, REEXPORTED, ROTATED, SIXTEEN_BIT, WITH_RAW, Shot, singles
from shared.errors import KeepersError


class SamplesNotInstalled(KeepersError):
    """The sample photographs need packages that are not installed."""


@dataclass(frozen=True)
class Sample:
    """One file of the archive: where it goes, and what makes its bytes."""

    path: str
    make: Callable[[], bytes]


def make_samples(folder: Path, seed: int = 2023) -> list[Path]:
    """Write the sample archive and return its files, sidecars included.

    The same seed gives the same bytes; files that exist are left as they are, so that a second call takes no time.
    Raises SamplesNotInstalled.
    """
    try:
        samples = list(_samples(seed))
    except ModuleNotFoundError as exc:
        raise SamplesNotInstalled(
            f"The sample photographs need {exc.name}, which is not installed. Type `pip install 'keepers[samples]'`."
        ) from exc
    return [_written(folder / sample.path, sample.make) for sample in samples]


def _written(path: Path, make: Callable[[], bytes]) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.part")  # a dot-file: never imported, should this be ended half-way
        half.write_bytes(make())
        half.replace(path)
    return path


def _samples(seed: int) -> Iterator[Sample]:
    from orchestrator.samples import files
    from orchestrator.samples.darkroom import Darkroom
    from orchestrator.samples.photographs import credits_text, has_backgrounds

    room = Darkroom(seed)
    shots = singles(has_backgrounds())
    for shot in (*shots, *(frame for burst in BURSTS for frame in burst)):
        yield Sample(shot.path, partial(files.jpeg, room, shot, RATED.get(shot.path, files.NO_RATING)))
    yield from _sidecars(shots)
    yield Sample(ROTATED.path, partial(files.jpeg_on_its_side, room, ROTATED))
    yield Sample(REEXPORTED.path, partial(files.jpeg, room, REEXPORTED))
    yield Sample(SIXTEEN_BIT.path, partial(files.tiff16, room, SIXTEEN_BIT))
    yield Sample(WITH_RAW.path, partial(files.jpeg, room, WITH_RAW))
    yield Sample(_renamed(WITH_RAW, ".DNG"), partial(files.dng, room, WITH_RAW))
    yield Sample(_renamed(WITH_RAW, ".xmp"), partial(files.sidecar, 4))
    yield Sample(DAMAGED.path, partial(files.cut_off, room, DAMAGED))
    yield Sample("2025-06 Card rescue/DSCF6012.JPG", files.no_picture)
    yield Sample("About these photographs.txt", lambda: credits_text().encode())


def _sidecars(shots: list[Shot]) -> Iterator[Sample]:
    """Both styles of naming: `a.xmp` and `a.jpg.xmp`; -1 means that the photo was rejected elsewhere."""
    from orchestrator.samples import files

    yield Sample(_renamed(shots[1], ".xmp"), partial(files.sidecar, 5))
    yield Sample(f"{shots[2].path}.xmp", partial(files.sidecar, 3))
    yield Sample(f"{shots[3].path}.xmp", partial(files.sidecar, -1))


def _renamed(shot: Shot, suffix: str) -> str:
    return str(Path(shot.path).with_suffix(suffix))
