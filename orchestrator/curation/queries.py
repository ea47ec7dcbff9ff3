"""Who describes the photos, and how far that has come."""

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.curation.service import has_consent
from orchestrator.curation.watching import waiting
from shared import vision_endpoint
from shared.contracts import curate
from shared.settings import Settings


class Described(BaseModel):
    described_by: str  # a model, or `built-in`
    prompt_version: int | None
    photos: int


class Curation(BaseModel):
    """`consent`: whether photos may be sent there; always for a host on this machine or its network."""

    endpoint: str
    host: str
    model: str
    prompt_version: int
    is_remote: bool
    consent: bool
    falls_back: bool  # to the built-in describer, while nothing answers
    waiting: int  # photos, and so at least as many calls
    described: list[Described]


async def curation(session: AsyncSession, settings: Settings) -> Curation:
    url = vision_endpoint.address(settings)
    host = vision_endpoint.host_of(url)
    is_remote = vision_endpoint.is_remote(host)
    rows = await session.execute(
        text(
            "SELECT described_by, prompt_version, count(*) AS photos FROM photos"
            " WHERE described_by IS NOT NULL AND deleted_at IS NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
    )
    falls_back = await session.scalar(text("SELECT may_fall_back FROM curation_state"))
    return Curation(
        endpoint=vision_endpoint.shown(url),
        host=host,
        model=settings.llm_model,
        prompt_version=curate.PROMPT_VERSION,
        is_remote=is_remote,
        consent=not is_remote or await has_consent(session, host),
        falls_back=bool(falls_back) and not vision_endpoint.is_chosen(settings),
        waiting=await waiting(session),
        described=[Described.model_validate(row, from_attributes=True) for row in rows],
    )
