"""Placards made, made again and removed. Each stage works on one under a job of its own, before all photos of imports:
no photo of the archive is ever one of them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import identity_lock, runs
from orchestrator.answers import Refused
from orchestrator.curation import requests as curation
from orchestrator.models import Placard
from orchestrator.photos import sweeper
from orchestrator.placards.uploads import Upload
from shared.claims import CLAIMS_DISK, ClaimStore, claim_of
from shared.contracts import Message, convert

URGENT = -1  # goes to the queues that are worked first
UNKNOWN = "There is no placard with this number."
_STARTED = ("queued", "published", "retrying", "held", "done")


async def accept(session: AsyncSession, claims: ClaimStore, upload: Upload, file_name: str) -> int:
    """The placard of these bytes: a new one, or the one that is there, which is tried again if it failed."""
    await identity_lock.take(session)
    placard_id = await session.scalar(
        text(
            "INSERT INTO placards (content_hash, file_name, upload, size) VALUES (:hash, :name, :upload, :size)"
            " ON CONFLICT (content_hash) DO UPDATE SET dropped_at = now() RETURNING id"
        ),
        {"hash": upload.content_hash, "name": file_name, "upload": upload.claim, "size": upload.size},
    )
    assert placard_id is not None
    await again(session, claims, placard_id)
    return int(placard_id)


async def again(session: AsyncSession, claims: ClaimStore, placard_id: int, *, words_too: bool = False) -> None:
    """Start what is not done and not under way; `words_too`: describe it again although it was. Under the identity
    lock."""
    placard = await session.get(Placard, placard_id, populate_existing=True)
    if placard is None:
        raise Refused(404, "unknown_placard", UNKNOWN)
    states = await _states(session, placard_id)
    if states.get("convert") not in _STARTED:
        await _queue(session, placard_id, "convert", _conversion(placard, claims))
    elif placard.preview and (states.get("curate") not in _STARTED or (words_too and states["curate"] == "done")):
        await describe(session, placard)


async def describe(session: AsyncSession, placard: Placard) -> None:
    """To be called once it has a preview."""
    assert placard.preview is not None
    request = await curation.of_picture(session, number_of(placard.id), placard.preview, placard.exif)
    await _queue(session, placard.id, "curate", request)


async def remove(session: AsyncSession, placard_id: int) -> None:
    """The sweeper removes its files a day later, if nothing else needs them by then."""
    await identity_lock.take(session)
    removed = await session.execute(
        text("DELETE FROM placards WHERE id = :id RETURNING upload, preview, thumbnail"), {"id": placard_id}
    )
    files = removed.first()
    if files is None:
        raise Refused(404, "unknown_placard", UNKNOWN)
    subject = {"subject": job_of(placard_id)}
    await session.execute(text("DELETE FROM stage_runs WHERE subject = :subject"), subject)
    await session.execute(
        text("UPDATE dead_letters SET state = 'resolved' WHERE subject = :subject AND state <> 'resolved'"), subject
    )
    await sweeper.consider(session, files)


def job_of(placard_id: int) -> str:
    """The subject of its runs."""
    return f"placard:{placard_id}"


def number_of(placard_id: int) -> int:
    """What its messages say as `photo_id`: below zero, as no photo's number is."""
    return -placard_id


async def _states(session: AsyncSession, placard_id: int) -> dict[str, str]:
    rows = await session.execute(
        text("SELECT stage, state FROM stage_runs WHERE stage IN ('convert', 'curate') AND subject = :subject"),
        {"subject": job_of(placard_id)},
    )
    return {row.stage: row.state for row in rows}


def _conversion(placard: Placard, claims: ClaimStore) -> convert.Request:
    """Its drive is the place of derived files: without that nothing can be converted."""
    return convert.Request(
        photo_id=number_of(placard.id), file_path=placard.upload, root=claim_of(claims.place), root_key=CLAIMS_DISK
    )


async def _queue(session: AsyncSession, placard_id: int, stage: str, request: Message) -> None:
    await runs.queue(session, [runs.NewRun(stage, None, request, priority=URGENT, job=job_of(placard_id))])
