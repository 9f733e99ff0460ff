"""What a rule does with its matches beyond alerting on each: state over time, or other data.

A field in a stage is a name of the vocabulary of the rule's input. Windows are closed at both ends.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from tocsin.condition.tree import Condition


@dataclass(frozen=True, slots=True)
class NewTerms:
    """Let a match through whose values of `fields` no match had within `window` before it.

    A field with several values gives every combination. A match without one of them is left out.
    """

    fields: tuple[str, ...]
    window: timedelta


@dataclass(frozen=True, slots=True)
class Distinct:
    """At least `count` different values of a field."""

    field: str
    count: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Let a group of matches through once there are `count` within `window`.

    Matches are grouped by their values of `fields`; without fields all are one group. A match
    without one of them is left out.
    """

    fields: tuple[str, ...]
    count: int
    window: timedelta
    distinct: Distinct | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An event's field against one of an indicator."""

    field: str
    indicator_field: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IndicatorMatch:
    """Let a match through that has a value in common with an indicator.

    One of `any_of` must hold, and of that every comparison, with one and the same indicator.
    """

    any_of: tuple[tuple[Comparison, ...], ...]
    indices: tuple[str, ...]
    """Patterns of the indices that indicators are in."""
    condition: Condition
    """Which of them count."""
    path: str = "threat.indicator"
    """The object of an indicator that alerts quote."""


@dataclass(frozen=True, slots=True)
class Deduplication:
    """Put the matches that are the same into one alert, once there are `count` of them.

    Which are the same is what the rule itself says of a match, as a text. A group begins with a
    match and is over `window` later. If the rule says values, `count` different ones are needed.
    """

    count: int
    window: timedelta


Stage: TypeAlias = NewTerms | Threshold | IndicatorMatch | Deduplication


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the rule's author has it run: on a clock, each time over a window of events.

    A window ends `until` before the run. Its events are those whose time lies in it: the first of
    `time_fields` that an event has, each a name of the input's vocabulary.
    """

    every: timedelta
    window: timedelta
    until: timedelta = timedelta(0)
    time_fields: tuple[str, ...] = ("@timestamp",)
    max_alerts: int = 100
    """How many alerts one run may give."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Let one alert stand for others of the rule that have the same values of `fields`."""

    fields: tuple[str, ...]
    duration: timedelta
    missing_is_a_value: bool = True
    """Alerts without one of the fields are a group of their own; else each stands for itself."""
