"""Run a command as an unprivileged user that may still reach its files: PostgreSQL refuses root.

Used as a script (`python -I unroot.py UID GID COMMAND…`), so that nothing runs between fork and
exec in a process with threads. The only capabilities kept are those that let the command walk
through directories closed to other users (a checkout below /root, a deep 0700 path); no mode or
owner of any parent directory is changed. It imports nothing of ours: it must start anywhere.
"""

from __future__ import annotations

import ctypes
import os
import sys

# linux/capability.h and linux/prctl.h
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_VERSION_3 = 0x20080522
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 4
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def become(uid: int, gid: int) -> None:
    """Give up root for good, keeping only the right to walk through closed directories.

    Where the kernel or the container does not grant that right, it is simply not kept.
    Raises OSError when the user cannot be changed at all.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(_VERSION_3, 0), (_Data * 2)()
    libc.capget(ctypes.byref(header), data)
    keep = data[0].permitted & (1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)
    # access(2), which PostgreSQL uses to find its own binary, ignores capabilities of a user
    # other than root unless this bit is set.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    wanted = (_Data * 2)(_Data(keep, keep, keep), _Data(0, 0, 0))
    if libc.capset(ctypes.byref(header), wanted) != 0:
        raise OSError(ctypes.get_errno(), "cannot give up root's capabilities")
    for cap in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if keep & 1 << cap:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, cap, 0, 0)


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])
