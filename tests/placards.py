"""What a worker would answer about placards."""

from typing import Any

from orchestrator.broker import Incoming
from shared.contracts import curate
from shared.contracts.answers import Done
from tests.archive import Archive

WORDS = {"described_by": "llava", "prompt_version": 1, "subject": "A red corner", "content_type": "abstract"}


async def described(archive: Archive, **words: Any) -> None:
    """What waits to be described is."""
    rows = await archive.sql(
        "UPDATE stage_runs SET state = 'published' WHERE stage = 'curate' AND state = 'queued'"
        " RETURNING run_id, request"
    )
    for row in rows:
        result = curate.Result.model_validate({"photo_id": row["request"]["photo_id"], **WORDS, **words})
        answer = Done(stage="curate", run_id=row["run_id"], attempt=1, result=result.model_dump(mode="json"))
        await archive.apply([Incoming(answer.model_dump_json().encode(), str(row["run_id"]), "results", {})])
