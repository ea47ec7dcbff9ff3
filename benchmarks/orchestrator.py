"""An orchestrator with some stages only: `python -m benchmarks.orchestrator FD STAGE ...`."""

import socket
import sys
from collections.abc import Sequence

import uvicorn
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.stages import noop
from orchestrator.app import create_app
from orchestrator.pipeline import PIPELINE, Step
from orchestrator.stage_results import Applied
from shared import logs
from shared.settings import Settings


async def apply_nothing(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    return []


def main() -> None:
    settings = Settings()
    logs.configure(settings.log_format, "orchestrator")
    known = {step.stage: step for step in PIPELINE}
    known["noop"] = Step("noop", noop.Request, noop.Result, apply_nothing, batch=noop.stage.batch)
    app = create_app(settings, tuple(known[stage] for stage in sys.argv[2:]))
    uvicorn.Server(uvicorn.Config(app, access_log=False)).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
