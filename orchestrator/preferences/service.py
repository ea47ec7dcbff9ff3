"""The preferences in force. Every orchestrator knows them without asking the database for each page: it hears of a
change, whoever made it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.models import Preference
from orchestrator.preferences import keys
from orchestrator.preferences.keys import ACTIONS
from orchestrator.preferences.views import NewPreferences, Preferences

log = structlog.get_logger()

_AGAIN_SECONDS = 1.0
_CHANGING = 0x6B6565707270  # advisory lock: two changes follow each other
Stored = dict[str, Any]  # Any: JSON


class PreferencesInForce:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._changed = asyncio.Event()
        self.current = Preferences()

    async def load(self) -> None:
        """To be called once the tables are there."""
        async with self._sessions() as session:
            self.current = _preferences(await _stored(session))

    def note_change(self) -> None:
        """Somebody, perhaps another orchestrator, has changed them."""
        self._changed.set()

    async def follow(self) -> None:
        """Until cancelled: load what was changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.load()
            except Exception as exc:
                log.warning("preferences.not_loaded", exc_info=not is_passing_trouble(exc))
                self._changed.set()
                await asyncio.sleep(_AGAIN_SECONDS)

    async def change(self, wish: NewPreferences) -> Preferences:
        """Store what the wish names. Raises Refused for a key that cannot be given."""
        async with self._sessions.begin() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGING})
            stored = await _stored(session)
            for name in wish.model_fields_set:
                value = getattr(wish, name)
                stored[name] = _chosen_keys(stored.get("keys", {}), value) if name == "keys" else value
                await _put(session, name, stored[name])
            changed = _preferences(stored)
            await events.record(session, events.PREFERENCES, [])
        self.current = changed
        return changed


async def _stored(session: AsyncSession) -> Stored:
    rows = await session.scalars(select(Preference))
    return {row.name: row.value for row in rows}


def _preferences(stored: Stored) -> Preferences:
    known = {name: value for name, value in stored.items() if name in Preferences.model_fields and value is not None}
    return Preferences.model_validate({**known, "keys": keys.in_force(known.get("keys", {}))})


async def _put(session: AsyncSession, name: str, value: Any) -> None:  # Any: JSON
    """None makes it usual again."""
    if value is None:
        await session.execute(text("DELETE FROM preferences WHERE name = :name"), {"name": name})
        return
    new = insert(Preference).values(name=name, value=value)
    await session.execute(new.on_conflict_do_update(index_elements=[col(Preference.name)], set_={"value": value}))


def _chosen_keys(stored: keys.Keys, wish: Mapping[str, list[str] | None] | None) -> keys.Keys:
    """Those that differ from the usual ones."""
    if wish is None:
        return {}
    chosen = dict(stored)
    for name, wanted in wish.items():
        if name not in ACTIONS:
            raise Refused(422, "unknown_action", f"No key can be chosen for “{name[:40]}”.")
        chosen.pop(name, None)
        if wanted is not None:
            chosen[name] = [_key(key) for key in dict.fromkeys(wanted)]
    for name in wish:
        # With the usual keys of the others as they are: nobody loses one unasked.
        if found := keys.twice(_all_keys(chosen), name):
            key, other = found
            raise Refused(409, "key_taken", f"“{keys.shown(key)}” does something else already: {other.words}.")
    return {name: mine for name, mine in chosen.items() if name in ACTIONS and mine != list(ACTIONS[name].keys)}


def _all_keys(chosen: keys.Keys) -> keys.Keys:
    return {name: chosen.get(name, list(action.keys)) for name, action in ACTIONS.items()}


def _key(name: str) -> str:
    if not keys.is_key(name):
        raise Refused(422, "no_such_key", f"“{name}” cannot be chosen: Enter, Tab and Esc belong to the page.")
    return name
