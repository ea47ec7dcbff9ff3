"""Nothing that runs code while it is read: a file, a model or a message can only be data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FILES = [path for package in ("shared", "workers", "orchestrator") for path in (REPOSITORY / package).rglob("*.py")]

RUNS_CODE = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
RUNS_CODE |= {"multiprocessing"}  # sends what it is given as pickles
RUNS_CODE_IN = {"ProcessPoolExecutor", "read_pickle", "unsafe_load", "full_load", "hub"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
LOADS = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}


def test_nothing_unpickles() -> None:
    assert len(FILES) > 300
    found = {str(path.relative_to(REPOSITORY)): [*dangers(path.read_text())] for path in FILES}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from joblib import load", "import multiprocessing.pool", "from a.b import pickle",
        "from concurrent.futures import ProcessPoolExecutor", "np.load(file)", "numpy.load(file, allow_pickle=True)",
        "torch.load(file)", "torch.load(file, weights_only=False)", "yaml.load(text)", "yaml.unsafe_load(text)",
        "pandas.read_pickle(file)", "eval(text)", "importlib.import_module('pickle')", "torch.hub.load('a/b', 'c')",
        "from numpy import load", "from torch import load",
    ],
)  # fmt: skip
def test_what_unpickles_is_found(line: str) -> None:
    assert [*dangers(line)] != []


@pytest.mark.parametrize(
    "line",
    ["np.load(f, allow_pickle=False)", "torch.load(f, weights_only=True)", "json.load(f)", "yaml.safe_load(f)"],
)  # fmt: skip
def test_what_reads_data_passes(line: str) -> None:
    assert [*dangers(line)] == []


def dangers(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names) if RUNS_CODE & {part for one in names for part in one.name.split(".")}:
                yield ast.unparse(node)
            case ast.ImportFrom(module=module, names=names):
                parts = {*(module or "").split("."), *(one.name for one in names)}
                if parts & (RUNS_CODE | RUNS_CODE_IN) or (module in ("numpy", "torch") and "load" in parts):
                    yield ast.unparse(node)
            case ast.Attribute(attr=attr) if attr in RUNS_CODE_IN:
                yield ast.unparse(node)
            case ast.Call() if not _is_safe(node):
                yield ast.unparse(node)


def _is_safe(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name in LOADS:
        keyword, value = LOADS[name]
        given = {one.arg: one.value for one in call.keywords}.get(keyword)
        return isinstance(given, ast.Constant) and given.value is value
    arguments = {one.value for one in call.args if isinstance(one, ast.Constant)}
    return name not in BUILT_IN | {"yaml.load"} and not (name.endswith("import_module") and arguments & RUNS_CODE)
