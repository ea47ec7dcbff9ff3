"""Photos in more pixels than their previews have, kept for as long as there is room."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import moment


class Rendition(SQLModel, table=True):
    """One for each photo and size. Made of what `preview` was made of: with another preview it is out of date."""

    __tablename__ = "renditions"
    __table_args__ = (Index("renditions_claim", "claim"), Index("renditions_used", "used_at"))
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    size: str = Field(sa_type=Text, primary_key=True)  # view, dense, full
    claim: str = Field(sa_type=Text)
    preview: str = Field(sa_type=Text)
    width: int
    height: int
    bytes: int = Field(sa_type=BigInteger)
    source: str = Field(sa_type=Text)
    used_at: datetime = moment(now=True)
