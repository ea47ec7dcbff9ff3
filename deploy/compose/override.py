"""docker-compose.override.yml: what the services have beyond docker-compose.yml on this machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from missing import Missing

OVERRIDE = "docker-compose.override.yml"
HEADER = "# Written by `make compose` from what .env says. Change it there, and type `make compose` again.\n"


def override(
    env: Mapping[str, str],
    libraries: Mapping[str, str],
    buckets: "list[str]",
    writable: Mapping[str, Path],
    groups: "list[str]",
) -> "dict[str, dict[str, Any]]":
    """What each service has beyond docker-compose.yml. Any: as JSON."""
    folders = [(folder, place, True) for place, folder in libraries.items()][1:]
    kept = [(str(folder), f"/{name.partition('_')[0].lower()}s", False) for name, folder in writable.items()]
    places = {"PHOTO_LIBRARIES": ":".join(["/photos", *buckets]).replace("$", "$$")} if buckets else {}
    backups = {"BACKUP_FOLDER": "/backups"} if "BACKUP_FOLDER" in writable else {}
    both = {"group_add": groups}
    services = {
        "orchestrator": {
            **both,
            "environment": places | backups,
            "volumes": [_mount(*folder) for folder in (*folders, *kept)],
        },
        "worker": {**both, "environment": places, "volumes": [_mount(*folder) for folder in folders]},
        "embed": _graphics_card() if env.get("KEEPERS_CUDA") == "1" else {},
    }
    return {name: wanted for name, has in services.items() if (wanted := {key: one for key, one in has.items() if one})}


def _mount(source: str, target: str, read_only: bool) -> "dict[str, Any]":
    return {
        "type": "bind",
        "source": source.replace("$", "$$"),
        "target": target.replace("$", "$$"),
        "read_only": read_only,
        "bind": {"create_host_path": False},
    }


def _graphics_card() -> "dict[str, Any]":
    card = {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    return {"deploy": {"resources": {"reservations": {"devices": [card]}}}}


def check(file: Path) -> None:
    if file.exists() and not file.read_text().startswith(HEADER):
        raise Missing(
            f"{OVERRIDE} is yours, and Keepers writes a file of that name. Give yours another name, name both in"
            f" COMPOSE_FILE of .env (docker-compose.yml:{OVERRIDE}:yours.yml), then type: make compose"
        )


def write(file: Path, services: "dict[str, dict[str, Any]]") -> None:
    """JSON is YAML. Nothing to add: no file."""
    if services:
        file.write_text(f"{HEADER}{json.dumps({'services': services}, indent=2, ensure_ascii=False)}\n")
    else:
        file.unlink(missing_ok=True)
