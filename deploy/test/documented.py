"""Types every shell block of the README and of docs/ in a fresh Debian. Takes half an hour, 5 GB, and root.

    .venv/bin/python -m deploy.test.documented [FOLDER [TEXT]]

It reads like somebody who has the last commit, the sample photographs in /some/folder, and sudo. NOT_TYPED and REFUSED
name what cannot be done there, and why; the table at the end says so too. FOLDER keeps the Debian for the next time.
With TEXT only commands that have it are typed, with the last commit, in the Debian as the time before left it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.test.fresh_root import FreshRoot
from deploy.test.images import PROJECT
from deploy.test.reader import PORTS, Outcome, Reader, first_of, is_taken

PAGES = ("README.md", "docs/**/*.md", "SECURITY.md", "CONTRIBUTING.md")  # in the order of a reader
NOT_TYPED = {
    "kubectl ": "needs a Kubernetes cluster: tests/unit/test_kubernetes.py reads what is applied",
    ".venv/bin/keepers models fetch": "downloads 1.7 GB from elsewhere",
    "make test": "takes half an hour and is what .ci/run types",
    "make bench": "takes an hour",
    "sudo .venv/bin/python -m deploy.test.run": "makes containers, which one root cannot do within another",
    "sudo .venv/bin/python -m deploy.test.documented": "is this",
}
INSIDE = "KEEPERS_TEST_INSIDE"


@dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/var/tmp/keepers-documented").absolute()
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("Run this as root, after: sudo sh deploy/install-packages.sh debootstrap")
    if INSIDE not in os.environ:
        # What is mounted then is seen by nobody else, and is gone when this ends, however it ends.
        command = ["unshare", "--mount", sys.executable, "-m", "deploy.test.documented", str(folder), wanted]
        sys.exit(subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode)
    if any(is_taken(port) for port in PORTS):
        sys.exit(f"Ports {PORTS} are needed: close what has one of them.")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with & ignore Ctrl-C
    commands = [command for command in documented_commands() if wanted in command.text]
    reader = Reader(FreshRoot(folder, as_it_was_left=bool(wanted)))
    try:
        outcomes = [(command, _outcome(reader, command)) for command in commands]
        states = _table(outcomes)
    finally:
        reader.close()
    sys.exit("FAILED" in states)


def documented_commands() -> Iterator[Command]:
    """Every command of every shell block, with what is continued on the next line."""
    for path in (path for pattern in PAGES for path in sorted(PROJECT.glob(pattern))):
        fence, text = None, ""  # of the block that a line is in: what is written behind its first ```
        for number, line in enumerate(path.read_text().splitlines(), 1):
            in_list = fence is None and line.startswith(" " * 8)  # where there are no fences
            if line.startswith("```"):
                fence = line.strip("`").strip() if fence is None else None
            elif (in_list or fence in ("", "sh")) and line.strip() and not line.startswith("#"):
                text += line.strip().rstrip("\\")
                if not line.endswith("\\"):
                    yield Command(str(path.relative_to(PROJECT)), number, text)
                    text = ""


def _outcome(reader: Reader, command: Command) -> Outcome:
    print(f"\n=== {command.page}:{command.line}\n$ {command.text}", flush=True)
    reason = first_of(NOT_TYPED, command.text)
    outcome = Outcome("not typed", reason) if reason else reader.types(command.text)
    print(f"{outcome.state}: {outcome.why}" if outcome.why else outcome.state, flush=True)
    return outcome


def _table(outcomes: Sequence[tuple[Command, Outcome]]) -> list[str]:
    print("\n=== all commands")
    for command, outcome in outcomes:
        print(f"{outcome.state:9} {outcome.seconds:4.0f} s  {command.page}:{command.line}  {command.text}")
        if outcome.why:
            print(f"{'':18}{outcome.why}")
    states: list[str] = [outcome.state for _, outcome in outcomes]
    print(", ".join(f"{states.count(state)} {state}" for state in ("typed", "not typed", "FAILED")), flush=True)
    return states


if __name__ == "__main__":
    main()
