"""One alert per line, as it is found."""

from collections.abc import Sequence
from typing import BinaryIO

import orjson

from tocsin.alerts.model import Alert, to_record
from tocsin.alerts.run import RunInfo


class NdjsonOutput:
    """Writes each alert as one JSON object on a line of its own."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream

    def __reduce__(self) -> tuple[type["NdjsonOutput"], tuple[()]]:
        """Go to a worker process without the stream; only the main process writes."""
        return NdjsonOutput, ()

    def part(self, alerts: Sequence[Alert]) -> bytes:
        """Encode alerts, one per line."""
        return b"".join(
            orjson.dumps(to_record(alert), option=orjson.OPT_APPEND_NEWLINE) for alert in alerts
        )

    def add(self, part: bytes) -> None:
        """Write encoded alerts."""
        if self._stream:
            self._stream.write(part)

    def finish(self, run: RunInfo) -> None:  # noqa: ARG002 - a line is an alert, nothing else
        """Flush the stream."""
        if self._stream:
            self._stream.flush()
