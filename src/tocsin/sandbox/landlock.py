"""Landlock: from now on this process reads below some paths, and reaches no other file.

Constants are of the kernel's interface (https://docs.kernel.org/userspace-api/landlock.html).
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights to files each version of the interface has; 16 since version 5."""
_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def allow_reading(paths: Sequence[str]) -> None:
    """Allow to read below some paths; raises `OSError` if the kernel has no Landlock."""
    if sys.platform != "linux":
        raise NotImplementedError("is a part of Linux")
    libc = ctypes.CDLL(None, use_errno=True)
    version = _call(libc, _CREATE, None, 0, _VERSION)
    attributes = _attributes(version)
    ruleset = _call(libc, _CREATE, attributes, len(attributes), 0)
    for path in paths:
        _allow(libc, ruleset, path)
    _call(libc, _RESTRICT, ruleset, 0)
    os.close(ruleset)


def _attributes(version: int) -> bytes:
    """Return what the rules are about: all rights that this version of the kernel knows."""
    files = (1 << _RIGHTS.get(version, 16)) - 1
    parts = [files]
    if version >= 4:
        parts.append(_BIND_AND_CONNECT)
    if version >= 6:
        parts.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    return struct.pack(f"={len(parts)}Q", *parts)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
    rights = _READ_FILE | _READ_DIR if is_folder else _READ_FILE
    try:
        _call(libc, _ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
