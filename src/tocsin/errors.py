"""What Tocsin raises.

    TocsinError
    ├── UsageError        the command line or an API call is wrong: tell the user how to call
    ├── InputError        a log file or folder cannot be read: name it, go on with the others
    ├── RecordError       one record holds no readable object: quarantine it, go on
    ├── RuleError         one rule cannot be used: report it, go on with the others
    ├── LogTypeError      a log-type file is wrong: nothing can be trusted, stop
    └── InternalError     two readings of one record differ: keep the event, count it, report

Every error about a user's file says where, what and what to do; a user never sees a traceback
for his own mistake.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something was found; `line` and `column` count from 1."""

    path: Path | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [str(self.path) if self.path else "<text>"]
        parts += [str(number) for number in (self.line, self.column) if number is not None]
        return ":".join(parts)


class TocsinError(Exception):
    """Catch this to handle everything Tocsin reports on purpose."""


class UsageError(TocsinError):
    """The call is wrong; the message says how to call."""


class InputError(TocsinError):
    """A log file or folder cannot be read; the others go on."""


class RecordError(TocsinError):
    """A record holds no readable object; it goes to quarantine with this reason."""


class RuleError(TocsinError):
    """A rule cannot be used; the others go on."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.place = place or Place()


class LogTypeError(TocsinError):
    """A log-type file is wrong; the message names the file and the key."""


class InternalError(TocsinError):
    """Two readings of the same record differ: a fault of ours, reported with the event."""
