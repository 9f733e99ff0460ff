"""Messages between Tocsin and a worker: JSON behind its length."""

import json
import os
import select
import struct
import time
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
_AT_ONCE = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe takes without waiting once it says that it takes any."""
_HEAD = struct.Struct(">I")


class Ended(Exception):
    """The other side has gone, or says what is no message."""


class Late(Exception):
    """The other side did not answer in time."""


def send(fd: int, message: Any, seconds: float | None = None) -> None:
    """Write a message; raises `Ended` if nobody reads any more, `Late` if nobody does in time."""
    send_text(fd, json.dumps(message), seconds)


def send_text(fd: int, text: str, seconds: float | None = None) -> None:
    """Write a message that is JSON already; raises as `send`."""
    data = text.encode("utf-8", "surrogatepass")
    deadline = None if seconds is None else time.monotonic() + seconds
    rest = memoryview(_HEAD.pack(len(data)) + data)
    try:
        while rest:
            if deadline is not None:
                _wait([], [fd], deadline)
            rest = rest[os.write(fd, rest[:_AT_ONCE]) :]
    except OSError:
        raise Ended from None


def await_message(fd: int, seconds: float) -> None:
    """Wait until a message begins to arrive, or the other side is gone; raises `Late`."""
    _wait([fd], [], time.monotonic() + seconds)


def _wait(to_read: list[int], to_write: list[int], deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not any(select.select(to_read, to_write, [], left)):
        raise Late


def receive(fd: int, seconds: float | None = None) -> Any:
    """Read a message; raises `Ended` if none comes any more, `Late` if none comes in time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    (size,) = _HEAD.unpack(_read(fd, _HEAD.size, deadline))
    if size > MAX_BYTES:
        raise Ended
    try:
        return json.loads(_read(fd, size, deadline))
    except (ValueError, RecursionError):
        raise Ended from None


def _read(fd: int, size: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < size:
        if deadline is not None:
            _wait([fd], [], deadline)
        part = os.read(fd, min(size - len(found), 1 << 20))
        if not part:
            raise Ended
        found += part
    return bytes(found)
