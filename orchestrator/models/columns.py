"""Columns that many tables have. Functions, because a column belongs to one table."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, ForeignKey, SmallInteger, Text, column, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

Json = dict[str, Any]  # Any: a JSON column


def last(name: str) -> Any:  # Any: an SQL expression
    """Descending, photos without the value at the end."""
    return column(name).desc().nulls_last()


def row_id() -> Any:  # Any: SQLModel's Field
    return Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))


def reference(target: str, *, nullable: bool = False, ondelete: str = "CASCADE") -> Any:  # Any: SQLModel's Field
    return Field(default=None, sa_column=Column(BigInteger, ForeignKey(target, ondelete=ondelete), nullable=nullable))


def moment(*, now: bool = False) -> Any:  # Any: SQLModel's Field
    default = func.now() if now else None
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=not now, server_default=default))


def json() -> Any:  # Any: SQLModel's Field
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))


def number(default: int) -> Any:  # Any: SQLModel's Field
    return Field(default=default, sa_column=Column(SmallInteger, nullable=False, server_default=str(default)))


def texts() -> Any:  # Any: SQLModel's Field
    return Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
