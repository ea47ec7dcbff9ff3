"""Giving a file another name where nothing has that name: a rename never takes away what is there."""

import ctypes
import errno
import os
import sys
from functools import cache
from typing import Any

# The flag that makes a rename refuse a name that is taken, by the call that knows it.
_CALL, _NO_REPLACE = ("renameatx_np", 4) if sys.platform == "darwin" else ("renameat2", 1)
_NOT_KNOWN = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def rename(from_folder: int, name: bytes, to_folder: int, new_name: bytes) -> None:
    """Within one file system, in one step; the folders are open. Raises OSError: FileExistsError when the new name is
    taken, EXDEV when the other folder lies on another drive."""
    call = _system_call()
    trouble = errno.ENOSYS if call is None else _called(call, from_folder, name, to_folder, new_name)
    if trouble in _NOT_KNOWN:  # some network drives: looked at first, then renamed
        _rename_if_free(from_folder, name, to_folder, new_name)
    elif trouble:
        raise OSError(trouble, os.strerror(trouble), new_name)


def _called(call: Any, from_folder: int, name: bytes, to_folder: int, new_name: bytes) -> int:  # Any: a C function
    return ctypes.get_errno() if call(from_folder, name, to_folder, new_name, _NO_REPLACE) else 0


@cache
def _system_call() -> Any:  # Any: a C function, or None where the system has none
    call = getattr(ctypes.CDLL(None, use_errno=True), _CALL, None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return call


def _rename_if_free(from_folder: int, name: bytes, to_folder: int, new_name: bytes) -> None:
    try:
        os.stat(new_name, dir_fd=to_folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(name, new_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
