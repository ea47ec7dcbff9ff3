"""The file .env, from which Compose takes its settings."""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from folders import BUCKET, split
from missing import Missing

SECRETS = ("POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "LOCAL_TOKEN", "METRICS_TOKEN", "GRAFANA_PASSWORD")


def read(file: Path) -> "dict[str, str]":
    """NAME=value of each line, as Compose reads it, as far as this program writes it."""
    if not file.exists():
        return {}
    lines = re.findall(r"^\s*(?:export\s+)?(\w+)=(.*)$", file.read_text(), re.MULTILINE)
    return {name: _unquoted(value.strip()) for name, value in lines}


def additions(known: Mapping[str, str], photos: "str | None", port: "str | None") -> "dict[str, str]":
    """What .env does not say yet, or what the person has just said."""
    added = {name: secrets.token_hex(24) for name in SECRETS if not known.get(name)}
    if port:
        added["KEEPERS_PORT"] = port
    libraries = [one for one in split(known.get("PHOTO_LIBRARIES", "")) if not one.startswith(BUCKET)]
    if photos:
        added["PHOTO_LIBRARY"] = photos if photos.startswith(BUCKET) else str(Path(photos).expanduser().absolute())
    elif not known.get("PHOTO_LIBRARY") and libraries:
        added["PHOTO_LIBRARY"] = libraries[0]
    return added


def write(file: Path, example: Path, added: Mapping[str, str]) -> None:
    """A line that .env has for the name is replaced, or the one that the example has as a comment."""
    if not added:
        return
    text = (file if file.exists() else example).read_text()
    for name, value in added.items():
        line = f"{name}={_quoted(name, value)}"
        text, count = re.subn(rf"^(?:# )?{name}=.*$", lambda _, line=line: line, text, count=1, flags=re.MULTILINE)
        text += "" if count else f"{line}\n"
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)
    print(f"Written to {file}: {', '.join(sorted(added))}")


def _quoted(name: str, value: str) -> str:
    if "'" in value or "\n" in value:
        raise Missing(f"{name} must not contain an apostrophe: {value}. Rename that folder, then type: make compose")
    return value if re.fullmatch(r"[\w./-]+", value) else f"'{value}'"


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        return value[1:].partition(value[0])[0]
    return re.split(r"\s#", value, maxsplit=1)[0].strip()
