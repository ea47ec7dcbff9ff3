"""`python -m workers [stage ...]`: supervise workers of these stages, or of all of them."""

import argparse
import os
import signal
import sys
import threading

import structlog

from shared import logs
from shared.settings import Settings
from shared.topology import topology
from shared.wrong_settings import STATUS, WrongSettings, read_settings
from workers.exposition import FOLDER_VARIABLE, Exposition, count_as
from workers.heartbeat import complaint
from workers.lifeline import die_with_parent
from workers.niceness import step_back
from workers.supervisor import Supervisor

ALL_STAGES = ("convert", "render", "curate", "embed", "train", "score", "bursts")
SHARING_ONE_PROCESS = ("score", "train", "bursts")
WAITED_FOR = ("render",)  # by a person who looks at a photo
YIELDING = 10  # niceness of all others, above the supervisor's


def main() -> None:
    arguments = parser().parse_args()
    try:
        settings = read_settings()
    except WrongSettings as exc:
        print(exc.message, file=sys.stderr)
        sys.exit(STATUS)
    if arguments.check:
        sys.exit(_complaint(settings))
    logs.configure(settings.log_format, "worker")
    if settings.rabbitmq_url is None:
        sys.exit("keepers-worker: set RABBITMQ_URL to the broker that the orchestrator uses.")
    die_with_parent()
    if arguments.child:
        _consume(settings, settings.rabbitmq_url, arguments)
    else:
        _supervise(settings, arguments)


def _complaint(settings: Settings) -> str | None:
    if settings.worker_heartbeat is None:
        return "keepers-worker: set WORKER_HEARTBEAT to the file that the workers were started with."
    return complaint(settings.worker_heartbeat)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keepers-worker", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="stage", default=list(ALL_STAGES), help="default: all")
    parser.add_argument("--from", dest="package", default="workers.stages", help="the package that defines the stages")
    parser.add_argument("--check", action="store_true", help="only say whether the workers that run here are well")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--watch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    return parser


def _supervise(settings: Settings, arguments: argparse.Namespace) -> None:
    exposition = Exposition(settings.metrics_host, settings.metrics_port) if settings.metrics_port else None
    replicas = _replicas(arguments.stages, settings)
    Supervisor(replicas, ["--from", arguments.package], settings.worker_heartbeat, exposition).run()
    if exposition is not None:
        exposition.close()


def _replicas(stages: list[str], settings: Settings) -> dict[tuple[str, ...], int]:
    """How many processes each group of stages gets. What is light or rare shares one."""
    together = tuple(stage for stage in stages if stage in SHARING_ONE_PROCESS)
    wanted = {"convert": settings.convert_workers, "curate": settings.curate_concurrency}
    alone = {(stage,): wanted.get(stage, 1) for stage in stages}
    groups = {group: count for group, count in alone.items() if group[0] not in together}
    return groups | ({together: 1} if together else {})


def _consume(settings: Settings, rabbitmq_url: str, arguments: argparse.Namespace) -> None:
    if FOLDER_VARIABLE in os.environ:
        count_as(arguments.place)
    from workers import metrics
    from workers.consumer import Consumer
    from workers.stage import load
    from workers.tools import Tools
    from workers.watch import Watch
    from workers.workbench import Workbench

    structlog.contextvars.bind_contextvars(worker="+".join(arguments.stages))
    if not set(arguments.stages) <= set(WAITED_FOR):
        step_back(YIELDING)
    stages = [load(name, arguments.package) for name in arguments.stages]
    for stage in stages:
        metrics.begin(stage.name)
    tools = Tools(settings)
    consumer = Consumer(
        rabbitmq_url,
        topology(settings.topology_prefix, arguments.stages, settings.retry_delays_ms),
        stages,
        Workbench(tools, Watch(arguments.watch) if arguments.watch is not None else None),
    )
    signal.signal(signal.SIGTERM, lambda *_: consumer.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.current_thread().name = "broker"
    consumer.run()
    tools.close()


if __name__ == "__main__":
    main()
