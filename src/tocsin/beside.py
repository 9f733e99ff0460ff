"""Half of some work in a second process, for starts that have much to read.

The process is a new interpreter: a script that uses Tocsin needs no guard around its main code, and
threads of this process do not matter. Where it cannot be had, or fails, all is done here.
"""

import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

_LOG = logging.getLogger(__name__)
_CODE = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from tocsin.beside import serve
serve()
"""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_halves(
    function: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item], *, least: int
) -> list[Result]:
    """Return what a function makes of items, one result each, every other one made beside.

    Of fewer than `least` items all are made here. The function must be one that can be imported.
    """
    if len(items) < least or (os.cpu_count() or 1) < 2 or not sys.executable:
        return function(items)
    own, other = items[::2], items[1::2]
    with _start() as process:
        try:
            _send(process, pickle.dumps((function, other)))
            made = function(own)
            answer, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        _LOG.info("a second process ended with %s; its work is done here", process.returncode)
    rest = function(other) if process.returncode else pickle.loads(answer)
    found: list[Any] = [None] * len(items)
    found[::2], found[1::2] = made, rest
    return found


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _send(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass
    process.stdin = None


def serve() -> None:
    """Do what standard input says; nothing but the answer goes to standard output."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        function, items = pickle.loads(sys.stdin.buffer.read())
        out.write(pickle.dumps(function(items)))
