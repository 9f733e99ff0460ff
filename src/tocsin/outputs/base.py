"""What an output is: it takes the alerts of a block where they are made, and joins blocks in order.

A worker calls `part` and sends the result; the main process calls `add` for each part in the order
of the input, then `finish`, with what there is to say of the run as a whole. So any number of
workers writes the same bytes.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from tocsin.alerts.model import Alert
from tocsin.alerts.run import RunInfo


class Output(Protocol):
    """One way of writing alerts."""

    def part(self, alerts: Sequence[Alert]) -> Any:
        """Turn the alerts of one block into what `add` takes; small, and encodable by pickle."""

    def add(self, part: Any) -> None:
        """Take the next part, in the order of the input."""

    def finish(self, run: RunInfo) -> None:
        """Write what is left."""
