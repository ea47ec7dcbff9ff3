"""Photos that are no part of the archive: dropped on the Import page to be described."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, row_id


class Placard(SQLModel, table=True):
    """One uploaded photo, and what the stages made of it. The same bytes are the same placard."""

    __tablename__ = "placards"
    id: int = row_id()
    content_hash: str = Field(sa_type=Text, unique=True)
    file_name: str = Field(sa_type=Text)  # to read, not to open
    upload: str = Field(sa_type=Text)  # the claim of its bytes
    size: int = Field(sa_type=BigInteger)
    preview: str | None = Field(default=None, sa_type=Text)
    preview_width: int | None = None
    preview_height: int | None = None
    thumbnail: str | None = Field(default=None, sa_type=Text)
    placeholder: str | None = Field(default=None, sa_type=Text)
    damage: str | None = Field(default=None, sa_type=Text)
    exif: Json = json()
    description: Json = json()  # as the curate stage answered; empty until then
    dropped_at: datetime = moment(now=True)
