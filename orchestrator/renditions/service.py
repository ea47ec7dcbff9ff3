"""Asking for renditions: what is there is answered, the rest is queued, the newest wish first."""

import asyncio
import os
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import runs
from orchestrator.db import Sessions
from orchestrator.imports.roots import root_key
from orchestrator.photos import sweeper
from orchestrator.photos.addresses import preview_url, rendition_url
from orchestrator.photos.missing import NOT_THERE
from orchestrator.renditions import queries
from orchestrator.renditions.queries import Asked, File
from orchestrator.renditions.views import NoRendition, Rendition, Renditions
from shared.claims import ClaimStore, claim_of
from shared.contracts import render
from shared.contracts.render import Size

STAGE = "render"
# All are urgent. A person who looks comes before an export, and before what that person has passed by.
LOOKING, PASSED_BY, EXPORTING = -1_000, -100, -10
GIVEN_UP_SECONDS = 10.0  # one that was passed by and has waited for so long is wanted no more

UNDER_WAY = ("queued", "published", "retrying")


async def wish(
    sessions: Sessions, claims: ClaimStore, ids: Sequence[int], size: Size, first_priority: int = LOOKING
) -> Renditions:
    """What there is of these renditions; what there is not is put into the outbox, in this order.

    Their place may be slow to answer: nothing is locked until it has, and no connection is kept.
    """
    wanted = list(dict.fromkeys(ids))
    async with sessions() as session:
        found = await queries.asked(session, wanted, size)
    missing = await asyncio.to_thread(_missing, claims, found)
    async with sessions.begin() as session:
        return await _wish(session, missing, wanted, size, first_priority)


async def _wish(
    session: AsyncSession, missing: set[str], ids: Sequence[int], size: Size, first_priority: int
) -> Renditions:
    await _lock(session, ids, size)
    if first_priority == LOOKING:
        await _overtake(session, size)
    found = await queries.asked(session, ids, size)
    answer = Renditions(ready=[], pending=[], failed=[])
    new: list[runs.NewRun] = []
    for place, photo in enumerate(found):
        if ready := _ready(photo, size, missing):
            answer.ready.append(ready)
        elif trouble := _trouble(photo):
            answer.failed.append(NoRendition(id=photo.id, message=trouble))
        else:
            answer.pending.append(photo.id)
            new.append(_run(photo, first_priority + place))
    await _forget(session, missing)
    await _queue(session, found, new)
    await _note_use(session, [photo.made.claim for photo in found if photo.made])
    return answer


async def wish_alone(sessions: Sessions, claims: ClaimStore, ids: Sequence[int]) -> Renditions:
    """In full size, for an export: after all that somebody looks at."""
    return await wish(sessions, claims, ids, "full", EXPORTING)


async def _lock(session: AsyncSession, ids: Sequence[int], size: Size) -> None:
    """In the order in which answers lock what they are about: neither can wait for the other in a circle."""
    await session.execute(
        text(
            "SELECT id FROM stage_runs WHERE id = ANY(ARRAY("
            " SELECT id FROM stage_runs WHERE stage = :stage AND subject = ANY(:subjects)"
            " UNION SELECT id FROM stage_runs WHERE stage = :stage AND state = 'queued' AND priority <= :passed_by"
            ")) ORDER BY id FOR UPDATE"
        ),
        {
            "stage": STAGE,
            "passed_by": PASSED_BY,
            "subjects": [f"{photo}:{kept_as}" for photo in ids for kept_as in {size, "full"}],
        },
    )


async def _overtake(session: AsyncSession, size: Size) -> None:
    """What earlier wishes of this size still wait for comes later, also where that is kept in full because it is no
    larger; what has waited for long is given up."""
    await session.execute(
        text(
            "UPDATE stage_runs SET priority = :passed_by, state = CASE"
            " WHEN queued_at < now() - make_interval(secs => :patience) THEN 'cancelled' ELSE state END"
            " WHERE stage = :stage AND state = 'queued' AND priority <= :passed_by AND (request->>'size' = :size"
            "  OR (request->>'size' = 'full' AND CAST(request->>'long_edge' AS int) <= CAST(:edge AS int)))"
        ),
        {
            "stage": STAGE,
            "size": size,
            "edge": render.EDGES[size],
            "passed_by": PASSED_BY,
            "patience": GIVEN_UP_SECONDS,
        },
    )


def _missing(claims: ClaimStore, found: Sequence[Asked]) -> set[str]:
    """Renditions that were removed from the disk by somebody else."""
    made = {photo.made.claim for photo in found if photo.made}
    there = claims.stats(made)
    return {claim for claim in made if claim not in there or not there[claim].size}


def _ready(photo: Asked, size: Size, missing: set[str]) -> Rendition | None:
    if photo.name is None or photo.preview is None:
        return None
    if photo.has_all_in_preview:
        width, height = photo.preview_size
        url = preview_url(photo.id, photo.preview) or ""
        return Rendition(id=photo.id, size=size, url=url, width=width, height=height, source=photo.source)
    made = photo.made
    if made is None or made.claim in missing:
        return None
    url = rendition_url(photo.id, photo.kept_as, made.claim)  # one address for one picture
    return Rendition(id=photo.id, size=size, url=url, width=made.width, height=made.height, source=made.source)


def _trouble(photo: Asked) -> str | None:
    """Why it cannot be made now."""
    if photo.name is None:
        return NOT_THERE
    if photo.preview is None or photo.original is None:
        return f"{photo.name} has no preview yet."
    if photo.state == "held" or photo.has_just_failed:
        return photo.trouble or f"{photo.name} cannot be shown in more pixels."
    return None


def _run(photo: Asked, priority: int) -> runs.NewRun:
    assert photo.original is not None
    assert photo.preview is not None
    gate = root_key(photo.root_id)
    request = render.Request(
        photo_id=photo.id,
        file_path=_claim(photo.original),
        root=claim_of(photo.original.root),
        root_key=gate,
        companion=_claim(photo.companion) if photo.companion else None,
        size=photo.kept_as,
        long_edge=photo.long_edge or None,
        preview=photo.preview,
    )
    return runs.NewRun(STAGE, photo.id, request, gate=gate, priority=priority, job=f"{photo.id}:{photo.kept_as}")


def _claim(file: File) -> str:
    return claim_of(os.path.join(file.root, file.path))


async def _forget(session: AsyncSession, missing: set[str]) -> None:
    await session.execute(text("DELETE FROM renditions WHERE claim = ANY(:claims)"), {"claims": list(missing)})
    await sweeper.consider(session, missing)


async def _queue(session: AsyncSession, found: Sequence[Asked], new: Sequence[runs.NewRun]) -> None:
    """One that waits already only changes its place."""
    under_way = {photo.id for photo in found if photo.state in UNDER_WAY}
    await runs.queue(session, [run for run in new if run.photo_id not in under_way])
    waiting = {run.subject: run.priority for run in new if run.photo_id in under_way}
    await session.execute(
        text(
            "UPDATE stage_runs SET priority = least(stage_runs.priority, new.priority), queued_at = now()"
            " FROM unnest(CAST(:subjects AS text[]), CAST(:priorities AS smallint[])) AS new (subject, priority)"
            " WHERE stage = :stage AND stage_runs.subject = new.subject AND state = 'queued'"
        ),
        {"stage": STAGE, "subjects": list(waiting), "priorities": list(waiting.values())},
    )


async def _note_use(session: AsyncSession, claims: Sequence[str]) -> None:
    await session.execute(
        text(
            "UPDATE renditions SET used_at = now() WHERE claim = ANY(:claims) AND used_at < now() - interval '1 minute'"
        ),
        {"claims": list(claims)},
    )
