"""Indexes of photos that carry what lists are narrowed by, so that these are counted and walked in an index alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VISIBLE = "preview IS NOT NULL AND deleted_at IS NULL"
_FILTERED_BY = ["user_rating", "manual_match", "preference_score"]
_NARROWED_BY = [
    *_FILTERED_BY,
    *("captured_at", "sharpness_score", "exposure_score", "technical_score"),
    *("camera_model", "content_type", "project_id", "burst_id", "burst_dissolved_at"),
]
_SORTED = {
    "photos_captured": "captured_at",
    "photos_sharpness": "sharpness_score",
    "photos_exposure": "exposure_score",
    "photos_taste": "preference_score",
}


def upgrade() -> None:
    newest_first = sa.text("id DESC")
    _again("photos_newest", ["id"], f"{_VISIBLE} AND rejected_at IS NULL", _NARROWED_BY)
    _again(
        "photos_rejected", [newest_first], "rejected_at IS NOT NULL AND deleted_at IS NULL", ["preview", *_NARROWED_BY]
    )
    for name, column in _SORTED.items():
        others = ["rejected_at", *(other for other in _FILTERED_BY if other != column)]
        _again(name, [sa.text(f"{column} DESC NULLS LAST"), newest_first], _VISIBLE, others)


def _again(name: str, keys: list[str | sa.TextClause], where: str, include: list[str]) -> None:
    op.drop_index(name, "photos")
    op.create_index(name, "photos", keys, postgresql_where=sa.text(where), postgresql_include=include)
