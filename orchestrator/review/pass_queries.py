"""Passes as they are shown: their stops in the frozen order, and how far the person is."""

from typing import Literal

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.models import ReviewPass
from orchestrator.photos.queries import Selection, photos_by_id
from orchestrator.photos.views import PhotoItem

Kind = Literal["cull", "rate"]
Way = Literal["next", "previous"]


class Stop(BaseModel):
    """`frames` of a burst take part at this stop; 1 for a photo alone. `photo` is the one that the stop shows: the
    frame that was proposed, or the best of those that are left once that one is rejected."""

    place: int  # from 1
    frames: int
    decided: bool
    photo: PhotoItem


class Stops(BaseModel):
    """A photo that was removed meanwhile leaves a gap; the others keep their places."""

    n: int
    items: list[Stop]


class Progress(BaseModel):
    """`passed_over` are stops that nothing was decided about, `more` those that came since the pass was opened and are
    in none of its places yet, `to_rate` all kept photos without stars."""

    n: int
    position: int
    kept: int
    rejected: int
    passed_over: int
    more: int
    to_rate: int


def undecided(kind: Kind, photo: str) -> str:
    """The SQL condition for what a pass is about; `photo` is the name of the table there."""
    if kind == "cull":
        decisions = ("user_rating IS NOT NULL", "manual_match", "kept_at IS NOT NULL", "rejected_at IS NOT NULL")
        said = " OR ".join(f"{photo}.{decision}" for decision in decisions)
        return f"NOT ({said})"
    return f"({photo}.kept_at IS NOT NULL AND {photo}.rejected_at IS NULL AND {photo}.user_rating IS NULL)"


def visible(photo: str) -> str:
    return f"{photo}.preview IS NOT NULL AND {photo}.deleted_at IS NULL"


def newcomers(kind: Kind) -> str:
    """The SQL for photos that belong into the pass :pass_id and have no place in it. Of a burst the best frame that
    nothing is decided about stands for all."""
    is_in_it = "EXISTS (SELECT 1 FROM review_pass_items AS i WHERE i.pass_id = :pass_id AND i.photo_id = p.id)"
    if kind == "rate":
        return f"""
            SELECT p.id, p.captured_at, p.user_rating FROM photos AS p
            WHERE {visible("p")} AND p.kept_at IS NOT NULL AND p.rejected_at IS NULL AND NOT {is_in_it}
        """
    return f"""
        SELECT DISTINCT ON (coalesce(b.id, -p.id)) p.id, p.captured_at, p.user_rating, p.preference_score,
          b.id AS burst_id
        FROM photos AS p
        LEFT JOIN bursts AS b ON b.id = p.burst_id AND b.size > 1 AND p.burst_dissolved_at IS NULL
        WHERE {visible("p")} AND {undecided("cull", "p")} AND NOT {is_in_it}
          AND (p.burst_dissolved_at IS NOT NULL OR p.burst_id IS NULL OR p.burst_id NOT IN (
            SELECT i.burst_id FROM review_pass_items AS i WHERE i.pass_id = :pass_id AND i.burst_id IS NOT NULL))
        ORDER BY coalesce(b.id, -p.id), p.id = b.best_id DESC, p.sharpness_score DESC NULLS LAST, p.id
    """


def _stops(kind: Kind) -> str:
    """The stops with what they show now. Once the frame that a stop proposed is rejected, the best of the others is
    next: none of them goes by unseen."""
    is_next = f"{undecided(kind, 'best')} AND {visible('best')} AND best.burst_dissolved_at IS NULL"
    return f"""
        SELECT i.place, coalesce(best.id, p.id) AS photo_id, greatest(b.size, 1) AS frames, i.burst_id,
          p.kept_at IS NOT NULL AND p.rejected_at IS NULL AS is_kept,
          best.id IS NOT NULL OR {undecided(kind, "p")} AS is_undecided
        FROM review_pass_items AS i
        JOIN photos AS p ON p.id = i.photo_id AND {visible("p")}
        LEFT JOIN bursts AS b ON b.id = p.burst_id AND i.burst_id IS NOT NULL AND p.burst_dissolved_at IS NULL
        LEFT JOIN LATERAL (  -- one at a time: without statistics a join over all photos is taken for cheap
          SELECT best.id FROM photos AS best
          WHERE best.id = b.best_id AND p.rejected_at IS NOT NULL AND {is_next} LIMIT 1
        ) AS best ON true
        WHERE i.pass_id = :pass_id
    """


async def position(session: AsyncSession, found: ReviewPass, kind: Kind) -> int:
    """The first place where nothing is decided; one past the last when there is none."""
    query = f"{_stops(kind)} AND (best.id IS NOT NULL OR {undecided(kind, 'p')}) ORDER BY i.place LIMIT 1"
    first = (await session.execute(text(query), {"pass_id": found.id})).first()
    return int(first.place) if first else found.n + 1


async def stops(session: AsyncSession, found: ReviewPass, kind: Kind, first: int, limit: int) -> Stops:
    query = f"{_stops(kind)} AND i.place >= :first ORDER BY i.place LIMIT :limit"
    rows = (await session.execute(text(query), {"pass_id": found.id, "first": first, "limit": limit})).all()
    items = await photos_by_id(session, Selection(filter=None), [row.photo_id for row in rows])
    photos = {photo.id: photo for photo in items}
    return Stops(
        n=found.n,
        items=[
            Stop(place=row.place, frames=row.frames, decided=not row.is_undecided, photo=photos[row.photo_id])
            for row in rows
            if row.photo_id in photos
        ],
    )


async def burst_from(session: AsyncSession, found: ReviewPass, kind: Kind, place: int, way: Way) -> int | None:
    """The place of the next stop after `place` that is a burst, or of the one before it; None when there is none."""
    beyond, order = ("i.place > :place", "ASC") if way == "next" else ("i.place < :place", "DESC")
    query = f"{_stops(kind)} AND {beyond} AND b.size > 1 ORDER BY i.place {order} LIMIT 1"
    first = (await session.execute(text(query), {"pass_id": found.id, "place": place})).first()
    return int(first.place) if first else None


async def progress(session: AsyncSession, found: ReviewPass, kind: Kind) -> Progress:
    kept_frame = (
        "SELECT 1 FROM photos f WHERE f.burst_id = s.burst_id AND f.kept_at IS NOT NULL AND f.rejected_at IS NULL"
    )
    counted = await session.execute(
        text(
            "SELECT count(*) FILTER (WHERE is_kept) AS kept, count(*) FILTER (WHERE is_undecided) AS passed_over,"
            " count(*) FILTER (WHERE NOT is_kept AND NOT is_undecided) AS rejected FROM ("
            f"SELECT is_kept OR EXISTS ({kept_frame}) AS is_kept, is_undecided FROM ({_stops(kind)}) AS s) AS stops"
        ),
        {"pass_id": found.id},
    )
    row = counted.one()
    more = f"SELECT count(*) FROM ({newcomers(kind)}) AS new WHERE user_rating IS NULL"
    to_rate = text(f"SELECT count(*) FROM photos AS p WHERE {visible('p')} AND {undecided('rate', 'p')}")
    return Progress(
        n=found.n,
        position=await position(session, found, kind),
        kept=row.kept,
        rejected=row.rejected,
        passed_over=row.passed_over,
        more=await session.scalar(text(more), {"pass_id": found.id}) or 0,
        to_rate=await session.scalar(to_rate) or 0,
    )
