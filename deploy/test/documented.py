"""Runs the shell blocks of the README and of docs/ in a fresh Debian, as typed. Takes a quarter of an hour and root.

    .venv/bin/python -m deploy.test.documented [FOLDER]

The Debian is made by debootstrap in FOLDER; pip and apt take what they take on this machine. There, /some/folder holds
the sample photographs, and all commands are typed in a clone of the last commit. A block that is no command for every
machine is marked as text in its page; NOT_HERE names the commands that no machine without their program can run, and
those that are whole days of work by themselves.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.test.images import PROJECT, SUITE, local_paths, mirror, pip_configuration

PACKAGES = "ca-certificates,curl,git,make,python3,python3-venv,sudo"
HOME = Path("/root/keepers")  # in the new root
PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/**/*.md")
NOT_HERE = {
    "make compose": "needs Docker: deploy/test/run.py does what it does, without",
    "docker ": "needs Docker",
    "kubectl ": "needs Kubernetes",
    "ollama ": "needs Ollama",
    ".venv/bin/keepers models fetch": "downloads 1.7 GB",
    "make test": "is run by .ci/run on a fresh machine",
    "make check": "is run by .ci/run on a fresh machine",
    "make bench": "takes an hour",
    "make unit": "is a part of make test",
    "make screenshots": "needs Chromium",
    "sudo .venv/bin/python -m deploy.test": "is this, or the test of the images",
}
STAYS_OPEN = re.compile(r"(^|\s)(make up|make demo|\.venv/bin/keepers up|\.venv/bin/keepers serve)\b(?!.*--once)")
WITHOUT_OPEN = re.compile(r"make setup|make docs|sudo apt-get|\.venv/bin/pip|keepers (samples|password|restore)|--once")
OPEN_SECONDS = 1_800  # the first start installs everything
COMMAND_SECONDS = 600
ADDRESS = re.compile(r"https?://[\w.\[\]]+:\d+")


@dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str


def main() -> None:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("Run this as root, after: sudo sh deploy/install-packages.sh debootstrap")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/var/tmp/keepers-documented").absolute()
    commands = list(documented_commands())
    root = _fresh_root(folder)
    try:
        failed = [command for command in commands if not Reader(root).types(command)]
    finally:
        _unmount(root)
    for command in failed:
        print(f"FAILED {command.page}:{command.line}: {command.text}")
    print(f"{len(commands)} commands, {len(failed)} failed", flush=True)
    sys.exit(bool(failed))


def documented_commands() -> Iterator[Command]:
    """Every command of every shell block, with what is continued on the next line."""
    for path in sorted({path for pattern in PAGES for path in PROJECT.glob(pattern)}):
        fence, text = None, ""  # of the block that a line is in: what is written behind its first ```
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("```"):
                fence = line.strip("`").strip() if fence is None else None
            elif fence in ("", "sh") and line.strip() and not line.startswith("#"):
                text += line.rstrip("\\")
                if not line.endswith("\\"):
                    yield Command(str(path.relative_to(PROJECT)), number, text.strip())
                    text = ""


class Reader:
    """Somebody who types what stands there, in a root of their own."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def types(self, command: Command) -> bool:
        print(f"\n=== {command.page}:{command.line}\n$ {command.text}", flush=True)
        if reason := next((why for start, why in NOT_HERE.items() if command.text.startswith(start)), None):
            print(f"not run: {reason}", flush=True)
            return True
        if STAYS_OPEN.search(command.text):
            return self._opens(command.text)
        if WITHOUT_OPEN.search(command.text):
            return self._runs(command.text)
        return self._while_open(command.text)

    def _opens(self, text: str) -> bool:
        """Until its page answers; then Ctrl-C."""
        with Opened(self._root, text) as opened:
            return opened.answers() and opened.ends()

    def _while_open(self, text: str) -> bool:
        with Opened(self._root, "make up PHOTOS=/some/folder") as opened:
            return opened.answers() and self._runs(text) and opened.ends()

    def _runs(self, text: str) -> bool:
        done = subprocess.run(_typed(self._root, text), check=False, timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL)
        print(f"exit {done.returncode}", flush=True)
        return done.returncode == 0


class Opened:
    """A Keepers that stays open until Ctrl-C."""

    def __init__(self, root: Path, text: str) -> None:
        self._log = root.parent / "opened.log"
        self._root, self._text = root, text

    def __enter__(self) -> "Opened":
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                _typed(self._root, self._text), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        print(self._log.read_text()[-3_000:], flush=True)

    def answers(self) -> bool:
        deadline = time.monotonic() + OPEN_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := ADDRESS.search(self._log.read_text()):
                with urllib.request.urlopen(f"{found[0]}/healthz", timeout=60) as answer:
                    return bool(answer.status == 200)
            time.sleep(0.5)
        return False

    def ends(self) -> bool:
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(120) in (0, 130, 2)  # make says 2 for what Ctrl-C ended


def _typed(root: Path, text: str) -> list[str]:
    environment = ["HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
    inside = f"cd {HOME} && {text}"
    return ["env", "--ignore-environment", *environment, "chroot", str(root), "/bin/bash", "-ec", inside]


def _fresh_root(folder: Path) -> Path:
    root = folder / "root"
    if root.exists():
        _unmount(root)
        shutil.rmtree(root)
    folder.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), mirror()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    policy = root / "usr/sbin/policy-rc.d"  # no package may start its services
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    configuration = pip_configuration()
    (root / "etc/pip.conf").write_text(configuration)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")  # as the installer of Debian writes it
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for place in ("/proc", "/sys", "/dev", "/dev/shm", *local_paths(configuration)):
        _show(Path(place), root)
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(root) + str(HOME)], check=True)
    subprocess.run([PROJECT / ".venv/bin/keepers", "samples", root / "some/folder"], check=True)
    return root


def _show(place: Path, root: Path) -> None:
    """This place of the machine, in the new root."""
    there = root / place.relative_to("/")
    if place.is_dir():
        there.mkdir(parents=True, exist_ok=True)
    else:
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()
    subprocess.run(["mount", "--bind", str(place), str(there)], check=True)


def _unmount(root: Path) -> None:
    mounts = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{root}/")]):
        subprocess.run(["umount", "--lazy", mount], check=True)


if __name__ == "__main__":
    main()
