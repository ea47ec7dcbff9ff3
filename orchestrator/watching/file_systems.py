"""Which file systems tell of changes. Those of other machines do not say what happens there."""

import os
from pathlib import Path

_SILENT = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "virtiofs", "ceph", "glusterfs", "lustre",
        "davfs", "webdav", "afpfs", "vboxsf", "prl_fs", "drvfs",
    }
)  # fmt: skip
_LOCAL_FUSE = frozenset({"fuse.ext2fs", "fuse.ntfs-3g", "fuse.exfat"})
_MOUNTS = Path("/proc/self/mountinfo")


def must_be_polled(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether the file system of this folder tells nobody of new files."""
    kind = kind_of(folder, mounts)
    return kind in _SILENT or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def kind_of(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The file system as the kernel calls it; "" where nobody says so."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    here = os.fsencode(os.path.realpath(folder))
    found: tuple[int, str] = (-1, "")
    for line in lines:
        before, _, after = line.partition(b" - ")
        point = before.split(b" ")[4].decode("unicode_escape").encode("latin-1")  # octal for what is special
        inside = here == point or here.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= found[0]:  # of several on one point the last one is seen
            found = (len(point), after.split(b" ")[0].decode("ascii", "replace"))
    return found[1]
