"""podman and buildah with a storage of their own, in a sandbox that allows few things."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Engine:
    """Everything it stores lies below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._storage = [f"--root={folder}/storage", f"--runroot={folder}/run"]

    def buildah(self, *arguments: str) -> None:
        subprocess.run(["buildah", *self._storage, *arguments], check=True)

    def podman(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = ["podman", *self._storage, "--runtime=runc", "--cgroup-manager=cgroupfs", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"podman {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    def has_image(self, name: str) -> bool:
        return self.podman("image", "exists", name, check=False).returncode == 0

    def image_megabytes(self, name: str) -> int:
        return round(int(json.loads(self.podman("image", "inspect", name).stdout)[0]["Size"]) / 1e6)

    def start(self, name: str, image: str, service: Mapping[str, Any], mounts: list[str]) -> None:
        """Run a service of a compose file, in the network of this process. Any: as YAML.

        Memory limits are left out: a sandbox has no cgroups to set them in.
        """
        options = ["--detach", f"--name={name}", "--network=host", "--add-host=rabbitmq:127.0.0.1"]
        options += ["--add-host=postgres:127.0.0.1", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]
        options += [f"--restart={service['restart']}", *(f"--cap-drop={one}" for one in service.get("cap_drop", []))]
        options += [f"--security-opt={one.partition(':')[0]}" for one in service.get("security_opt", [])]
        options += [f"--group-add={one}" for one in service.get("group_add", [])]
        options += [f"--env={key}={value}" for key, value in service.get("environment", {}).items()]
        options += [f"--volume={mount}" for mount in mounts]
        options += ["--init"] if service.get("init") else []
        if "entrypoint" in service:
            options.append(f"--entrypoint={json.dumps(service['entrypoint'])}")
        self.podman("run", *options, image, *service.get("command", []))

    def inspect(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.podman("container", "inspect", name).stdout)[0]
        return found

    def logs(self, name: str, lines: int = 15) -> str:
        said = self.podman("logs", f"--tail={lines}", name, check=False)
        return said.stdout + said.stderr
