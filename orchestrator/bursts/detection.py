"""When bursts are looked for: after imports, once they are embedded, and when the person asks. One search at a time."""

import asyncio
import time
from collections.abc import Collection, Sequence

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import runs
from orchestrator.bursts import frames, results
from orchestrator.embedding import service as embedding
from orchestrator.models import CANCELLED, DONE, FAILED
from shared.claims import ClaimStore
from shared.contracts import bursts
from shared.embedding_models import least_burst_cosine

log = structlog.get_logger()

JOB = "archive"
MANY = 2_000  # new frames
EVERY_SECONDS = 1.0  # `keep` is run: somebody may wait for an answer
TIDY_SECONDS = 60.0
OVER = (DONE, FAILED, CANCELLED)
_SEARCHING = 0x62757273  # advisory lock: one orchestrator looks after this

# Photos that are still to be converted or embedded. What is paused or held may take for ever, and is not waited for.
_UNSETTLED = """
SELECT (SELECT coalesce(sum(n), 0) FROM tallies WHERE kind IN ('convert', 'embed')
    AND state IN ('queued', 'published', 'retrying') AND kind NOT IN (SELECT stage FROM stage_pauses)
    AND coalesce(import_id, 0) NOT IN (SELECT id FROM imports WHERE state = 'paused')) > 0
  OR EXISTS (SELECT 1 FROM imports WHERE state = 'scanning')
"""


async def request(session: AsyncSession) -> None:
    """Look for bursts among all frames, now."""
    await session.execute(
        text(
            "UPDATE burst_state SET requested_seq = requested_seq + 1, whole_seq = requested_seq + 1, is_urgent = true"
        )
    )


async def request_around(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    """These frames are new, or look different now: look for bursts around them once imports have settled. Part of the
    transaction of the change."""
    seq = await session.scalar(text("UPDATE burst_state SET requested_seq = requested_seq + 1 RETURNING requested_seq"))
    await session.execute(
        text(
            "INSERT INTO new_frames (photo_id, seq) SELECT id, :seq FROM unnest(CAST(:ids AS bigint[])) AS new (id)"
            " ORDER BY id ON CONFLICT (photo_id) DO UPDATE SET seq = excluded.seq"
        ),
        {"seq": seq, "ids": list(set(photo_ids))},
    )


class Keeping:
    """`keep`, for ever. What is left over is looked for once a minute: in an object store every look is paid for."""

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._tidy_at = 0.0

    async def __call__(self, session: AsyncSession) -> None:
        is_tidying = time.monotonic() >= self._tidy_at
        if is_tidying:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
        await keep(session, self._claims, is_tidying=is_tidying)


async def keep(session: AsyncSession, claims: ClaimStore, *, is_tidying: bool = True) -> None:
    """Take in what was found, and start the search that is wished for. Run now and then; a kill at any moment costs
    nothing but the time, the wish is only fulfilled by an answer."""
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SEARCHING}):
        return
    if is_tidying:
        await _tidy(session, claims)
    await results.take_in(session, claims)
    state = (await session.execute(text("SELECT * FROM burst_state"))).one()
    if await _is_due(session, state):
        await _start(session, state, claims)


async def _is_due(session: AsyncSession, state: Row[tuple[object, ...]]) -> bool:
    if state.found_seq >= state.requested_seq or not await _is_free(session, state.requested_seq):
        return False
    return state.is_urgent or not await session.scalar(text(_UNSETTLED))


async def _is_free(session: AsyncSession, seq: int) -> bool:
    """Whether no search is under way. One that failed is not repeated for the same wish, but for the next."""
    last = (
        await session.execute(
            text("SELECT state, request FROM stage_runs WHERE stage = 'bursts' AND subject = :job"), {"job": JOB}
        )
    ).first()
    return last is None or (last.state in OVER and last.request["seq"] < seq)


async def _start(session: AsyncSession, state: Row[tuple[object, ...]], claims: ClaimStore) -> None:
    model = await embedding.in_force(session)
    if model is None:
        return
    started = time.perf_counter()
    is_whole = state.whole_seq > state.found_seq or state.model != model or await _are_many_new(session)
    if is_whole:  # until this wish is fulfilled, should a search fail
        await session.execute(
            text("UPDATE burst_state SET whole_seq = requested_seq, model = :model"), {"model": model}
        )
    columns = await frames.candidates(session, model, state.gap_seconds, is_whole=is_whole)
    n = len(columns["photo_ids"])
    if n < 2:
        await results.change(session, results.Found({}, [], frames.scope_of(columns)))
        await session.execute(text("UPDATE burst_state SET found_seq = :seq"), {"seq": state.requested_seq})
        await results.forget_new(session, state.requested_seq)
    else:
        wish = bursts.Request(
            seq=state.requested_seq,
            model=model,
            file_path=await frames.store(claims, columns),
            gap_seconds=state.gap_seconds,
            least_cosine=least_cosine(state.least_cosine, state.cosine_model, model),
        )
        await runs.queue(session, [runs.NewRun("bursts", None, wish, job=JOB)])
    await session.execute(text("UPDATE burst_state SET is_urgent = false"))
    log.info("bursts.requested", frames=n, is_whole=is_whole, seconds=round(time.perf_counter() - started, 2))


async def _are_many_new(session: AsyncSession) -> bool:
    """After a large import it is no use to look for what is near."""
    n = await session.scalar(
        text("SELECT count(*) FROM (SELECT FROM new_frames LIMIT :most) AS counted"), {"most": MANY}
    )
    return bool(n == MANY)


def least_cosine(wished: float | None, wished_for: str | None, model: str) -> float:
    """The person's own threshold holds for the embedder they chose it with; another sees other likenesses."""
    return wished if wished is not None and wished_for == model else least_burst_cosine(model)


async def _tidy(session: AsyncSession, claims: ClaimStore) -> None:
    """Remove the files of searches that are over, as of the last commit. One that failed may be put back."""
    rows = await session.execute(text("SELECT state, request FROM stage_runs WHERE stage = 'bursts'"))
    searches = rows.all()
    if any(search.state not in OVER for search in searches):
        return  # its worker may just have written what it found
    found = await session.scalar(text("SELECT found_claim FROM burst_state"))
    needed = {found, *(search.request["file_path"] for search in searches if found or search.state == FAILED)}
    await asyncio.to_thread(_remove_all_but, claims, needed)


def _remove_all_but(claims: ClaimStore, needed: Collection[str | None]) -> None:
    for file in claims.list(frames.FOLDER):
        if file.claim not in needed:
            claims.remove(file.claim)
