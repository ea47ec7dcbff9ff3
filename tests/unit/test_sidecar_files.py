"""Sidecars on disk: whole or not at all, and never over what somebody else wrote."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.write_back.files import NotWritten, possible_names, read, replace


def test_a_file_that_was_written_in_the_meantime_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(b"first")
    _, as_read = read(path)
    path.write_bytes(b"of another program")
    with pytest.raises(NotWritten, match="Another program wrote it"):
        replace(path, b"ours", as_read)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.xmp", b"of another program")]


def test_a_file_that_has_come_or_gone_in_the_meantime_is_left_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(b"of another program")
    with pytest.raises(NotWritten, match="Another program wrote it"):
        replace(path, b"ours", None)
    _, as_read = read(path)
    path.unlink()
    with pytest.raises(NotWritten, match="removed"):
        replace(path, b"ours", as_read)
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_a_killed_run_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f".keepers-{os.getpid()}-{threading.get_ident():x}.tmp").write_bytes(b"half a fi")
    replace(tmp_path / "a.xmp", b"whole", None)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.xmp", b"whole")]


def test_a_thread_that_was_given_up_and_one_after_it_do_not_take_each_others_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow drive may keep the first one at work long after nobody waits for it."""
    path = tmp_path / "a.xmp"
    path.write_bytes(b"before")
    _, as_read = read(path)
    fsync, written, may_go_on = os.fsync, threading.Barrier(3), {3: threading.Event(), 5: threading.Event()}

    def slowly(descriptor: int) -> None:
        if gate := may_go_on.get(os.fstat(descriptor).st_size):
            written.wait(30)
            assert gate.wait(30)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slowly)
    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(replace, path, packet, as_read) for packet in (b"one", b"other"))
        written.wait(30)
        may_go_on[3].set()
        assert first.result(30).st_size == 3
        may_go_on[5].set()
        with pytest.raises(NotWritten, match="Another program wrote it"):
            second.result(30)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.xmp", b"one")]


def test_a_pipe_under_the_name_of_a_sidecar_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xmp")
    with pytest.raises(NotWritten, match="no file"):
        read(tmp_path / "a.xmp")


@pytest.mark.parametrize(
    ("original", "beside", "name"),
    [
        (b"d/A.NEF", [], b"d/A.xmp"),
        (b"d/A.NEF", [b"b.xmp", b"c.nef.xmp", b"d.xmp"], b"d/A.xmp"),
        (b"d/A.NEF", [b"b.nef.xmp", b"c.nef.xmp", b"d.xmp"], b"d/A.NEF.xmp"),
        (b"d/A.NEF", [b"a.nef", b"a.jpg"], b"d/A.xmp"),
        (b"d/A.NEF", [b"a.nef", b"a.cr2"], b"d/A.NEF.xmp"),
        (b"a.jpg", [], b"a.jpg.xmp"),
        (b"a.jpg", [b"b.xmp"], b"a.xmp"),
        (b"a.jpg", [b"b.xmp", b"a.tif"], b"a.jpg.xmp"),
        (b"IMG.1.nef", [b"img.2.xmp"], b"IMG.1.xmp"),
    ],
)
def test_a_new_sidecar_is_named_as_its_folder_does(original: bytes, beside: list[bytes], name: bytes) -> None:
    assert possible_names(original, frozenset(beside))[0] == name
