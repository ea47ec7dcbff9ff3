"""What routes work with. `create_app` builds it; nothing else chooses real things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from orchestrator.access.keyring import Keyring
from orchestrator.backups.service import Backups
from orchestrator.broker import QueueState
from orchestrator.db import Sessions
from orchestrator.embedding.background import ClipFetch
from orchestrator.export.service import Exports
from orchestrator.imports.service import Imports
from orchestrator.live import Live
from orchestrator.pipeline import Pipeline
from orchestrator.preferences.service import PreferencesInForce
from orchestrator.taste.artifacts import Artifacts
from shared.claims import ClaimStore
from shared.settings import Settings


@dataclass(frozen=True)
class Services:
    settings: Settings
    sessions: Sessions
    claims: ClaimStore
    live: Live
    keyring: Keyring
    pipeline: Pipeline
    imports: Imports
    clip: ClipFetch
    artifacts: Artifacts
    preferences: PreferencesInForce
    exports: Exports
    backups: Backups
    wake: Callable[[], None]  # the orchestrator that leads, after a commit that queued something
    is_connected: Callable[[], bool]  # to the broker
    trouble_of: Callable[[str], str | None]  # why nothing of a stage can go on
    rate_of: Callable[[str], float | None]  # answers per second of a stage lately
    leads: Callable[[], bool] = bool  # whether this orchestrator does
    queues: Callable[[], Mapping[str, QueueState]] = dict  # of the broker, as they were seen last


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]
