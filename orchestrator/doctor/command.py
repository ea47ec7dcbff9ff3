"""`keepers doctor`, on the terminal."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

from orchestrator.doctor import archive, machine, models, previews, services
from orchestrator.doctor.checks import Check, Patient
from orchestrator.embedded.home import services_of
from shared.settings import Settings

_FAILED = 1


def doctor(settings: Settings, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print what every check found. Exit status 1 when something is missing without which Keepers cannot work."""
    checks = asyncio.run(examine(Patient(settings, services_of(settings.keepers_home))))
    is_well = all(check.state != "missing" for check in checks)
    print(_as_json(checks, is_well) if as_json else _as_text(checks, is_well), file=out or sys.stdout)
    return 0 if is_well else _FAILED


async def examine(patient: Patient) -> list[Check]:
    """In the order in which things are needed."""
    return [
        machine.home(patient),
        machine.disk(patient),
        await services.postgresql(patient),
        await services.rabbitmq(patient),
        await asyncio.to_thread(services.keepers, patient),
        *await asyncio.to_thread(services.workers, patient),
        machine.port(patient),
        machine.libraries(patient),
        previews.previews(patient),
        *await archive.archive(patient),
        machine.watches(patient),
        models.embedding(patient),
        await models.descriptions(patient),
    ]


def _as_json(checks: Sequence[Check], is_well: bool) -> str:
    return json.dumps({"ok": is_well, "checks": [asdict(check) for check in checks]}, indent=1)


def _as_text(checks: Sequence[Check], is_well: bool) -> str:
    wide = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.state:<8} {check.name:<{wide}}  {check.sentence}")
        if check.command:
            lines.append(f"{'':<{wide + 11}}{check.command}")
    lines.append("Keepers can work." if is_well else "Something is missing: see above.")
    return "\n".join(lines)
