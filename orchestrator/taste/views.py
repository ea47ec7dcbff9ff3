"""The learned taste as JSON."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from orchestrator.photos.views import PhotoItem
from orchestrator.taste.service import MATCH_SCORE

State = Literal["waiting", "idle", "due", "training", "rescoring"]


class CurvePoint(BaseModel):
    """How good the model was with `n` of the ratings, on others."""

    n: int
    pair_order: float
    spearman: float


class Version(BaseModel):
    """One trained model. The figures are null until it is trained, and when all its ratings are equal."""

    version: int
    state: str  # training, trained, ready, failed, broken
    n: int | None  # ratings
    spearman: float | None
    r2: float | None
    pair_order: float | None  # of two photos with different stars, how often it picks the better one
    interval: tuple[float, float] | None  # the 95 % one of pair_order
    embedding_model: str
    error: str | None
    created_at: datetime
    is_in_force: bool
    can_be_used: bool  # it is not in force, and judges the vectors that are


class TasteOverview(BaseModel):
    sentence: str
    n: int  # rated photos that can be learned from
    rated: int  # also those whose vectors are not there yet
    needed: int  # ratings that are missing
    state: State  # waiting: for ratings
    due_at: datetime | None  # when the next training may start
    problem: str | None  # why the last training came to nothing, or what holds the next one up
    model: Version | None  # in force
    is_trusted: bool  # it beats guessing: scores make a match
    activation: int
    rescored: int  # of `total`, under this activation
    total: int  # photos that can be scored
    histogram: list[int]  # photos by score, in 20 steps of 5; the last one includes 100
    match_score: int = MATCH_SCORE
    curve: list[CurvePoint]
    versions: list[Version]  # newest first


class TasteRows(BaseModel):
    loves: list[PhotoItem]
    rejects: list[PhotoItem]
    disagrees: list[PhotoItem]  # rated one way, expected the other


class Pull(BaseModel):
    """What the rating of one photo adds to the prediction of another, in stars."""

    photo: PhotoItem
    pull: float


class Why(BaseModel):
    """A prediction is the intercept and one pull of every rated photo. `up` and `down` are the strongest ones."""

    photo_id: int
    version: int
    prediction: float  # stars
    score: int
    intercept: float  # stars, before any pull
    up: list[Pull]
    down: list[Pull]
    note: str | None  # when the photo itself is one that was learned from
