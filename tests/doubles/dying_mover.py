"""Sets aside, and is killed at one rename: `DATABASE_URL ROOT COUNT RENAME`."""

import asyncio
import os
import signal
import sys

from orchestrator.db import open_engine, open_sessions
from orchestrator.rejects import service
from orchestrator.rejects.service import Move
from tests.rejected import FailingDisk


async def main() -> None:
    url, root, count, at = sys.argv[1], *map(int, sys.argv[2:])
    sessions = open_sessions(open_engine(url))
    await service.carry_out(sessions, Move(root, count), lambda batch: None, lambda path: FailingDisk(path, at, _die))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main())
