"""A worker process as the rest of Tocsin holds it: started, isolated, asked, ended."""

import mmap
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tocsin.errors import UsageError
from tocsin.sandbox.frames import Ended, Late, await_message, receive, send, send_text
from tocsin.sandbox.limits import Limits, unprotected
from tocsin.sandbox.mark import MARK, NOWHERE
from tocsin.sandbox.shims import Source

_START = "import sys; sys.path.append(sys.argv[1]); from tocsin.sandbox.worker import main; main()"
_START_SECONDS = 60
_FLAGS = ("-s", "-P", "-B", "-X", "utf8")
"""No site of the user's, no folder of its own to import from. The hash seed is fixed, so that texts
that rules make of sets are the same in every run."""


@dataclass(frozen=True, slots=True)
class Model:
    """A data model as its file declares it, and its Python."""

    id: str
    log_types: Sequence[str]
    mappings: Sequence[Mapping[str, Any]]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class PackCode:
    """What the detections of a pack share: helper modules by name, and data models."""

    helpers: Mapping[str, Source] = field(default_factory=dict)
    models: Sequence[Model] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How workers run. Without `isolated`, they also do where layers of isolation are missing."""

    limits: Limits = field(default_factory=Limits)
    workers: int = 0
    """0: one per processor."""
    isolated: bool = True


class WorkerProcess:
    """One worker process; `layers` says why each layer of its isolation is missing, or nothing.

    Raises `UsageError` if it does not start, or cannot be isolated.
    """

    def __init__(self, pack: PackCode, options: Options) -> None:
        self._seconds = options.limits.seconds
        root = str(Path(__file__).parents[2])
        with tempfile.TemporaryFile() as file:
            file.truncate(MARK.size)
            self._mark = mmap.mmap(file.fileno(), MARK.size)
            self._mark[:] = MARK.pack(*NOWHERE)
            self._process = subprocess.Popen(
                [sys.executable, *_FLAGS, "-c", _START, root, str(file.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(file.fileno(),),
                env={"PYTHONHASHSEED": "0"},
                cwd="/",
                start_new_session=True,
            )
        self.layers = self._open(pack, options)

    def _open(self, pack: PackCode, options: Options) -> dict[str, str]:
        try:
            send(self._to, {"limits": asdict(options.limits), **_opening(pack)}, _START_SECONDS)
            layers: dict[str, str] = receive(self._from, _START_SECONDS)["layers"]
        except (Ended, Late):
            status = self.end(grace=1)
            raise UsageError(f"a worker for Python did not start (exit status {status})") from None
        if options.isolated and (open_to := unprotected(layers)):
            self.end()
            raise UsageError(
                "rules cannot be isolated here: nothing keeps them from "
                f"{'; from '.join(open_to)}; --without-isolation runs them anyway"
            )
        return layers

    @property
    def _to(self) -> int:
        assert self._process.stdin
        return self._process.stdin.fileno()

    @property
    def _from(self) -> int:
        assert self._process.stdout
        return self._process.stdout.fileno()

    def ask(self, request: Any) -> None:
        """Send a request, or the JSON of one; raises `Ended` or `Late`."""
        if isinstance(request, str):
            send_text(self._to, request, self._seconds)
        else:
            send(self._to, request, self._seconds)

    def answer(self) -> Any:
        """Wait for an answer for as long as the worker goes on; raises `Ended` or `Late`."""
        while True:
            at = self.at()
            try:
                await_message(self._from, self._seconds)
            except Late:
                if self.at() == at:
                    raise
            else:
                return receive(self._from, self._seconds)

    def at(self) -> tuple[int, int]:
        """Return which event of a request the worker is at, and which detection."""
        event, detection = MARK.unpack(self._mark[:])
        return event, detection

    def end(self, grace: float = 0) -> int:
        """End the process, which may do so itself for some seconds; return its exit status."""
        try:
            status = self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        return status

    def told(self, problem: Ended | Late) -> str:
        """End the process and say what it did."""
        ending = self.end(grace=0 if isinstance(problem, Late) else 1)
        if isinstance(problem, Late):
            return f"did not end within {self._seconds:g} s: its worker was stopped"
        how = f"signal {-ending}" if ending < 0 else f"exit status {ending}"
        return f"ended its worker ({how})"


def _opening(pack: PackCode) -> dict[str, Any]:
    return {
        "helpers": {name: [one.path, one.text] for name, one in pack.helpers.items()},
        "models": [
            {
                "id": one.id,
                "log_types": list(one.log_types),
                "mappings": list(one.mappings),
                "source": [one.source.path, one.source.text] if one.source else None,
            }
            for one in pack.models
        ],
    }
