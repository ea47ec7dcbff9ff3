"""Started by root, the services run as a system user of their own: PostgreSQL refuses root, a broker needs no more."""

import os
import pwd
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from shared.errors import KeepersError

USER_NAME = "keepers"


class RunAs(TypedDict, total=False):
    """Arguments of subprocess calls."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Whom the services run as. Without ids: whoever runs Keepers."""

    user_id: int | None = None
    group_id: int | None = None

    @property
    def run_as(self) -> RunAs:
        if self.user_id is None or self.group_id is None:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make the account the owner of one file or folder."""
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id)


def service_account() -> Account:
    """The account of the services; as root the system user `keepers`, created when missing."""
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        _create_user()
        entry = pwd.getpwnam(USER_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def private_folder(folder: Path, account: Account) -> None:
    """Create `folder`, mode 0700, owned by the account, and let the account pass through the folders above."""
    folder.mkdir(parents=True, exist_ok=True)
    account.own(folder)
    folder.chmod(0o700)
    if account.user_id is None or can_reach(folder, account):
        return
    for parent in reversed(folder.parents):
        if not can_reach(parent, account):
            _let_pass(parent, account.user_id)


def can_reach(path: Path, account: Account) -> bool:
    """Whether the account can enter this folder, or run this program, through all folders above it."""
    command = ["/usr/bin/test" if Path("/usr/bin/test").exists() else "/bin/test", "-x", str(path)]
    return subprocess.run(command, check=False, cwd="/", **account.run_as).returncode == 0


def _create_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", USER_NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        raise KeepersError(
            f"PostgreSQL does not run as root, and the system user '{USER_NAME}' could not be created: "
            "run Keepers as a normal user."
        ) from exc


# The POSIX access control list of a folder, as Linux keeps it: version 2, then (tag, permissions, id) per entry.
_ACL = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID, _PASS = 0xFFFFFFFF, 1


def _let_pass(folder: Path, user_id: int) -> None:
    """Let one user walk through a folder, without reading it and without opening it to anybody else.

    A wider mode would let every user in.
    """
    try:
        entries = {(tag, owner): bits for tag, bits, owner in _ENTRY.iter_unpack(_access_list(folder)[len(_VERSION) :])}
        entries[_USER, user_id] = entries.get((_USER, user_id), 0) | _PASS
        entries[_MASK, _NO_ID] = entries.get((_MASK, _NO_ID), entries[_GROUP, _NO_ID]) | _PASS
        packed = b"".join(_ENTRY.pack(tag, bits, owner) for (tag, owner), bits in sorted(entries.items()))
        os.setxattr(folder, _ACL, _VERSION + packed)
    except (OSError, AttributeError) as exc:
        raise KeepersError(
            f"PostgreSQL does not run as root, and the user '{USER_NAME}' cannot pass through {folder}: "
            "set KEEPERS_HOME to a folder elsewhere, /var/lib/keepers for example."
        ) from exc


def _access_list(folder: Path) -> bytes:
    try:
        return os.getxattr(folder, _ACL)
    except OSError:  # none yet: the mode bits are the whole list
        mode = folder.stat().st_mode
        return _VERSION + b"".join(
            _ENTRY.pack(tag, mode >> shift & 0o7, _NO_ID) for tag, shift in ((_OWNER, 6), (_GROUP, 3), (_OTHER, 0))
        )
