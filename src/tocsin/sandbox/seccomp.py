"""seccomp: from now on this process may make the calls that computing and reading need, no other.

Every other call fails with `EPERM`: sockets, new processes and threads, signals, writing files.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW = 0x7FFF_0000
_REFUSE = 0x0005_0000 | 1
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_WRITES = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o20000000
"""Flags of `openat` that write, create, cut or append."""
_OF_TERMINALS_AND_CLOSING = (0x5401, 0x5451)
_DUPLICATES_AND_FLAGS = (0, 1, 2, 3, 1030)
_OWN_PROCESS = (0,)
_OTHER_TABLE = 0x4000_0000
"""Numbers from here on are of another table of calls (x32)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The numbers of one architecture: its own, those of calls that it may make."""

    id: int
    openat: int
    ioctl: int
    fcntl: int
    prlimit: int
    allowed: tuple[int, ...]


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(
        0xC000_003E,
        openat=257,
        ioctl=16,
        fcntl=72,
        prlimit=302,
        allowed=(
            0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 23, 24, 25, 28, 32,
            35, 39, 60, 63, 79, 89, 96, 98, 99, 100, 102, 104, 107, 108, 110, 131, 186, 201,
            202, 204, 217, 219, 228, 229, 230, 231, 262, 267, 269, 270, 271, 273, 318, 324, 332,
            334, 439,
        ),
    ),
    "aarch64": Machine(
        0xC000_00B7,
        openat=56,
        ioctl=29,
        fcntl=25,
        prlimit=261,
        allowed=(
            17, 23, 48, 57, 61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80, 93, 94, 98, 99,
            101, 113, 114, 115, 123, 124, 128, 132, 134, 135, 139, 153, 160, 165, 169, 172, 173,
            174, 175, 176, 177, 178, 179, 214, 215, 216, 222, 226, 233, 278, 283, 291, 293, 439,
        ),
    ),
}  # fmt: skip
"""By `platform.machine()`. The numbers are those of the kernel's tables of calls: reading and
writing what is open, memory, time, what the process is, waiting, and asking about files."""


def allow_calls() -> None:
    """Install the filter; raises `OSError` if the kernel has none for this architecture."""
    machine = MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise NotImplementedError(f"no filter for {sys.platform} on {platform.machine()}")
    program = b"".join(_program(machine))
    text = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _program(machine: Machine) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_IF_EQUAL, machine.id, then=1)
    yield _step(_RETURN, _REFUSE)
    yield _step(_LOAD, _NUMBER)
    yield _step(_IF_AT_LEAST, _OTHER_TABLE, otherwise=1)
    yield _step(_RETURN, _REFUSE)
    for number in machine.allowed:
        yield _step(_IF_EQUAL, number, otherwise=1)
        yield _step(_RETURN, _ALLOW)
    yield from _if_argument(machine.openat, 2, [_step(_IF_ANY_BIT, _WRITES, then=1)])
    yield from _if_argument(machine.ioctl, 1, _one_of(_OF_TERMINALS_AND_CLOSING))
    yield from _if_argument(machine.fcntl, 1, _one_of(_DUPLICATES_AND_FLAGS))
    yield from _if_argument(machine.prlimit, 0, _one_of(_OWN_PROCESS))
    yield _step(_RETURN, _REFUSE)


def _if_argument(number: int, at: int, tests: list[bytes]) -> Iterator[bytes]:
    """Allow a call if the tests of one of its arguments end in the step right behind them."""
    yield _step(_IF_EQUAL, number, otherwise=len(tests) + 3)
    yield _step(_LOAD, _FIRST_ARGUMENT + 8 * at)
    yield from tests
    yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _REFUSE)


def _one_of(values: tuple[int, ...]) -> list[bytes]:
    *others, last = values
    tests = [_step(_IF_EQUAL, one, then=len(others) - at) for at, one in enumerate(others)]
    return [*tests, _step(_IF_EQUAL, last, otherwise=1)]


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
