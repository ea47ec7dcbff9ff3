"""Docker on this machine: is it there, would Keepers fit in, and the start."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from missing import Missing

OLDEST_COMPOSE = (2, 23, 1)  # the first with configs whose content stands in the compose file
DEFAULT_PORT = "8000"


def check_docker() -> None:
    if shutil.which("docker") is None:
        raise Missing(
            "Docker is not installed. Install Docker Desktop, or Docker Engine with its Compose plugin"
            " (https://docs.docker.com/get-docker/), then type: make compose"
        )
    version = _docker("compose", "version", "--short")
    if version.returncode != 0:
        raise Missing("Docker has no Compose plugin. Install docker-compose-plugin, then type: make compose")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version.stdout)[:3])
    if numbers < OLDEST_COMPOSE:
        oldest = ".".join(map(str, OLDEST_COMPOSE))
        raise Missing(
            f"Docker Compose {version.stdout.strip()} is too old: {oldest} or newer is needed. Update it, then type:"
            " make compose"
        )
    answer = _docker("info", "--format", "{{.ServerVersion}}")
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        if "permission denied" in answer.stderr:
            raise Missing(
                "You may not use Docker. Type: sudo usermod -aG docker $USER   then log in again and type: make compose"
            )
        raise Missing(
            f"Docker does not answer ({said[0]}). Start Docker Desktop, or type: sudo systemctl start docker"
            "   then type: make compose"
        )


def check_port(project: Path, port: str) -> None:
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Missing(f"{port} is no port. Type: make compose PORT={DEFAULT_PORT}")
    try:
        socket.create_server(("127.0.0.1", int(port))).close()
    except PermissionError:
        return  # below 1024: Docker may
    except OSError:
        published = _docker("compose", "port", "orchestrator", "8000", project=project)
        if published.stdout.strip().endswith(f":{port}"):
            return  # by the Keepers that is running already
        raise Missing(
            f"Port {port} of this machine is taken by another program (perhaps by `keepers up`)."
            f" Stop that one, or type: make compose PORT={int(port) + 1}"
        ) from None


def check_database(known: Mapping[str, str]) -> None:
    """A new password does not open the database of an earlier start."""
    if not known.get("POSTGRES_PASSWORD") and _docker("volume", "inspect", "keepers_database").returncode == 0:
        raise Missing(
            "There is a database of an earlier Keepers, in the volume keepers_database, but no password for it in .env."
            " Put the old .env back. If all of that archive may go, type: docker volume rm keepers_database"
            "   then type: make compose"
        )


def start(project: Path, port: str) -> None:
    command = ["docker", "compose", "up", "--detach", "--build", "--wait"]
    print(f"Starting: {' '.join(command)}   (the first time it downloads 1 to 2 GB and takes some minutes)", flush=True)
    if subprocess.run(command, cwd=project, check=False).returncode != 0:
        print("\nWhat they said last:", file=sys.stderr, flush=True)
        services = ["postgres", "rabbitmq", "orchestrator", "worker"]
        logs = _docker("compose", "logs", "--no-color", "--tail", "8", *services, project=project)
        print(logs.stdout, file=sys.stderr)
        raise Missing("not everything started. When what is said above is mended, type: make compose")
    print(f"Keepers is open at http://localhost:{port}   Stop it: docker compose down   Logs: docker compose logs -f")


def _docker(*arguments: str, project: "Path | None" = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *arguments], cwd=project, capture_output=True, text=True, check=False)
