"""Builds the images and runs the services of docker-compose.yml on the sample photographs. Takes some minutes and root.

    .venv/bin/python -m deploy.test.run [FOLDER]

Two workers convert, one is killed half-way with kill -9; every photo must come through all stages all the same. Then
everything is stopped and started again on the same volumes. No Docker and no image registry is needed: see images.py
and standins/ for what stands in for the official images. All containers share a network of their own in which there is
nothing but the loopback interface.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploy.test import compose_file
from deploy.test.engine import Engine
from deploy.test.images import IMAGES, PROJECT, build_all

PACKAGES = ("debootstrap", "buildah", "podman", "runc", "catatonit", "iproute2")
PROGRAMS = ("debootstrap", "buildah", "podman", "runc", "ip")
STANDINS = {"rabbitmq": "localhost/standin-broker", "postgres": "localhost/standin-database"}
PAGE = "http://127.0.0.1:8000"
WAIT_SECONDS = 900
INSIDE = "KEEPERS_TEST_INSIDE"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/var/tmp/keepers-containers").absolute()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        sys.exit(f"Run this as root, after: sudo sh deploy/install-packages.sh {' '.join(PACKAGES)}")
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(folder)
    if INSIDE not in os.environ:
        build_all(engine, folder)
        command = [sys.executable, "-m", "deploy.test.run", str(folder)]
        sys.exit(
            subprocess.run(["unshare", "--net", *command], env={**os.environ, INSIDE: "1"}, check=False).returncode
        )
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Run(engine, folder).everything()


class Run:
    """The services of the compose file, one after the other."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._photos = folder / "photos"
        self._services: dict[str, Any] = {}
        self._configs: dict[str, Any] = {}
        self._running: list[str] = []

    def everything(self) -> None:
        self._clear()
        self._prepare()
        self._images()
        try:
            self._start_all()
            photos = self._import_with_a_killed_worker()
            self._stop_all()
            self._start_all()
            assert self._photo_count() == photos, "photos were lost between two starts"
            self._say(f"stopped and started again: all {photos} photos are there")
            self._stop_all()
            self._another_postgres()
        except BaseException:
            for name in self._running:
                print(f"--- {name}\n{self._engine.logs(name)}", flush=True)
            raise
        finally:
            self._clear()
        self._say("all is well")

    def _clear(self) -> None:
        self._engine.podman("rm", "--all", "--force", "--time=1", check=False)
        self._engine.podman("volume", "rm", "--all", "--force", check=False)
        self._running.clear()

    def _prepare(self) -> None:
        """As a person would: `make compose`, up to the start."""
        subprocess.run([PROJECT / ".venv/bin/keepers", "samples", self._photos], check=True, stdout=subprocess.DEVNULL)
        project = self._folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        shutil.copy(PROJECT / ".env.example", project)
        prepare = [sys.executable, PROJECT / "deploy/compose/prepare.py", "--only-write", "--project", project]
        subprocess.run([*prepare, "--photos", self._photos], check=True)
        env = dict(line.split("=", 1) for line in (project / ".env").read_text().splitlines() if line[:1].isupper())
        override = project / "docker-compose.override.yml"
        files = [compose_file.COMPOSE_FILE, *([override] if override.exists() else [])]
        loaded = compose_file.load(env, *files)
        self._services, self._configs = loaded["services"], loaded["configs"]

    def _images(self) -> None:
        for image in IMAGES:
            self._say(f"{image}: {self._engine.image_megabytes(image)} MB")
        inside = ["run", "--rm", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]
        for image, torch in (("keepers-orchestrator:local", False), ("keepers-worker:local", True)):
            code = "import importlib.util, os; print(os.getuid(), importlib.util.find_spec('torch') is not None)"
            said = self._engine.podman(*inside, "--entrypoint=python", image, "-c", code).stdout.split()
            assert said == ["10001", str(torch)], (image, said)

    # ---- starting and stopping ----

    def _start_all(self) -> None:
        for service in ("postgres", "rabbitmq"):
            self._start(service, service)
            self._until(lambda service=service: self._is_healthy(service, service), f"{service} to be healthy")
        self._start("orchestrator", "orchestrator")
        for name in ("worker-1", "worker-2", "embed", "taste"):
            self._start(name, name.partition("-")[0])
        self._until(lambda: _answers("/readyz"), "the page to be ready")
        for name in list(self._running):
            service = name.partition("-")[0]
            self._until(lambda name=name, service=service: self._is_healthy(name, service), f"{name} to be healthy")
        self._say("all services are healthy")

    def _start(self, name: str, service: str) -> None:
        wanted = self._services[service]
        self._engine.start(name, STANDINS.get(service, wanted["image"]), wanted, list(self._mounts(wanted)))
        self._running.append(name)

    def _mounts(self, service: dict[str, Any]) -> Iterator[str]:
        for config in service.get("configs", []):
            file = self._folder / "project" / config["source"]
            file.write_text(self._configs[config["source"]]["content"])
            yield f"{file}:{config['target']}:ro"
        for volume in service["volumes"]:
            if isinstance(volume, dict):
                yield f"{volume['source']}:{volume['target']}:{'ro' if volume['read_only'] else 'rw'}"
            else:
                source, _, rest = volume.partition(":")
                yield f"{PROJECT / source if source.startswith('.') else source}:{rest}"

    def _is_healthy(self, name: str, service: str) -> bool:
        """By the check of the compose file, else by the one of the image."""
        check = self._services[service].get("healthcheck")
        if check is None:
            return self._engine.podman("healthcheck", "run", name, check=False).returncode == 0
        return self._engine.podman("exec", name, *check["test"][1:], check=False).returncode == 0

    def _stop_all(self) -> None:
        """As `docker compose down` does it: in the opposite order, killed after the grace period."""
        for name in reversed(self._running):
            grace = self._services[name.partition("-")[0]]["stop_grace_period"].removesuffix("s")
            began = time.monotonic()
            self._engine.podman("stop", f"--time={grace}", name)
            code = self._engine.inspect(name)["State"]["ExitCode"]
            assert code in (0, 128 + signal.SIGTERM), f"{name} ended with {code} after {time.monotonic() - began:.0f} s"
            self._engine.podman("rm", name)
        self._running.clear()

    # ---- what is to be seen ----

    def _import_with_a_killed_worker(self) -> int:
        import_id = _ask("/api/imports", {"path": "/photos/library"})["id"]

        def seen() -> dict[str, Any]:
            return _ask(f"/api/imports/{import_id}")

        self._until(lambda: 0 < seen()["done"] >= seen()["pending"], "half of the photos")
        half = seen()
        assert half["pending"], "they were too quick to kill one half-way"
        victim = self._engine.inspect("worker-2")["State"]["Pid"]
        os.kill(victim, signal.SIGKILL)
        self._say(f"worker-2 killed: {half['done']} done, {half['pending']} pending")
        self._until(lambda: seen()["state"] == "done", "the import to settle")
        self._until(lambda: not any(stage["pending"] for stage in seen()["stages"].values()), "the later stages")
        end = seen()
        self._say(json.dumps({key: end[key] for key in ("found", "done", "skipped", "failed", "pending", "stages")}))
        causes = [failure["error_type"] for failure in _ask("/api/failures")["items"] if failure["final"]]
        assert causes == ["UnsupportedFile"], f"one of the samples is no photograph; failed were {causes}"
        assert end["done"] + end["skipped"] + len(causes) == end["found"]
        assert all(stage["failed"] == stage["held"] == 0 for stage in end["stages"].values())
        self._until(lambda: self._engine.inspect("worker-2")["State"]["Running"], "worker-2 to be started again")
        self._say("worker-2 was started again")
        self._say(self._engine.podman("exec", "orchestrator", "keepers", "backup").stdout.strip())
        return self._photo_count()

    def _photo_count(self) -> int:
        return len(_ask("/api/photos?limit=200")["items"])

    def _another_postgres(self) -> None:
        """A volume of this version under the next one."""
        service = self._services["postgres"]
        environment = service["environment"] | {"PG_MAJOR": "19"}
        changed = {**service, "environment": environment, "restart": "no"}
        self._engine.start("postgres", STANDINS["postgres"], changed, list(self._mounts(service)))
        self._running.append("postgres")
        self._until(lambda: not self._engine.inspect("postgres")["State"]["Running"], "PostgreSQL 19 to refuse")
        assert "This database was made by PostgreSQL 18" in self._engine.logs("postgres")
        self._say("a volume of another PostgreSQL is refused")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {WAIT_SECONDS} s for {what}")
            time.sleep(0.3)

    def _say(self, sentence: str) -> None:
        print(f"=== {sentence}", flush=True)


def _answers(path: str) -> bool:
    try:
        _ask(path)
    except OSError:
        return False
    return True


def _ask(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(PAGE + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


if __name__ == "__main__":
    main()
