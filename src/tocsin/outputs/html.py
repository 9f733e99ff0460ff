"""A report for people: one HTML file with what was found, written at the end."""

from collections.abc import Sequence
from typing import BinaryIO

from tocsin.alerts.model import Alert
from tocsin.alerts.run import RunInfo
from tocsin.pages.collect import Collected, collect


class HtmlOutput:
    """Collects counts and a bounded number of events, and writes one page at the end."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._collected = Collected()

    def __reduce__(self) -> tuple[type["HtmlOutput"], tuple[()]]:
        """Go to a worker process without the stream; only the main process writes."""
        return HtmlOutput, ()

    def part(self, alerts: Sequence[Alert]) -> Collected:
        """Collect the alerts of one block."""
        return collect(alerts)

    def add(self, part: Collected) -> None:
        """Add what was collected of a block."""
        self._collected.merge(part)

    def finish(self, run: RunInfo) -> None:
        """Write the page."""
        from tocsin.pages.render import render_report
        from tocsin.pages.report import make_report

        if self._stream:
            self._stream.writelines(render_report(make_report(self._collected, run)))
            self._stream.flush()
