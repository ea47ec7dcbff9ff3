"""Looking through photos: passes, each in an order of its own that never changes, and whether somebody is at it."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import moment, reference, row_id


class Attention(SQLModel, table=True):
    """One row: until when somebody counts as looking through photos."""

    __tablename__ = "attention"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lasts_until: datetime | None = moment()


class ReviewPass(SQLModel, table=True):
    """`n` is the last place that was given; it rises when new photos are appended, and never falls."""

    __tablename__ = "review_passes"
    id: int = row_id()
    kind: str = Field(sa_type=Text)  # cull, rate
    # Of a cull pass: match, captured, newest. Another wish begins another pass.
    ordering: str = Field(default="match", sa_type=Text, sa_column_kwargs={"server_default": "match"})
    n: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = moment(now=True)


class ReviewPassItem(SQLModel, table=True):
    """A stop of a pass. Of a burst the pass has one stop, which names the frame that was proposed then."""

    __tablename__ = "review_pass_items"
    __table_args__ = (Index("review_pass_items_photo", "photo_id", "pass_id", unique=True),)
    pass_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("review_passes.id", ondelete="CASCADE"), primary_key=True)
    )
    place: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))  # from 1
    photo_id: int = reference("photos.id")
    burst_id: int | None = Field(default=None, sa_type=BigInteger)  # as it was when the stop was made
