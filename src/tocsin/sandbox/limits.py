"""What keeps a worker process from the rest of the system, layer by layer.

Each layer is put in place where the system offers it; `isolate` says of each that is missing why.
Once they hold they cannot be taken off again.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tocsin.sandbox.landlock import allow_reading
from tocsin.sandbox.seccomp import allow_calls

_NO_NEW_PRIVILEGES = 38
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x1000_0000, 0x4000_0000, 0x0800_0000

RLIMITS = "resource limits"
NO_NEW_PRIVILEGES = "no new privileges"
NETWORK_NAMESPACE = "network namespace"
LANDLOCK = "Landlock"
SECCOMP = "seccomp"

PROTECTIONS: Mapping[str, tuple[str, ...]] = {
    "taking all memory": (RLIMITS,),
    "starting programs": (SECCOMP,),
    "signalling other processes": (SECCOMP,),
    "the network": (NETWORK_NAMESPACE, SECCOMP),
    "writing files": (LANDLOCK, SECCOMP),
    "reading your files": (LANDLOCK,),
}
"""What rules are kept from, and the layers of which one is enough for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    seconds: float = 15
    """Time for one event; then the worker is ended."""
    memory: int = 1 << 30
    """Bytes of address space."""
    cpu_seconds: int = 3600
    """Time on a processor, over a worker's life."""
    open_files: int = 64


def isolate(limits: Limits, readable: Sequence[str]) -> dict[str, str]:
    """Put every layer in place; return why for each, empty where it holds."""
    steps: Mapping[str, Callable[[], None]] = {
        NETWORK_NAMESPACE: _leave_network,
        RLIMITS: lambda: _limit(limits),
        NO_NEW_PRIVILEGES: _give_up_privileges,
        LANDLOCK: lambda: allow_reading(readable),
        SECCOMP: allow_calls,
    }
    return {name: _attempt(step) for name, step in steps.items()}


def unprotected(layers: Mapping[str, str]) -> list[str]:
    """Say what rules are not kept from, and for want of which layers."""
    return [
        f"{what} ({', '.join(f'{name}: {layers.get(name)}' for name in names)})"
        for what, names in PROTECTIONS.items()
        if all(layers.get(name, "not tried") for name in names)
    ]


def _attempt(step: Callable[[], None]) -> str:
    try:
        step()
    except (OSError, ValueError, AttributeError, ImportError, NotImplementedError) as error:
        return str(error) or type(error).__name__
    return ""


def _linux() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise NotImplementedError("is a part of Linux")
    return ctypes.CDLL(None, use_errno=True)


def _leave_network() -> None:
    libc = _linux()
    for flags in (_NEW_USER | _NEW_NETWORK | _NEW_IPC, _NEW_NETWORK | _NEW_IPC):
        if libc.unshare(flags) == 0:
            return
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))


def _limit(limits: Limits) -> None:
    import resource

    for name, most in (
        ("RLIMIT_AS", limits.memory),
        ("RLIMIT_CPU", limits.cpu_seconds),
        ("RLIMIT_NOFILE", limits.open_files),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", 0),
    ):
        resource.setrlimit(getattr(resource, name), (most, most))


def _give_up_privileges() -> None:
    if _linux().prctl(_NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
