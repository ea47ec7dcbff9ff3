"""The commands of the README, as far as running them is cheap."""

import itertools
import re
import subprocess
import tomllib
from pathlib import Path

from shared.settings import Settings

PROJECT = Path(__file__).parents[2]


def make(*arguments: str) -> str:
    answer = subprocess.run(["make", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True)
    return answer.stdout


def test_bare_make_names_every_command() -> None:
    help_text = make()
    targets = re.search(r"^\.PHONY: (.+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    for target in set(targets[1].split()) - {"help"}:
        assert re.search(rf"^make {target}\b", help_text, re.MULTILINE), target


def test_the_commands_of_the_readme_are_commands_of_the_makefile() -> None:
    named = set(re.findall(r"^make (\w+)", (PROJECT / "README.md").read_text(), re.MULTILINE))
    assert named >= {"up", "test"}
    for target in named:
        make("--dry-run", target)


def test_links_between_the_documents_lead_somewhere() -> None:
    for document in [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]:
        for target, place in re.findall(r"\]\(([^):#]*)#?([^)]*)\)", document.read_text()):
            there = document.parent / target if target else document
            assert there.exists(), f"{document.name}: {target}"
            assert not place or place in headings(there), f"{document.name}: {target}#{place}"


def headings(document: Path) -> set[str]:
    """As links name them."""
    named = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in named}


def test_a_folder_with_spaces_reaches_keepers_as_one_argument() -> None:
    assert '${PHOTOS:+--photos "$PHOTOS"}' in make("--dry-run", "up", "PHOTOS=/some folder")


def test_every_package_a_service_needs_is_pinned_once() -> None:
    pins = [line.partition("==")[0] for line in (PROJECT / "constraints.txt").read_text().splitlines() if "==" in line]
    pinned = [re.sub(r"[-_.]+", "-", pin).lower() for pin in pins]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    assert len(pinned) == len(set(pinned))
    assert {re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower() for name in needed} <= set(pinned)


def test_every_setting_is_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text()
    internal = {"topology_prefix", "retry_delays_ms", "probe_seconds", "decode_seconds", "decode_memory_mb"}
    internal |= {"clip_model_name", "hf_endpoint", "opened_folder", "opened_bucket", "llm_default_base_url"}
    internal |= {"local_token"}
    for name in Settings.model_fields.keys() - internal:
        assert f"{name.upper()}=" in example, name
