"""docker-compose.yml as values, for checks and for engines without Compose: filled in and merged as Compose does it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"

# ${NAME}, ${NAME:-default}, ${NAME:?sentence}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:[-?])?(?P<rest>[^}]*)\}")


class NotSet(Exception):
    """A variable without which Compose starts nothing. Its message is the sentence that Compose prints."""


def load(env: Mapping[str, str], *files: Path) -> dict[str, Any]:  # Any: as YAML
    """Compose files, the later ones over the first, with the variables of `env`. Raises NotSet."""
    merged: dict[str, Any] = {}
    for file in files or (COMPOSE_FILE,):
        read = yaml.safe_load(file.read_text())
        merged = _merged(merged, {key: part for key, part in read.items() if not key.startswith("x-")})
    filled: dict[str, Any] = _filled(merged, env)
    return filled


def variables(file: Path = COMPOSE_FILE) -> set[str]:
    """The names of all variables in it."""
    return {match["name"] for match in _VARIABLE.finditer(file.read_text())}


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merged(below.get(key), part) for key, part in above.items()}
    if isinstance(below, list) and isinstance(above, list):
        return below + above
    return above


def _filled(part: Any, env: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(one, env) for key, one in part.items()}
    if isinstance(part, list):
        return [_filled(one, env) for one in part]
    if isinstance(part, str):
        return _VARIABLE.sub(lambda match: _value(match, env), part).replace("$$", "$")
    return part


def _value(match: "re.Match[str]", env: Mapping[str, str]) -> str:
    value = env.get(match["name"], "")
    if not value and match["how"] == ":?":
        raise NotSet(f"required variable {match['name']} is missing a value: {match['rest']}")
    return value or (match["rest"] if match["how"] == ":-" else "")
