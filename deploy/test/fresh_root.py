"""A fresh Debian in a folder, and somebody in it who may use sudo.

pip and apt take there what they take on this machine. Only for a process with mounts of its own, which end with it.
"""

import shutil
import subprocess
from pathlib import Path

from deploy.test.images import PROJECT, SUITE, local_paths, mirror, pip_configuration

PACKAGES = "ca-certificates,curl,git,jq,make,python3,python3-venv,sudo"
READER = "reader"
HOME = Path("/home") / READER
CLONE = HOME / "keepers"
WRITABLE = ("some/folder", "a")  # below the root: the folders that the documents name
_ENVIRONMENT = (f"HOME={HOME}", f"USER={READER}", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")


class FreshRoot:
    """Of the last commit a clone, in /some/folder the sample photographs."""

    def __init__(self, folder: Path, as_it_was_left: bool = False) -> None:
        """What debootstrap makes stays in `folder`/debian for the next time."""
        self.folder = folder / "root"
        if as_it_was_left:
            self._configure()
            self._bring_up_to_date()
            return
        if self.folder.exists():
            shutil.rmtree(self.folder)
        subprocess.run(["cp", "--archive", _debian(folder), self.folder], check=True)
        self._configure()
        self._people_it()

    def there(self, path: Path) -> Path:
        """Where something of the root lies on this machine."""
        return self.folder / path.relative_to("/")

    def typed(self, text: str) -> list[str]:
        """The command that types this in the clone."""
        words = ["env", "--ignore-environment", *_ENVIRONMENT, "chroot", f"--userspec={READER}", str(self.folder)]
        return [*words, "/bin/bash", "-ec", f"cd {CLONE}; {text}"]

    def _configure(self) -> None:
        configuration = pip_configuration()
        self.there(Path("/etc/pip.conf")).write_text(configuration)
        self.there(Path("/etc/hosts")).write_text("127.0.0.1 localhost\n")  # as the installer of Debian writes it
        shutil.copy("/etc/resolv.conf", self.there(Path("/etc/resolv.conf")))
        for place in ("/proc", "/sys", "/dev"):
            self._show(Path(place), "rbind")
        for place in local_paths(configuration):
            self._show(Path(place), "bind,ro")

    def _show(self, place: Path, how: str) -> None:
        """This place of the machine, in the root."""
        there = self.there(place)
        if place.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            there.touch()
        subprocess.run(["mount", "--options", how, str(place), str(there)], check=True)

    def _people_it(self) -> None:
        self._as_root("useradd", "--create-home", "--shell=/bin/bash", READER)
        sudoers = self.there(Path("/etc/sudoers.d")) / READER
        sudoers.write_text(f"{READER} ALL=(ALL) NOPASSWD: ALL\n")
        sudoers.chmod(0o440)
        # Without this, curl calls a refusal a success.
        (self.there(HOME) / ".curlrc").write_text("fail\nno-progress-meter\n")
        # A clone that shares files with the original would hand those to the reader as well.
        clone = ["git", "clone", "--quiet", "--no-local", str(PROJECT), str(self.there(CLONE))]
        subprocess.run(clone, check=True)
        for path in WRITABLE:
            (self.folder / path).mkdir(parents=True)
        subprocess.run([PROJECT / ".venv/bin/keepers", "samples", self.folder / WRITABLE[0]], check=True)
        self._as_root("chown", "--recursive", f"{READER}:", str(HOME), *(f"/{path}" for path in WRITABLE))

    def _bring_up_to_date(self) -> None:
        clone = self.there(CLONE)
        git = ["git", "-c", f"safe.directory={clone}", "-C", str(clone)]
        subprocess.run([*git, "fetch", "--quiet"], check=True)
        subprocess.run([*git, "reset", "--quiet", "--hard", "@{upstream}"], check=True)
        self._as_root("chown", "--recursive", f"{READER}:", str(CLONE))

    def _as_root(self, *command: str) -> None:
        subprocess.run(["chroot", self.folder, *command], check=True)


def _debian(folder: Path) -> Path:
    debian, unfinished = folder / "debian", folder / "debian.unfinished"
    if not debian.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(unfinished), mirror()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        policy = unfinished / "usr/sbin/policy-rc.d"  # no package may start its services
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        unfinished.rename(debian)
    return debian
