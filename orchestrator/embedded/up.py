"""`keepers up`: the whole of Keepers as child processes of one command."""

import asyncio
import errno
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from orchestrator.access.addresses import is_this_machine
from orchestrator.embedded.children import Child
from orchestrator.embedded.client import Client, client_of
from orchestrator.embedded.home import Home
from orchestrator.embedded.importing import WRONG_FOLDER, Folder, hand_over, import_and_wait, trouble_with
from orchestrator.embedded.postgres import Server
from orchestrator.embedded.processes import last_lines
from orchestrator.embedded.progress import Reporter
from orchestrator.embedded.rabbitmq import Node
from shared.bucket_address import BucketAddress
from shared.errors import KeepersError
from shared.settings import Settings

EVERY_INTERFACE = "0.0.0.0"
DEFAULT_PORT = 8000
_PORTS_TRIED = 50
_READY_SECONDS = 180
_DEATHS_BEFORE_READY = 3
_LOOK_EVERY_SECONDS = 0.25
_NOT_FOR_WORKERS = ("DATABASE_URL", "KEEPERS_PASSWORD", "KEEPERS_PASSWORD_FILE", "METRICS_TOKEN")
_ADDRESS_FILES = ("DATABASE_URL_FILE", "RABBITMQ_URL_FILE")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    photos: Path | BucketAddress | None = None
    watch: bool = False  # and import what comes into the folder later
    once: bool = False
    as_json: bool = False
    host: str = "127.0.0.1"
    lan: bool = False  # the host is every interface: see to a password, and say how a phone finds the page
    port: int | None = None  # None: 8000, or the next one that is free


class Stopped(Exception):
    """Somebody asked Keepers to stop."""


def up(settings: Settings, options: Options, environment: Mapping[str, str]) -> int:
    """Run Keepers until it is stopped, or with `once` until the import is settled. Returns the exit status."""
    reporter = Reporter(sys.stderr if options.as_json else sys.stdout)
    if options.photos is not None and (trouble := trouble_with(options.photos, settings)):
        print(trouble, file=sys.stderr)
        return WRONG_FOLDER
    home = Home(settings.keepers_home)
    if not home.lock():
        return _use_running(home, options, reporter)
    try:
        with _stop_signals():
            return _Run(settings, options, environment, home, reporter).run()
    except Stopped:
        return 130 if options.once else 0


class _Run:
    """Everything that is running, in the order it was started."""

    def __init__(
        self, settings: Settings, options: Options, environment: Mapping[str, str], home: Home, reporter: Reporter
    ) -> None:
        self._settings = settings
        self._options = options
        self._home = home
        self._reporter = reporter
        # Both addresses are handed on as they are: their files must not name them a second time.
        kept = {name: value for name, value in environment.items() if name not in _ADDRESS_FILES}
        self._environment = kept | {"KEEPERS_HOME": str(home.folder)}
        if options.photos is not None:  # a folder named on the command line is a root, wherever it lies
            opened = "OPENED_BUCKET" if isinstance(options.photos, BucketAddress) else "OPENED_FOLDER"
            self._environment[opened] = Folder(options.photos).named
        self._token = secrets.token_urlsafe(32)  # for commands of this machine
        self._services: list[Server | Node] = []
        self._children: list[Child] = []

    def run(self) -> int:
        with _listener(self._options) as listener:
            address = _address_of(listener)
            try:
                self._start_services()
                self._start_children(listener)
                client = Client(address, self._token)
                self._wait_until_ready(client)
                return self._serve(client)
            finally:
                self._stop()

    def _start_services(self) -> None:
        self._environment["DATABASE_URL"] = self._settings.database_url or self._started(
            Server(self._home.folder / "postgres", self._home.fresh_log("postgres"))
        )
        self._check_host()
        self._environment["RABBITMQ_URL"] = self._settings.rabbitmq_url or self._started(
            Node(self._home.folder / "rabbitmq", self._home.fresh_log("rabbitmq"))
        )

    def _check_host(self) -> None:
        if is_this_machine(self._options.host) or self._options.lan:
            return
        from orchestrator.access import binding

        asyncio.run(binding.check(self._settings, self._options.host, self._environment["DATABASE_URL"]))

    def _started(self, service: Server | Node) -> str:
        self._reporter.say(f"Starting {service.name} ...")
        self._services.append(service)  # first: an interrupted start is stopped too
        return service.start()

    def _start_children(self, listener: socket.socket) -> None:
        fd = listener.fileno()
        serve = [sys.executable, "-m", "orchestrator", "serve", "--fd", str(fd)]
        work = [sys.executable, "-m", "workers"]
        guarded = self._environment | {"LOCAL_TOKEN": self._token}
        # Workers open files from anywhere: what they do not need they are not given.
        unprivileged = {name: value for name, value in self._environment.items() if name not in _NOT_FOR_WORKERS}
        for child in (
            Child("The orchestrator", serve, guarded, self._home.fresh_log("orchestrator"), (fd,)),
            Child("The worker", work, unprivileged, self._home.fresh_log("workers")),
        ):
            self._children.append(child)
            child.start()

    def _wait_until_ready(self, client: Client) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not client.is_ready():
            self._look_after_children()
            for child in self._children:
                if child.deaths >= _DEATHS_BEFORE_READY:
                    raise KeepersError(
                        f"{child.name} does not start. It said, in {child.log}:\n{last_lines(child.log)}"
                    )
            if time.monotonic() > deadline:
                log = self._children[0].log
                raise KeepersError(f"Keepers does not become ready. It said, in {log}:\n{last_lines(log)}")
            time.sleep(_LOOK_EVERY_SECONDS)

    def _serve(self, client: Client) -> int:
        self._home.remember_services(
            {
                "address": client.address,
                "token": self._token,
                "database_url": self._environment["DATABASE_URL"],
                "rabbitmq_url": self._environment["RABBITMQ_URL"],
                "pid": os.getpid(),
            }
        )
        self._reporter.say(f"Keepers is open at {client.address} (Ctrl-C stops it)")
        if self._options.lan:
            self._introduce(int(client.address.rpartition(":")[2]))
        if self._options.photos is not None:
            as_json = self._options.as_json and self._options.once
            folder = Folder(self._options.photos, self._options.watch)
            status = import_and_wait(client, folder, self._reporter, as_json, self._pause)
            if status or self._options.once:
                return status
        while not self._options.once:
            self._pause()
        return 0

    def _introduce(self, port: int) -> None:
        # Only now: until there is a password, other machines are not answered.
        from orchestrator.embedded import lan

        lan.introduce(self._settings, self._environment["DATABASE_URL"], port, self._reporter)

    def _pause(self) -> None:
        time.sleep(_LOOK_EVERY_SECONDS)
        self._look_after_children()

    def _look_after_children(self) -> None:
        for service in self._services:
            if not service.is_running():
                self._reporter.say(f"{service.name} ended, starting it again. See {service.log}")
                service.start()
        for child in self._children:
            if sentence := child.check():
                self._reporter.say(sentence)

    def _stop(self) -> None:
        # A second Ctrl-C, or a closed terminal, must not leave half of it running.
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._home.forget_services()
        if self._children or self._services:
            self._reporter.say("Stopping ...")
        # Workers before the orchestrator, so that their last results are still taken; what they talk through last.
        for child in reversed(self._children):
            child.stop()
        for service in reversed(self._services):
            service.stop()


def _use_running(home: Home, options: Options, reporter: Reporter) -> int:
    """Another `keepers up` has this home: say where, and hand it the folder."""
    client = client_of(home)
    if client is None:
        reporter.say(f"Keepers is being started or stopped by another command, in {home.folder}.")
        return 0
    reporter.say(f"Keepers is already open at {client.address}")
    if options.photos is None:
        return 0
    folder = Folder(options.photos, options.watch)
    if options.once:
        pause = partial(time.sleep, _LOOK_EVERY_SECONDS)
        return import_and_wait(client, folder, reporter, options.as_json, pause)
    return hand_over(client, folder)


def _listener(options: Options) -> socket.socket:
    """The open web socket, which the orchestrator inherits: while it restarts the port is kept and requests wait."""
    first = DEFAULT_PORT if options.port is None else options.port
    ports = range(first, first + _PORTS_TRIED) if options.port is None else [first]
    for port in ports:
        try:
            return socket.create_server((options.host, port), backlog=512)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise KeepersError(f"Keepers cannot listen on {options.host} port {port}: {exc.strerror}.") from exc
    raise KeepersError(f"Port {first} is taken by another program: name another one with --port.")


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{'127.0.0.1' if host == EVERY_INTERFACE else host}:{port}"


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Ctrl-C, a service manager's SIGTERM and a closed terminal all stop Keepers in order."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in _STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, stop)
    yield
