"""The RabbitMQ node in a home: the system's programs, but own name server, own ports, own user, loopback only."""

import json
import secrets
import shutil
import socket
import string
import subprocess
import time
from pathlib import Path

import psutil

from orchestrator.embedded.account import Account, private_folder, service_account
from orchestrator.embedded.processes import SEARCH_PATH, dies_with_parent, end, free_port, is_free, last_lines
from shared.errors import KeepersError

USER = "keepers"
_PORTS = ("amqp", "distribution", "epmd")
_START_SECONDS = 180
_STOP_SECONDS = 60

# Debian's and Fedora's package, then Homebrew's. Not /usr/sbin/rabbitmq-server: that one changes to another user.
SCRIPTS = (
    Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
    Path("/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server"),
    Path("/usr/local/opt/rabbitmq/sbin/rabbitmq-server"),
)

_CONFIGURATION = """\
# Written by Keepers at every start.
listeners.tcp.1 = 127.0.0.1:{amqp}
default_user = {user}
default_pass = {password}
log.console = true
log.console.level = warning
log.file = false
# Messages are claim checks of a few hundred bytes, so a laptop's memory and disk are hardly touched.
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
"""

# A write-ahead log of 64 MB instead of 512 MB: it is held in memory too, and replayed at start.
_ADVANCED = "[{ra, [{wal_max_size_bytes, 67108864}]}].\n"


class Node:
    """RabbitMQ in `folder`. One owner at a time: whoever starts it holds the lock of the home."""

    name = "RabbitMQ"

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / "node.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def start(self) -> str:
        """Start the node and return its address. Clears what a killed owner left behind."""
        if self._process is None or not self._processes("beam.smp"):
            script = _server_script()
            account = service_account()
            private_folder(self.folder, account)
            self._clear_leftovers(account)
            ports, password = self._ports(), self._secret("password", 24, account)
            self._configure(ports["amqp"], password, account)
            self._process = self._launch(script, ports, account)
            self._wait(ports["amqp"])
            self._url = f"amqp://{USER}:{password}@127.0.0.1:{ports['amqp']}/"
        return self._url

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop the node and its name server. Nothing happens when they are not running."""
        if self.folder.exists():
            self._clear_leftovers(service_account())

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` says, run against this node. Raises subprocess.CalledProcessError."""
        account, script = service_account(), _server_script().with_name("rabbitmqctl")
        environment = self._environment(self._known_ports())
        done = subprocess.run(
            [script, *arguments], env=environment, capture_output=True, text=True, check=True, **account.run_as
        )
        return done.stdout

    def _clear_leftovers(self, account: Account) -> None:
        end(self._processes("beam.smp"), _STOP_SECONDS)
        # The start script ends with its node; a name server outlives it.
        end(self._processes("rabbitmq-server", "sh"), polite_seconds=5)
        if self._process is not None:
            self._process.wait()
            self._process = None
        ports = self._known_ports()
        epmd = shutil.which("epmd", path=SEARCH_PATH)
        if ports and epmd and self._processes("epmd"):
            command = [epmd, "-port", str(ports["epmd"]), "-kill"]
            subprocess.run(command, check=False, capture_output=True, env=self._environment(ports), **account.run_as)
        end(self._processes(), polite_seconds=5)

    def _processes(self, *names: str) -> list[psutil.Process]:
        """All that runs with this folder as its home, whoever started it."""
        found = psutil.process_iter(["name", "environ"])
        ours = [one for one in found if (one.info["environ"] or {}).get("HOME") == str(self.folder)]
        return [one for one in ours if not names or one.info["name"] in names]

    def _known_ports(self) -> dict[str, int]:
        try:
            known: dict[str, int] = json.loads((self.folder / "ports.json").read_text())
        except (OSError, ValueError):
            return {}
        return known if known.keys() == set(_PORTS) else {}

    def _ports(self) -> dict[str, int]:
        """The same ports at every start, unless another program took one in the meantime."""
        known = self._known_ports()
        ports = {name: port if (port := known.get(name, 0)) and is_free(port) else free_port() for name in _PORTS}
        (self.folder / "ports.json").write_text(json.dumps(ports))
        return ports

    def _secret(self, name: str, length: int, account: Account, mode: int = 0o600) -> str:
        file = self.folder / name
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text("".join(secrets.choice(string.ascii_letters) for _ in range(length)))
            account.own(file)
            file.chmod(mode)
        return file.read_text()

    def _configure(self, amqp_port: int, password: str, account: Account) -> None:
        self._secret(".erlang.cookie", 40, account, mode=0o400)  # Erlang refuses a wider mode
        configuration = _CONFIGURATION.format(amqp=amqp_port, user=USER, password=password)
        for name, text in (("rabbitmq.conf", configuration), ("advanced.config", _ADVANCED), ("plugins", "[].\n")):
            file = self.folder / name
            file.write_text(text)
            file.chmod(0o600)
            account.own(file)

    def _launch(self, script: Path, ports: dict[str, int], account: Account) -> subprocess.Popen[bytes]:
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(ports),
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 - before any thread is started
                **account.run_as,
            )

    def _environment(self, ports: dict[str, int]) -> dict[str, str]:
        here = self.folder
        return {
            "HOME": str(here),  # the cookie lies there
            "PATH": SEARCH_PATH,
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # the system's belongs to the system's node
            "RABBITMQ_NODENAME": "keepers@localhost",
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            # Without it the distribution port is open on every interface.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "plugins"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(here / "expanded"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(here / "generated"),
            "RABBITMQ_MNESIA_BASE": str(here / "data"),
            "RABBITMQ_MNESIA_DIR": str(here / "data" / "node"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(here / "data" / "feature_flags"),
            "RABBITMQ_PID_FILE": str(here / "pid"),
            "RABBITMQ_LOG_BASE": str(here),
            "RABBITMQ_LOGS": "-",
        }

    def _wait(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = last_lines(self.log)
                self.stop()
                raise KeepersError(f"RabbitMQ did not start. It said, in {self.log}:\n{said}")
            time.sleep(0.1)


def _answers(port: int) -> bool:
    """Whether an AMQP server greets: it listens only when its start has come to an end."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(1))
    except OSError:
        return False


def _server_script() -> Path:
    for script in SCRIPTS:
        if script.exists():
            return script
    raise KeepersError(
        "RabbitMQ is not installed: run `sudo apt-get install rabbitmq-server` (on a Mac `brew install rabbitmq`), "
        "or set RABBITMQ_URL to a server of your own."
    )
