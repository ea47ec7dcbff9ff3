"""Where photos may go to be described: settled at start, and by the person's yes."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import breakers, events
from orchestrator.answers import Refused
from orchestrator.curation import requests
from orchestrator.photos.missing import unknown_photo
from shared import vision_endpoint
from shared.settings import Settings

SOON, LATER = -1, 1  # priorities: asked for now by the person, and by nobody in particular


async def prepare(session: AsyncSession, settings: Settings) -> None:
    """Bring requests and breakers in line with the settings of this start. Called before anything is published: no
    photo reaches a worker that would send it to a host without the person's yes."""
    url = vision_endpoint.address(settings)
    host = vision_endpoint.host_of(url)
    changed = await session.execute(
        text(
            "UPDATE curation_state SET host = :host, may_fall_back = :is_free AND reached_at IS NULL"
            " WHERE (host, may_fall_back) IS DISTINCT FROM (:host, :is_free AND reached_at IS NULL) RETURNING id"
        ),
        {"host": host, "is_free": not vision_endpoint.is_chosen(settings)},
    )
    if changed.first():
        await requests.refresh_all(session)
    needs_yes = vision_endpoint.is_remote(host) and not await has_consent(session, host)
    current = {vision_endpoint.breaker_key(url, settings.llm_model)}
    if needs_yes:
        current.add(vision_endpoint.consent_key(host))
        await breakers.open_for_person(session, vision_endpoint.consent_key(host), "curate", why_waiting(host, 0))
    await _close_all_but(session, current)


async def _close_all_but(session: AsyncSession, keys: set[str]) -> None:
    """Breakers of an endpoint or model that is not asked any more say nothing."""
    found = await session.scalars(
        text("SELECT key FROM breakers WHERE (key LIKE 'vision:%' OR key LIKE 'consent:%') AND key <> ALL(:keys)"),
        {"keys": list(keys)},
    )
    for key in found.all():
        await breakers.close(session, key)


async def has_consent(session: AsyncSession, host: str) -> bool:
    rows = await session.execute(text("SELECT 1 FROM consents WHERE host = :host"), {"host": host})
    return rows.first() is not None


async def allow(session: AsyncSession, host: str) -> None:
    """The person's yes to sending photos to this host. What waited for it goes on."""
    await session.execute(text("INSERT INTO consents (host) VALUES (:host) ON CONFLICT DO NOTHING"), {"host": host})
    await breakers.close(session, vision_endpoint.consent_key(host))
    await events.record(session, events.STAGES, [])


async def withdraw(session: AsyncSession, host: str) -> None:
    """No longer. What waits is held again, and nothing asks whether the host is back; what the workers have already is
    still sent."""
    await session.execute(text("DELETE FROM consents WHERE host = :host"), {"host": host})
    key = vision_endpoint.consent_key(host)
    await breakers.open_for_person(session, key, "curate", why_waiting(host, 0))
    await _close_all_but(session, {key})
    await events.record(session, events.STAGES, [])


def why_waiting(host: str, calls: int) -> str:
    """The sentence of the breaker that waits for a yes."""
    number = f"{calls:,} {'call' if calls == 1 else 'calls'}" if calls else "one call each"
    return f"Photos would be sent to {host}: {number}. Say yes to that on the Import page, or set LLM_BASE_URL."


async def describe(session: AsyncSession, photo_id: int) -> None:
    """Describe one photo again, before all others. Refused when it is not there or has no preview yet."""
    rows = await session.execute(
        text("SELECT preview FROM photos WHERE id = :id AND deleted_at IS NULL"), {"id": photo_id}
    )
    photo = rows.first()
    if photo is None:
        raise unknown_photo()
    if photo.preview is None:
        raise Refused(409, "not_converted", "This photo has no preview yet: it is described once it has one.")
    if not await requests.queue_again(session, "p.id = :id", SOON, id=photo_id):
        await requests.put_first(session, photo_id, SOON)
    await events.record(session, events.PHOTOS, [photo_id])
