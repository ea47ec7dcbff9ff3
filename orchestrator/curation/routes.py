"""Descriptions as JSON: who makes them, the person's yes, and describing again."""

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.curation import again, service
from orchestrator.curation.queries import Curation, curation
from orchestrator.paging import RowId

router = APIRouter(responses=ERRORS)


class Yes(BaseModel):
    """Names the host, so that nobody agrees to another one than was shown."""

    host: str


class Again(BaseModel):
    described_by: str | None = None  # a model, or `built-in`; null: all that are not of the model and words in use


class Queued(BaseModel):
    queued: int


@router.get("/api/curation")
async def show_curation(services: ServicesDep) -> Curation:
    async with services.sessions() as session:
        return await curation(session, services.settings)


@router.post("/api/curation/consent")
async def consent(services: ServicesDep, yes: Yes) -> Curation:
    """Photos may be sent to this host from now on."""
    async with services.sessions.begin() as session:
        current = await curation(session, services.settings)
        _check_host(yes.host, current)
        await service.allow(session, current.host)
        answer = await curation(session, services.settings)
    services.wake()
    return answer


@router.delete("/api/curation/consent")
async def withdraw_consent(services: ServicesDep, host: str) -> Curation:
    """No more photos may be sent to this host, but for those that are with the workers already."""
    async with services.sessions.begin() as session:
        current = await curation(session, services.settings)
        _check_host(host, current)
        await service.withdraw(session, current.host)
        return await curation(session, services.settings)


def _check_host(host: str, current: Curation) -> None:
    if not current.is_remote or host != current.host:
        raise Refused(409, "other_host", f"Photos would be sent to {current.host}, not to {host}.")


@router.post("/api/photos/{photo_id}/describe", status_code=202)
async def describe_photo(services: ServicesDep, photo_id: RowId) -> Queued:
    """Describe this photo again, before all others."""
    async with services.sessions.begin() as session:
        await service.describe(session, photo_id)
    services.wake()
    return Queued(queued=1)


@router.post("/api/curation/redescribe", status_code=202)
async def redescribe(services: ServicesDep, wish: Again) -> Queued:
    """Describe many photos again, after everything else. Their old descriptions stay until then."""
    async with services.sessions.begin() as session:
        queued = await again.begin(session, services.settings, wish.described_by)
    services.wake()
    return Queued(queued=queued)
