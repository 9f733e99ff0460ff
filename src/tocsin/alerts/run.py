"""What a reader of alerts must know of the run that made them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one place as they were run; `digest` tells revisions of a pack apart."""

    name: str
    rules: int
    digest: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not scanned or did not run: how much of what, and examples of it."""

    what: str
    examples: tuple[str, ...] = ()
    more: int = 0
    """How many are not among the examples."""
    command: str = ""
    """What lists them all, if something does."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run: what was asked, with what, when, what it saw and what it left out."""

    version: str
    command: tuple[str, ...]
    started: datetime
    seconds: float
    packs: tuple[Pack, ...] = ()
    files: int = 0
    bytes: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    """Events per log type."""
    left_out: tuple[LeftOut, ...] = ()

    @property
    def rules(self) -> int:
        """Return how many rules ran."""
        return sum(pack.rules for pack in self.packs)
