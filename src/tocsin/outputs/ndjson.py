"""One alert per line, as it is found."""

from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, TypeAlias

import orjson

from tocsin.alerts.model import Alert, to_record
from tocsin.alerts.run import RunInfo

RecordMaker: TypeAlias = Callable[[Alert], Mapping[str, object]]
"""Makes the object of an alert's line; a function of a module, so that workers find it."""


class NdjsonOutput:
    """Writes each alert as one JSON object on a line of its own."""

    def __init__(self, stream: BinaryIO | None = None, record: RecordMaker = to_record) -> None:
        self._stream = stream
        self._record = record

    def __reduce__(self) -> tuple[type["NdjsonOutput"], tuple[None, RecordMaker]]:
        """Go to a worker process without the stream; only the main process writes."""
        return NdjsonOutput, (None, self._record)

    def part(self, alerts: Sequence[Alert]) -> bytes:
        """Encode alerts, one per line."""
        return b"".join(
            orjson.dumps(self._record(alert), option=orjson.OPT_APPEND_NEWLINE) for alert in alerts
        )

    def add(self, part: bytes) -> None:
        """Write encoded alerts."""
        if self._stream:
            self._stream.write(part)

    def finish(self, run: RunInfo) -> None:  # noqa: ARG002 - a line is an alert, nothing else
        """Flush the stream."""
        if self._stream:
            self._stream.flush()
