"""The documents: their pages are built, their links lead somewhere, and their commands exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.test.documented import PAGES, Command, documented_commands
from orchestrator.__main__ import parser as keepers_parser
from workers.__main__ import parser as worker_parser

PROJECT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
PARSERS = {".venv/bin/keepers": keepers_parser, ".venv/bin/keepers-worker": worker_parser}


def test_the_guide_is_built_without_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "properdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    assert "First import" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize("command", list(documented_commands()), ids=lambda one: f"{one.page}:{one.line}")
def test_a_documented_command_exists(command: Command) -> None:
    words = [word for word in shlex.split(command.text, comments=True) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    if words[0] == "make":
        assert set(words[1:]) <= TARGETS
    elif words[0] in PARSERS:
        PARSERS[words[0]]().parse_args(words[1:])  # ends the test with its complaint
    else:
        assert words[0] in ("sudo", "curl", "docker", "jq", "kubectl", ".venv/bin/pip"), command.text


def test_commands_within_sentences_exist() -> None:
    named = set()
    for page in (page for pattern in PAGES for page in PROJECT.glob(pattern)):
        sentences = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        named |= set(re.findall(r"`(?:\.venv/bin/)?(keepers [^`\s]+ [^`\n]+|keepers-worker [^`\n]+)`", sentences))
    assert len(named) > 10
    for command in named:
        program, *words = shlex.split(command)
        PARSERS[f".venv/bin/{program}"]().parse_args(words)  # ends the test with its complaint
