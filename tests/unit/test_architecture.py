"""The tree shows the design: a stage is one file, its contract and one row. Whatever is missing is named here."""

import ast
import importlib
from pathlib import Path

import pytest

from orchestrator.pipeline import PIPELINE, stages
from workers.__main__ import ALL_STAGES
from workers.stage import load

REPOSITORY = Path(__file__).parents[2]
STAGE_FILES = sorted(path.stem for path in (REPOSITORY / "workers/stages").glob("*.py") if path.stem != "__init__")


def test_every_stage_file_has_its_row_in_the_pipeline_and_its_worker() -> None:
    assert set(STAGE_FILES) == set(stages(PIPELINE)) == set(ALL_STAGES)


@pytest.mark.parametrize("name", STAGE_FILES)
def test_a_stage_speaks_its_contract(name: str) -> None:
    contract, stage = importlib.import_module(f"shared.contracts.{name}"), load(name)
    step = next(step for step in PIPELINE if step.stage == name)
    assert (stage.request, stage.result) == (contract.Request, contract.Result) == (step.request, step.result)
    assert stage.request.kind == f"{name}.request"
    assert stage.result.kind == f"{name}.result"
    assert stage.deadline_seconds < 1500, "below the broker's ack time-out of 1800 s"
    assert stage.batch == step.batch


@pytest.mark.parametrize("step", PIPELINE, ids=lambda step: step.stage)
def test_a_later_stage_knows_what_it_follows(step: object) -> None:
    after, follow = step.after, step.follow  # type: ignore[attr-defined]
    assert (after is None) == (follow is None)
    assert after is None or after in stages(PIPELINE)


def test_no_module_outgrows_four_hundred_lines() -> None:
    files = [
        path
        for package in ("shared", "workers", "orchestrator", "tests", "benchmarks")
        for path in (REPOSITORY / package).rglob("*.py")
        if "migrations" not in path.parts
    ]
    assert [str(path) for path in files if len(path.read_text().splitlines()) > 400] == []


def test_no_module_of_the_tests_imports_from_a_test_module() -> None:
    """What several of them need lies in tests/<name>.py, so that each test module can be changed by itself."""
    imported = [
        (str(path), name)
        for path in (REPOSITORY / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
        if any(part.startswith("test_") for part in name.split("."))
    ]
    assert imported == []


def _imported(node: ast.AST) -> list[str]:
    """Of `from a import b` it is `a.b`: the module may be either."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []
