"""A photo as JSON: what a card of the grid needs, and what the detail panel shows."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Filter = Literal[
    "all", "match", "nomatch", "rated", "unrated", "for-projects", "bursts", "rejected", "failed"
]  # fmt: skip
Sort = Literal[
    "newest", "captured", "taste", "taste-up", "rating", "sharpness", "exposure", "relevance"
]  # fmt: skip  # relevance: of the words looked for


class Scores(BaseModel):
    """0-100, from image statistics alone; null until the photo is converted."""

    sharpness: float | None
    exposure: float | None
    technical: float | None


class BurstOfPhoto(BaseModel):
    """The frames of one moment that a photo belongs to."""

    id: int
    kind: Literal["burst", "bracket"]
    size: int
    is_best: bool


class PhotoItem(BaseModel):
    id: int
    file_name: str
    file_path: str
    captured_at: datetime | None  # local to the camera
    width: int | None
    height: int | None
    preview_width: int | None
    preview_height: int | None
    placeholder: str | None
    thumbnail_url: str | None
    preview_url: str | None
    scores: Scores
    user_rating: int | None
    manual_match: bool
    preference_score: int | None
    is_match: bool  # picked, or scored so by a taste model that beats guessing
    project: str | None
    kept: bool
    rejected: bool
    set_aside: bool  # its original lies in `_keepers_rejected`
    burst: BurstOfPhoto | None
    subject: str | None
    damage: str | None
    stages: dict[str, str]  # stage -> state of its run


class PhotoList(BaseModel):
    items: list[PhotoItem]
    next: str | None


class Counts(BaseModel):
    all: int
    match: int
    nomatch: int
    rated: int
    unrated: int
    for_projects: int = Field(serialization_alias="for-projects")  # as the filter
    bursts: int
    rejected: int
    failed: int
    as_of_event: int  # changes told by later events may not be counted yet


class Measurements(BaseModel):
    laplacian_variance: float | None
    tile_variance_p95: float | None
    noise_sigma: float | None
    clipped_share: float | None
    perceptual_hash: str | None


class Exif(BaseModel):
    captured_at: datetime | None
    utc_offset_minutes: int | None
    camera_make: str | None
    camera_model: str | None
    lens: str | None
    focal_length_mm: float | None
    aperture: float | None
    shutter_seconds: float | None
    iso: int | None
    exposure_bias_ev: float | None
    focus_distance_m: float | None
    has_gps: bool


class FileOfPhoto(BaseModel):
    path: str
    role: str
    size: int
    modified_at: datetime


class RunOfPhoto(BaseModel):
    stage: str
    state: str
    attempt: int
    error_type: str | None
    error: str | None
    queued_at: datetime
    finished_at: datetime | None


class Description(BaseModel):
    """What a vision model, or the built-in describer, put down. `tags` are the person's once they edited them."""

    subject: str | None
    content_type: str | None
    lighting_critique: str | None
    artistic_mood: str | None
    tags: list[str]
    suggested_tags: list[str]
    described_by: str | None


class PhotoDetail(PhotoItem):
    description: Description
    format: str | None
    source: str | None
    content_hash: str | None
    measurements: Measurements
    exif: Exif
    files: list[FileOfPhoto]
    runs: list[RunOfPhoto]
    created_at: datetime
    updated_at: datetime
