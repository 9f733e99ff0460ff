"""What a rule is, whatever its language: inputs with conditions, and what people need to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from tocsin.condition.tree import Condition
from tocsin.rules.stages import Schedule, Stage, Suppression


class Severity(StrEnum):
    """How bad it is if a rule is right, from harmless to worst."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return 0 for informational up to 4 for critical."""
        return list(Severity).index(self)

    @property
    def risk_score(self) -> int:
        """Return the risk score of a rule that states none, 1 to 99."""
        return (1, 21, 47, 73, 99)[self.rank]


class Verdict(StrEnum):
    """What Tocsin makes of a rule."""

    RUNS = "runs"
    APPROXIMATE = "approximate"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log source of Sigma; attributes that are None do not constrain."""

    product: str | None = None
    category: str | None = None
    service: str | None = None

    def __str__(self) -> str:
        return "/".join(part or "*" for part in (self.product, self.category, self.service))


@dataclass(frozen=True, slots=True)
class Indices:
    """Index patterns of Elastic; one behind `-` takes away what those on its left chose."""

    patterns: tuple[str, ...]

    def __str__(self) -> str:
        return ",".join(self.patterns)


@dataclass(frozen=True, slots=True)
class LogTypes:
    """Log types of Panther, any of them; `resource:` and `query:` begin names of other things."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return ",".join(self.names)


Scope: TypeAlias = LogSource | Indices | LogTypes
"""Which events an input is about, as the rule's language says it."""


@dataclass(frozen=True, slots=True)
class Input:
    """What a rule waits for: a condition over the events its scope selects."""

    condition: Condition
    scope: Scope
    vocabulary: str = "sigma"


@dataclass(frozen=True, slots=True)
class Technique:
    """One ATT&CK tactic, technique, or both, as the rule's tags name them."""

    tactic: str | None = None
    technique: str | None = None


@dataclass(frozen=True, slots=True)
class SeverityFrom:
    """A severity that an event's own field gives: if it has the value."""

    field: str
    value: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class RiskFrom:
    """A risk score that an event's own field gives: if it has the value, or as its number."""

    field: str
    value: str | None = None
    """None: the field's own number is the score."""
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """What an event's own fields say in place of the rule, where they can be read."""

    name: str | None = None
    """The field that the alert's title is taken from."""
    severity: tuple[SeverityFrom, ...] = ()
    risk_score: tuple[RiskFrom, ...] = ()


PARTS = frozenset(
    {
        "datamodel",
        "global",
        "lookup_table",
        "pack",
        "saved_query",
        "scheduled_prompt",
        "scheduled_query",
    }
)
"""Kinds that are no detections: helpers, data models, queries and lists of a pack."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection. `path` is as the user named it; `digest` is the SHA-256 of the rule's text."""

    id: str
    name: str
    ecosystem: str
    kind: str
    pack: str
    path: str
    digest: str
    inputs: tuple[Input, ...] = ()
    severity: Severity = Severity.MEDIUM
    status: str = ""
    description: str = ""
    author: tuple[str, ...] = ()
    license: str | None = None
    date: str | None = None
    modified: str | None = None
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    investigation_fields: tuple[str, ...] = ()
    """Fields of the event to look at first."""
    attack: tuple[Technique, ...] = ()
    guide: str = ""
    """What to do about an alert: Markdown, in which `{{field}}` stands for a field of the event."""
    setup: str = ""
    """What must be so that the rule can see anything: Markdown."""
    stage: Stage | None = None
    suppression: Suppression | None = None
    schedule: Schedule | None = None
    overrides: Overrides = Overrides()
    own_risk_score: int | None = None
    building_block: bool = False
    """Its alerts are for other rules to read, and not shown unless asked for."""
    confirm: bool = False
    """Its own code has the last word: the conditions of its inputs are only necessary."""
    document: str = ""
    """JSON text of all that the rule's file says, by its own names, for people and outputs."""
    verdict: Verdict = Verdict.RUNS
    collections: tuple[str, ...] = ()
    """Lists of its pack, by their ids, that it is in."""
    reasons: tuple[str, ...] = ()
    """Why the verdict is not `runs`."""
    notes: tuple[str, ...] = ()
    """What an author should know, such as two keys of the same name."""

    @property
    def key(self) -> str:
        """Return what names the rule among all packs."""
        return f"{self.pack}:{self.id}"

    @property
    def risk_score(self) -> int:
        """Return the rule's risk score, 0 to 100; one that states none has that of its severity."""
        return self.severity.risk_score if self.own_risk_score is None else self.own_risk_score

    @property
    def is_part(self) -> bool:
        """Return whether it is no detection, but what detections of its pack are made with."""
        return self.kind in PARTS

    @property
    def enabled(self) -> bool:
        """Return whether the rule runs by default."""
        if self.ecosystem == "elastic":
            return self.status in {"", "production"}
        if self.ecosystem == "panther":
            return self.status != "disabled"
        return self.status not in {"deprecated", "unsupported"}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of a rule folder that was not taken as a rule, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules as loaded, in order of their paths, and the files that were not taken."""

    rules: tuple[Rule, ...]
    skipped: tuple[Skipped, ...] = ()
    parts: tuple[Rule, ...] = ()
    """What is no detection, but belongs to some: see `PARTS`."""

    def __iter__(self) -> Iterator[Rule]:
        """Yield the rules."""
        return iter(self.rules)

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self.rules)
