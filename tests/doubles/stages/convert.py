"""Stage `convert` with files that do harm, by their names: `killer` ends the worker, `stuck` never ends by itself,
`flaky-N` fails its first N attempts, `wait` waits until a file `go` lies in the claims folder's parent."""

import os
import re
import signal
import time

from shared.claims import path_of
from shared.contracts import Message, convert
from shared.errors import Retry
from workers.stage import Stage, one_by_one
from workers.stages import convert as real
from workers.tools import Tools


def handle(request: convert.Request, tools: Tools) -> Message:
    name = path_of(request.file_path).name
    if name.startswith("killer"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("stuck"):
        time.sleep(3600)
    if (flaky := re.match(r"flaky-(\d+)", name)) and tools.attempt <= int(flaky[1]):
        raise Retry(f"{name} fails at attempt {tools.attempt}.")
    if name.startswith("wait"):
        while not (tools.settings.keepers_home / "go").exists():
            time.sleep(0.02)
    return real.handle(request, tools)


stage = Stage("convert", convert.Request, convert.Result, one_by_one(handle), deadline_seconds=30)
