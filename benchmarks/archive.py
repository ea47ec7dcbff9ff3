"""A photographer's archive as rows and pictures, the same for the same seed: shoots of some hundred photos over ten
years, in bursts, from a few cameras, half of it culled and a part of it rated. Nothing of it went through a stage.

`fill` writes it into a migrated database, in place of what was there; with a folder for claims every photo has a
thumbnail and a preview there, each under a name of its own: links to a few hundred pictures.
"""

import base64
import io
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from PIL import Image

START = datetime(2015, 3, 1, 9)
SHAPES = ((3, 2), (2, 3), (4, 3), (16, 9), (1, 1), (12, 5))
SHARES = (0.62, 0.24, 0.06, 0.05, 0.02, 0.01)
PICTURES = 300
CAMERAS = (("Nikon", "Z 6"), ("Nikon", "Z 9"), ("Canon", "EOS R5"), ("FUJIFILM", "X-T5"), ("SONY", "ILCE-7M4"))
LENSES = ("24-70mm f/2.8", "70-200mm f/2.8", "35mm f/1.4", "105mm macro")
SUBJECTS = ("lighthouse", "dog", "mountain", "street at night", "wedding", "harbour", "waterfall", "market", "dancer")
MOODS = ("quiet", "stormy", "tender", "busy", "lonely", "bright")
TYPES = ("portrait", "street", "landscape", "wildlife", "architecture", "other")
PROJECTS = ("Iceland", "Weddings", "Portfolio", "Family", "Street", "Calendar")


def fill(url: str, photos: int, claims: Path | None = None, seed: int = 1) -> None:
    """`url` of PostgreSQL, `claims` empty."""
    random = np.random.default_rng(seed)
    pictures = _pictures(claims, random) if claims else []
    with psycopg.connect(url.replace("+asyncpg", ""), autocommit=True) as connection:
        for statement in _BEFORE:
            connection.execute(statement, {"projects": list(PROJECTS)})
        with connection.cursor() as cursor:
            rows = list(_photos(photos, random, pictures))
            bursts = sorted({row["burst_id"] for row in rows if row["burst_id"]})
            with cursor.copy("COPY bursts (id, kind, size, started_at) FROM STDIN") as copy:
                for burst in bursts:
                    copy.write_row((burst, "burst", 2, START))
            with cursor.copy(f"COPY photos ({', '.join(rows[0])}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(tuple(row.values()))
        for statement in _AFTER:
            connection.execute(statement)
    if claims:
        _link(claims, rows, pictures)


_BEFORE = (
    "TRUNCATE photos, bursts, roots, projects, imports, error_logs, dead_letters, tallies RESTART IDENTITY CASCADE",
    "INSERT INTO roots (path, label, state) VALUES ('/photos', 'photos', 'online')",
    "INSERT INTO projects (name) SELECT unnest(%(projects)s::text[])",
)
_AFTER = (
    """INSERT INTO imports (root_id, folder, label, state, scanned)
       SELECT id, '', 'Shoot ' || n, 'done', true FROM roots, generate_series(1, 20) AS n""",
    """INSERT INTO import_items (import_id, path, state, photo_id)
       SELECT 1 + id * 20 / (SELECT max(id) + 1 FROM photos), convert_to(file_path, 'utf8'), 'done', id FROM photos""",
    """INSERT INTO photo_files (root_id, path, size, mtime_ns, photo_id, role)
       SELECT root_id, convert_to(file_path, 'utf8'), 24000000 + id, id, id, 'original' FROM photos""",
    """INSERT INTO stage_runs (stage, subject, photo_id, run_id, state, finished_at)
       SELECT stage, id::text, id, gen_random_uuid(),
         CASE WHEN stage = 'curate' AND id % 400 = 0 THEN 'failed' ELSE 'done' END, now()
       FROM photos, unnest(ARRAY['convert', 'embed', 'curate']) AS stage""",
    """INSERT INTO dead_letters (run_id, stage, photo_id, reason, error_type, message, body, state)
       SELECT run_id, stage, photo_id, 'rejected', 'BadAnswer', 'The answer was no JSON.', '', 'open' FROM stage_runs
       WHERE state = 'failed'""",
    """INSERT INTO error_logs (run_id, stage, photo_id, attempt, source, final, error_type, message)
       SELECT run_id, stage, photo_id, 1, 'worker', true, 'BadAnswer', 'The answer was no JSON.' FROM stage_runs
       WHERE state = 'failed'""",
    """INSERT INTO rating_events (batch, photo_id, source, before, after)
       SELECT gen_random_uuid(), id, 'person', '{"user_rating": null}', jsonb_build_object('user_rating', user_rating)
       FROM photos WHERE user_rating IS NOT NULL""",
    """UPDATE bursts
       SET size = found.frames, started_at = coalesce(found.started, started_at), best_id = found.best FROM (
         SELECT burst_id, count(*) AS frames, min(captured_at) AS started, min(id) AS best FROM photos
         WHERE burst_id IS NOT NULL AND rejected_at IS NULL GROUP BY burst_id) AS found WHERE found.burst_id = id""",
    "SELECT setval(pg_get_serial_sequence('photos', 'id'), max(id)) FROM photos",
    "SELECT setval(pg_get_serial_sequence('bursts', 'id'), max(id)) FROM bursts",
    "UPDATE taste_state SET is_trusted = true",
    "VACUUM ANALYZE",
)


def _photos(photos: int, random: np.random.Generator, pictures: list["_Picture"]) -> Iterator[dict[str, Any]]:
    """Any: values of columns."""
    shapes = random.choice(len(SHAPES), photos, p=SHARES)
    at = START
    left, burst_left, burst_id = 0, 0, 0
    burst: int | None = None
    camera, lens, subject = CAMERAS[0], LENSES[0], SUBJECTS[0]
    for n in range(photos):
        if left == 0:  # another shoot, days later
            left = int(random.integers(80, 600))
            at = (at + timedelta(days=float(random.exponential(9)) + 1)).replace(hour=int(random.integers(6, 20)))
            camera, lens = CAMERAS[random.integers(len(CAMERAS))], LENSES[random.integers(len(LENSES))]
            subject = SUBJECTS[random.integers(len(SUBJECTS))]
        if burst_left == 0:
            begins = bool(random.random() < 0.08)
            burst_left, burst_id = (int(random.integers(3, 12)), burst_id + 1) if begins else (1, burst_id)
            burst = burst_id if begins else None
        left, burst_left = left - 1, burst_left - 1
        at += timedelta(seconds=0.3 if burst else float(random.exponential(40)) + 1)
        yield _photo(n, int(shapes[n]), at, camera, lens, subject, burst, random.random(8), pictures)


def _photo(  # what a shoot has in common, and what is the photo's own
    n: int,
    shape: int,
    at: datetime,
    camera: tuple[str, str],
    lens: str,
    subject: str,
    burst: int | None,
    chance: NDArray[np.float64],
    pictures: list["_Picture"],
) -> dict[str, Any]:  # Any: values of columns
    wide, high = SHAPES[shape]
    edge = 6000 // max(wide, high)
    preview = 1440 / max(wide, high)
    picture = pictures[(n * len(SHAPES) + shape) % len(pictures)] if pictures else None  # of the same shape
    name = f"DSC_{n % 10_000:04}"
    number = n + 1
    is_culled = chance[0] < 0.5
    is_rejected = is_culled and chance[1] < 0.4
    is_rated = is_culled and not is_rejected and chance[1] < 0.7
    stars = 1 + int(chance[2] * 5) if is_rated else None
    score = int(chance[3] ** 0.7 * 100)
    kind = TYPES[int(chance[4] * len(TYPES))]
    mood = MOODS[int(chance[5] * len(MOODS))]
    key = f"{number:08x}"
    return {
        "id": number,
        "root_id": 1,
        "file_name": f"{name}.NEF",
        "file_path": f"/photos/{at:%Y/%m-%d}/{number // 10_000}/{name}.NEF",
        "content_hash": f"hash-{number}",
        "format": "NEF",
        "width": wide * edge,
        "height": high * edge,
        "preview": f"previews/{key[-2:]}/{key}.jpg",
        "preview_width": round(wide * preview),
        "preview_height": round(high * preview),
        "thumbnail": f"thumbnails/{key[-2:]}/{key}.jpg",
        "placeholder": picture.placeholder if picture else None,
        "sharpness_score": round(30 + chance[6] * 65, 1),
        "exposure_score": round(40 + chance[7] * 60, 1),
        "technical_score": round(35 + (chance[6] + chance[7]) * 30, 1),
        "captured_at": at if chance[2] > 0.02 else None,
        "camera_make": camera[0],
        "camera_model": camera[1],
        "lens": lens,
        "iso": 100 * 2 ** int(chance[5] * 7),
        "subject": f"A {subject} in {mood} light",
        "content_type": kind,
        "artistic_mood": mood,
        "suggested_tags": [subject, mood, kind],
        "described_by": "built-in",
        "user_rating": stars,
        "manual_match": chance[4] < 0.005,
        "kept_at": at if is_culled and not is_rejected else None,
        "rejected_at": at if is_rejected else None,
        "project_id": 1 + int(chance[3] * len(PROJECTS)) if stars and stars > 3 and chance[6] < 0.6 else None,
        "preference_score": score,
        "score_activation": 1,
        "burst_id": burst,
    }


class _Picture:
    """A scene of hills, as a preview and a thumbnail on disk."""

    def __init__(self, folder: Path, n: int, random: np.random.Generator) -> None:
        shape = n % len(SHAPES)
        wide, high = SHAPES[shape]
        image = _hills(wide, high, random)
        self.preview, self.thumbnail = folder / f"preview-{n}.jpg", folder / f"thumbnail-{n}.jpg"
        for path, edge in ((self.preview, 1440), (self.thumbnail, 480)):
            _scaled(image, edge).save(path, "JPEG", quality=80)
        small = io.BytesIO()
        _scaled(image, 16).save(small, "JPEG", quality=40)
        self.placeholder = base64.b64encode(small.getvalue()).decode()


def _pictures(claims: Path, random: np.random.Generator) -> list[_Picture]:
    folder = claims / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    return [_Picture(folder, n, random) for n in range(PICTURES)]


def _hills(wide: int, high: int, random: np.random.Generator) -> Image.Image:
    """Some bands of colour under a sky, and a little noise."""
    height, width = 24 * high // max(wide, high), 24 * wide // max(wide, high)
    sky, ground = random.uniform(60, 250, 3), random.uniform(10, 150, 3)
    rise = height * (0.45 + 0.2 * np.sin(np.linspace(0, random.uniform(2, 7), width) + random.uniform(0, 6)))
    is_ground = np.arange(height)[:, None] > rise
    colours = np.where(is_ground[..., None], ground, sky) + random.normal(0, 9, (height, width, 3))
    return Image.fromarray(colours.clip(0, 255).astype(np.uint8))


def _scaled(image: Image.Image, edge: int) -> Image.Image:
    scale = edge / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)


def _link(claims: Path, rows: list[dict[str, Any]], pictures: list[_Picture]) -> None:
    for kind in ("previews", "thumbnails"):
        for n in range(256):
            (claims / kind / f"{n:02x}").mkdir(parents=True, exist_ok=True)
    by_placeholder = {picture.placeholder: picture for picture in pictures}
    for row in rows:
        picture = by_placeholder[row["placeholder"]]
        os.link(picture.preview, claims / row["preview"])
        os.link(picture.thumbnail, claims / row["thumbnail"])
