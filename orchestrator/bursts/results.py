"""Taking in the bursts that were found. The answer names a file, which is read afterwards: other answers go on."""

import asyncio
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.bursts import frames, sizes
from orchestrator.bursts.membership import Member, moves
from orchestrator.bursts.sizes import TAKES_PART
from orchestrator.stage_results import Applied
from shared.claims import ClaimStore
from shared.contracts import bursts

log = structlog.get_logger()


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Note the newest result; `take_in` follows."""
    newest = max((cast(bursts.Result, one.result) for one in applied), key=lambda result: result.seq)
    await session.execute(
        text("UPDATE burst_state SET found_claim = :claim, found_seq = :seq WHERE found_seq < :seq"),
        {"claim": newest.file_path, "seq": newest.seq},
    )
    return []


@dataclass(frozen=True)
class Found:
    """`group_of`: photo -> number of its group. `scope` are the photos that were looked at; None for all."""

    group_of: dict[int, int]
    is_bracket: Sequence[bool]
    scope: frozenset[int] | None


async def take_in(session: AsyncSession, claims: ClaimStore) -> None:
    """Bring the bursts to what was found last, if that has not been done. Run now and then."""
    row = (
        await session.execute(
            text(
                "SELECT found_claim, found_seq, request->>'file_path' AS searched FROM burst_state"
                " LEFT JOIN stage_runs ON stage = 'bursts' AND CAST(request->>'seq' AS bigint) = found_seq"
                " WHERE found_claim IS NOT NULL"
            )
        )
    ).first()
    if row is None:
        return
    found = await asyncio.to_thread(_read, claims, row.found_claim, row.searched)
    if found is not None:
        await change(session, found)
        await forget_new(session, row.found_seq)
    else:  # who knows what was in it: the next search is for all
        await session.execute(text("UPDATE burst_state SET whole_seq = found_seq + 1"))
    await session.execute(
        text("UPDATE burst_state SET found_claim = NULL WHERE found_claim = :claim"), {"claim": row.found_claim}
    )


async def forget_new(session: AsyncSession, seq: int) -> None:
    """The wish `seq` is fulfilled."""
    await session.execute(text("DELETE FROM new_frames WHERE seq <= :seq"), {"seq": seq})


def _read(claims: ClaimStore, claim: str, searched: str | None) -> Found | None:
    """None when a file is gone or broken: the next search finds the bursts again."""
    try:
        if searched is None:
            raise ValueError("nobody asked for it")
        with claims.open(searched) as file, np.load(file, allow_pickle=False) as columns:
            scope = frames.scope_of(columns)
        with claims.open(claim) as file, np.load(file, allow_pickle=False) as columns:
            group_of = dict(zip(columns["photo_ids"].tolist(), columns["groups"].tolist(), strict=True))
            found = Found(group_of, columns["is_bracket"].tolist(), scope)
        if not set(group_of.values()) <= set(range(len(found.is_bracket))):
            raise ValueError("a group is not described")
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as exc:
        log.warning("bursts.unreadable", claim=claim, error=str(exc))
        return None
    return found


async def change(session: AsyncSession, found: Found) -> None:
    """Photos join and leave bursts; those whose burst stays the same are not touched. What the person decided since
    the frames were listed holds: a photo that was rejected meanwhile joins nothing."""
    group_of = await _still_there(session, found.group_of)
    known = await _members(session, found.scope)
    difference = moves(known, group_of)
    burst_of = await _bursts(session, set(group_of.values()), difference.burst_of)
    now_in = {member.photo_id: member.burst_id for member in known}
    wanted = {photo: burst_of[group] for photo, group in group_of.items()} | dict.fromkeys(difference.leaving)
    moving = {photo: burst for photo, burst in wanted.items() if now_in.get(photo) != burst}
    await _move(session, moving)
    await _name_kinds(session, burst_of, found.is_bracket)
    left = {now_in[photo] for photo in moving if photo in now_in}
    await sizes.refresh(session, sorted(left | set(burst_of.values())))
    await session.execute(text("DELETE FROM bursts WHERE NOT EXISTS (SELECT 1 FROM photos WHERE burst_id = bursts.id)"))
    if difference.leaving:
        await events.record(session, events.PHOTOS, list(difference.leaving))
    log.info("bursts.taken_in", bursts=len(burst_of), photos=len(group_of), moved=len(moving))


async def _still_there(session: AsyncSession, group_of: dict[int, int]) -> dict[int, int]:
    """Without photos that take part no more, and groups of which one is left."""
    rows = await session.execute(
        text(f"SELECT id FROM photos WHERE id = ANY(:ids) AND {TAKES_PART}"), {"ids": list(group_of)}
    )
    there = set(rows.scalars())
    left = Counter(group for photo, group in group_of.items() if photo in there)
    return {photo: group for photo, group in group_of.items() if photo in there and left[group] > 1}


async def _members(session: AsyncSession, scope: frozenset[int] | None) -> list[Member]:
    """Of the bursts that were looked at. A frame that was not may be in one of them: it stays where it is."""
    members = f"SELECT id, burst_id, {TAKES_PART} AS takes_part FROM photos WHERE"
    if scope is None:
        rows = await session.execute(text(f"{members} burst_id IS NOT NULL"))
        return [Member(*row) for row in rows]
    of_these = "burst_id IN (SELECT burst_id FROM photos WHERE id = ANY(:ids) AND burst_id IS NOT NULL)"
    rows = await session.execute(text(f"{members} {of_these}"), {"ids": list(scope)})
    return [Member(*row) for row in rows if row.id in scope or not row.takes_part]


async def _bursts(session: AsyncSession, groups: set[int], known: Mapping[int, int]) -> dict[int, int]:
    """The burst of each group; new ones for groups that have none yet. `sizes.refresh` fills in the rest."""
    new = sorted(groups - known.keys())
    ids = await session.scalars(
        text(
            "INSERT INTO bursts (kind, size, started_at) SELECT 'burst', 0, 'epoch' FROM generate_series(1, :n)"
            " RETURNING id"
        ),
        {"n": len(new)},
    )
    return {**{group: burst for group, burst in known.items() if group in groups}, **dict(zip(new, ids, strict=True))}


async def _move(session: AsyncSession, burst_of: dict[int, int | None]) -> None:
    ids = sorted(burst_of)
    if not ids:
        return
    # Decisions lock photos in this order too.
    await session.execute(text("SELECT id FROM photos WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": ids})
    await session.execute(
        text(
            "UPDATE photos SET burst_id = new.burst FROM unnest(CAST(:ids AS bigint[]), CAST(:bursts AS bigint[]))"
            " AS new (id, burst) WHERE photos.id = new.id"
        ),
        {"ids": ids, "bursts": [burst_of[photo] for photo in ids]},
    )


async def _name_kinds(session: AsyncSession, burst_of: Mapping[int, int], is_bracket: Sequence[bool]) -> None:
    rows = await session.execute(
        text(
            "UPDATE bursts SET kind = now.kind FROM unnest(CAST(:ids AS bigint[]), CAST(:kinds AS text[]))"
            " AS now (id, kind) WHERE bursts.id = now.id AND bursts.kind <> now.kind RETURNING bursts.id"
        ),
        {
            "ids": list(burst_of.values()),
            "kinds": ["bracket" if is_bracket[group] else "burst" for group in burst_of],
        },
    )
    await sizes.tell(session, list(rows.scalars()))
