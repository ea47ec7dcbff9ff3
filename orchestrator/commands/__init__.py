"""The command line, one module per command: `add(commands)` registers its parser, heavy imports wait for the run."""

from collections.abc import Callable

from orchestrator.commands import (
    backfill,
    backup,
    doctor,
    export,
    models,
    password,
    prune,
    rejects,
    replay,
    samples,
    serve,
    up,
    xmp,
)
from orchestrator.commands.arguments import Commands

COMMANDS: tuple[Callable[[Commands], None], ...] = (
    up.add,
    serve.add,
    samples.add,
    models.add,
    export.add,
    xmp.add,
    doctor.add,
    password.add,
    rejects.add,
    prune.add,
    backfill.add,
    backup.add,
    replay.add,
)
