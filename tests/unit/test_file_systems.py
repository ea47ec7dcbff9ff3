"""Which folders are watched and which are only looked at: the kernel's table of mounts says what they lie on."""

from pathlib import Path

import pytest

from orchestrator.watching.file_systems import kind_of, must_be_polled

# As proc_pid_mountinfo(5) has it: number, parent, device, root, point, options, optional fields, -, kind, source ...
MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 0:40 / /mnt/nas rw,relatime shared:9 - nfs4 nas:/photos rw,vers=4.2
32 31 8:33 / /mnt/nas/local rw - xfs /dev/sdc1 rw
33 22 0:41 / /mnt/the\040share rw - cifs //nas/photos rw
34 22 0:42 / /mnt/cloud rw - fuse.rclone remote: rw
35 22 8:17 / /mnt/stick rw - fuse.exfat /dev/sdb1 rw
36 22 8:18 / /mnt/twice rw - ext4 /dev/sdd1 rw
37 36 0:43 / /mnt/twice rw - nfs nas:/twice rw
""".lstrip()


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    return table


@pytest.mark.parametrize(
    ("folder", "kind", "is_polled"),
    [
        ("/photos/2026", "ext4", False),
        ("/mnt/nas", "nfs4", True),
        ("/mnt/nas/2026", "nfs4", True),
        ("/mnt/nas/local/2026", "xfs", False),
        ("/mnt/nasty", "ext4", False),
        ("/mnt/the share/2026", "cifs", True),
        ("/mnt/cloud/2026", "fuse.rclone", True),
        ("/mnt/stick", "fuse.exfat", False),
        ("/mnt/twice", "nfs", True),
    ],
)
def test_a_folder_that_another_machine_changes_is_polled(mounts: Path, folder: str, kind: str, is_polled: bool) -> None:
    assert kind_of(Path(folder), mounts) == kind
    assert must_be_polled(Path(folder), mounts) is is_polled


def test_where_nobody_tells_of_mounts_folders_are_watched(tmp_path: Path) -> None:
    assert not must_be_polled(tmp_path, tmp_path / "no-such-table")
