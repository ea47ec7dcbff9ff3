"""`make compose`: what it writes, what it starts, and what it says when something is missing."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.test.compose_file import COMPOSE_FILE, PROJECT, load

DOUBLES = PROJECT / "tests/doubles"
OVERRIDE = "docker-compose.override.yml"


class Machine:
    """A project folder, folders with photographs, and a Docker that only notes what it is told."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        shutil.copy(PROJECT / ".env.example", self.project)
        self.port = port
        self.environment = {"PATH": f"{DOUBLES}:{os.environ['PATH']}", "DOCKER_LOG": str(folder / "asked")}

    def drive(self, name: str, mode: int = 0o755) -> str:
        made = self.folder / name
        made.mkdir(parents=True)
        made.chmod(mode)
        return str(made)

    def compose(self, *arguments: str, **docker: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(PROJECT / "deploy/compose/prepare.py"), "--project", str(self.project)]
        environment = self.environment | docker
        return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)

    def refusal(self, *arguments: str, **docker: str) -> str:
        answer = self.compose(*arguments, **docker)
        assert answer.returncode == 1
        assert answer.stderr.splitlines()[-1].startswith("make compose: "), answer.stderr
        return answer.stderr

    def asked(self) -> list[str]:
        log = self.folder / "asked"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def env_file(self) -> Path:
        return self.project / ".env"

    def env(self) -> dict[str, str]:
        lines = [line for line in self.env_file.read_text().splitlines() if line and not line.startswith("#")]
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}

    def set(self, **settings: str) -> None:
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def services(self) -> dict[str, dict[str, object]]:
        """As Compose sees them: with .env, and with the override where there is one."""
        override = self.project / OVERRIDE
        found: dict[str, dict[str, object]] = load(
            self.env(), COMPOSE_FILE, *([override] if override.exists() else [])
        )["services"]
        return found

    def mounts(self, service: str) -> dict[str, tuple[str, bool]]:
        """Of each folder of this machine its place: where it comes from, and whether it can only be read."""
        volumes = self.services()[service]["volumes"]
        assert isinstance(volumes, list)
        return {one["target"]: (one["source"], one["read_only"]) for one in volumes if isinstance(one, dict)}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    made = Machine(tmp_path, port)
    return made


def test_the_first_start_writes_the_settings_with_secrets_of_its_own(machine: Machine) -> None:
    photos = machine.drive("My photos #1")
    answer = machine.compose("--photos", photos, "--port", str(machine.port))
    assert answer.returncode == 0, answer.stderr
    assert f"http://localhost:{machine.port}" in answer.stdout
    assert machine.asked()[-1] == "compose up --detach --build --wait"
    env = machine.env()
    assert (env["PHOTO_LIBRARY"], env["KEEPERS_PORT"]) == (photos, str(machine.port))
    secrets = [env["POSTGRES_PASSWORD"], env["RABBITMQ_PASSWORD"]]
    assert len(set(secrets)) == 2
    assert all(len(secret) >= 32 and secret.isalnum() for secret in secrets)
    assert not any(secret in answer.stdout + answer.stderr for secret in secrets)
    assert machine.env_file.stat().st_mode & 0o777 == 0o600
    assert not (machine.project / OVERRIDE).exists(), "one library needs none"
    assert "# LLM_MODEL=llava" in machine.env_file.read_text(), "every other setting is there to be changed"


def test_a_later_start_keeps_what_the_settings_say(machine: Machine) -> None:
    machine.compose("--photos", machine.drive("old"), "--port", str(machine.port))
    before = machine.env()
    new = machine.drive("new")
    assert machine.compose("--photos", new).returncode == 0
    assert machine.env() == before | {"PHOTO_LIBRARY": new}


def test_several_drives_are_mounted_beside_each_other_and_can_only_be_read(machine: Machine) -> None:
    first, second, third = (machine.drive(name) for name in ("a/Photos", "b/Photos", "c$HOME/library"))
    machine.set(PHOTO_LIBRARIES=f"{first}:{second}:{third}", KEEPERS_PORT=str(machine.port))
    answer = machine.compose()
    assert answer.returncode == 0, answer.stderr
    mounts = {
        "/photos/library": (first, True),
        "/photos/Photos": (second, True),
        "/photos/library-2": (third, True),
    }
    assert machine.mounts("worker") == mounts
    assert machine.mounts("orchestrator") == mounts


def test_a_bucket_is_handed_to_those_that_read_originals(machine: Machine) -> None:
    libraries = f"s3://old/archive:{machine.drive('one')}:s3://older"
    machine.set(PHOTO_LIBRARIES=libraries, KEEPERS_PORT=str(machine.port))
    answer = machine.compose()
    assert answer.returncode == 0, answer.stderr
    assert machine.env()["PHOTO_LIBRARY"] == str(machine.folder / "one")
    services = json.loads((machine.project / OVERRIDE).read_text().partition("\n")[2])["services"]
    for service in ("orchestrator", "worker"):
        assert services[service]["environment"] == {"PHOTO_LIBRARIES": "/photos:s3://old/archive:s3://older"}


def test_a_bucket_alone_is_not_enough(machine: Machine) -> None:
    refusal = machine.refusal("--photos", "s3://old/archive", "--port", str(machine.port))
    assert "PHOTO_LIBRARY must be a folder of this machine, not s3://old/archive. Name the bucket in PHOTO_" in refusal


def test_a_drive_that_is_no_longer_named_leaves_the_override(machine: Machine) -> None:
    machine.set(
        PHOTO_LIBRARY=machine.drive("one"), PHOTO_LIBRARIES=machine.drive("two"), KEEPERS_PORT=str(machine.port)
    )
    machine.compose()
    assert len(machine.mounts("worker")) == 2
    machine.set(**{**machine.env(), "PHOTO_LIBRARIES": ""})
    machine.compose()
    assert len(machine.mounts("worker")) == 1
    assert not (machine.project / OVERRIDE).exists()


def test_folders_for_backups_and_exports_can_be_written(machine: Machine) -> None:
    backups, exports = machine.drive("backups", 0o777), machine.drive("exports", 0o777)
    machine.set(PHOTO_LIBRARY=machine.drive("one"), BACKUP_FOLDER=backups, EXPORT_FOLDER=exports)
    machine.compose("--port", str(machine.port))
    mounts = machine.mounts("orchestrator")
    assert (mounts["/backups"], mounts["/exports"]) == ((backups, False), (exports, False))
    environment = machine.services()["orchestrator"]["environment"]
    assert isinstance(environment, dict)
    assert environment["BACKUP_FOLDER"] == "/backups"
    assert "/exports" not in machine.mounts("worker")


def test_a_graphics_card_is_given_to_the_service_that_embeds(machine: Machine) -> None:
    machine.set(PHOTO_LIBRARY=machine.drive("one"), KEEPERS_CUDA="1", KEEPERS_PORT=str(machine.port))
    machine.compose()
    assert "nvidia" in str(machine.services()["embed"]["deploy"])
    assert machine.services()["embed"]["build"]["args"]["CUDA"] == "1"  # type: ignore[index]  # as YAML


def test_without_a_folder_it_says_how_to_name_one(machine: Machine) -> None:
    assert machine.refusal().endswith("Type: make compose PHOTOS=/your/folder\n")
    assert not machine.env_file.exists()


@pytest.mark.parametrize("setting", ["PHOTO_LIBRARY", "PHOTO_LIBRARIES", "BACKUP_FOLDER"])
def test_a_folder_that_does_not_exist_is_named_and_nothing_is_started(machine: Machine, setting: str) -> None:
    machine.set(**{"PHOTO_LIBRARY": machine.drive("here"), setting: "/media/nobody/Away"})
    before = machine.env_file.read_text()
    sentence = machine.refusal()
    assert "the folder /media/nobody/Away does not exist" in sentence
    assert setting in sentence
    assert machine.env_file.read_text() == before
    assert not any(asked.startswith("compose up") for asked in machine.asked())


@pytest.mark.skipif(sys.platform != "linux", reason="Docker Desktop lets containers do what the person may do")
def test_a_folder_that_only_its_owner_may_read_is_refused_with_what_to_type(machine: Machine) -> None:
    private = machine.drive("private", 0o700)
    assert f"Type: chmod -R g+rX '{private}'" in machine.refusal("--photos", private)
    Path(private).chmod(0o750)
    assert machine.compose("--photos", private, "--port", str(machine.port)).returncode == 0
    assert machine.services()["worker"]["group_add"] == [str(Path(private).stat().st_gid)]


def test_a_port_that_is_taken_is_refused_with_the_next_one(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        sentence = machine.refusal("--photos", machine.drive("one"), "--port", str(taken))
        assert f"Port {taken} of this machine is taken" in sentence
        assert f"make compose PORT={taken + 1}" in sentence
        assert not machine.env_file.exists()
        running = {"DOCKER_PUBLISHED": f"127.0.0.1:{taken}"}
        assert machine.compose("--photos", machine.drive("two"), "--port", str(taken), **running).returncode == 0


@pytest.mark.parametrize(
    ("docker", "sentence"),
    [
        ({"PATH": ""}, "Docker is not installed"),
        ({"DOCKER_COMPOSE_VERSION": ""}, "Install docker-compose-plugin"),
        ({"DOCKER_COMPOSE_VERSION": "2.20.2"}, "Docker Compose 2.20.2 is too old"),
        ({"DOCKER_INFO_ERROR": "Cannot connect to the Docker daemon"}, "sudo systemctl start docker"),
        ({"DOCKER_INFO_ERROR": "permission denied while trying to connect"}, "sudo usermod -aG docker"),
    ],
)
def test_what_docker_lacks_is_said_with_what_to_type(machine: Machine, docker: dict[str, str], sentence: str) -> None:
    assert sentence in machine.refusal("--photos", machine.drive("one"), **docker)
    assert not machine.env_file.exists()


def test_a_database_whose_password_is_gone_is_not_started_with_another(machine: Machine) -> None:
    sentence = machine.refusal("--photos", machine.drive("one"), "--port", str(machine.port), DOCKER_VOLUME="1")
    assert "Put the old .env back" in sentence
    assert not machine.env_file.exists()


def test_an_override_of_the_persons_own_is_left_alone(machine: Machine) -> None:
    mine = machine.project / OVERRIDE
    mine.write_text("services: {}\n")
    assert f"{OVERRIDE} is yours" in machine.refusal("--photos", machine.drive("one"), "--port", str(machine.port))
    assert mine.read_text() == "services: {}\n"


def test_a_start_that_fails_shows_what_the_services_said(machine: Machine) -> None:
    docker = {"DOCKER_UP_STATUS": "1", "DOCKER_LOGS": "postgres-1  | This database was made by PostgreSQL 17"}
    said = machine.refusal("--photos", machine.drive("one"), "--port", str(machine.port), **docker)
    assert "This database was made by PostgreSQL 17" in said


@pytest.fixture
def postgres(tmp_path: Path) -> dict[str, str]:
    """The environment of the container, in which the image's own start only says what it was given."""
    start = tmp_path / "bin/docker-entrypoint.sh"
    start.parent.mkdir()
    start.write_text('#!/bin/sh\necho "started: $*"\n')
    start.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    return {"PATH": f"{start.parent}:{os.environ['PATH']}", "PGDATA": str(data), "PG_MAJOR": "18"}


def start_postgres(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = ["sh", str(PROJECT / "deploy/compose/postgres.sh"), "postgres", "-c", "jit=off"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_new_volume_and_one_of_the_same_postgres_are_started(postgres: dict[str, str]) -> None:
    assert start_postgres(postgres).stdout == "started: postgres -c jit=off\n"
    (Path(postgres["PGDATA"]) / "PG_VERSION").write_text("18\n")
    assert start_postgres(postgres).stdout == "started: postgres -c jit=off\n"


@pytest.mark.parametrize("other", ["17", "19"])
def test_a_volume_of_another_postgres_is_refused_with_what_to_type(postgres: dict[str, str], other: str) -> None:
    (Path(postgres["PGDATA"]) / "PG_VERSION").write_text(f"{other}\n")
    answer = start_postgres(postgres)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert f"This database was made by PostgreSQL {other}, and this is PostgreSQL 18" in answer.stderr
    assert f"POSTGRES_IMAGE=pgvector/pgvector:pg{other} into .env, then type: make compose" in answer.stderr
