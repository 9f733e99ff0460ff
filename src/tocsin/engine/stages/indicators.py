"""Indicator match: which indicators an event has values in common with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from tocsin.jsontext import Json
from tocsin.rules.stages import Comparison, IndicatorMatch

Values: TypeAlias = Mapping[str, Sequence[str]]
"""The values of fields, as texts."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: what is known of it, and the values of the fields that are compared."""

    id: str
    source: str
    values: Values
    quoted: Json
    """The object that alerts quote."""
    feed: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An indicator that an event met, and by which comparison."""

    indicator: Indicator
    field: str
    value: str


class Indicators:
    """The indicators of one rule, by the values that events are compared with."""

    def __init__(self, stage: IndicatorMatch, indicators: Sequence[Indicator]) -> None:
        self.count = len(indicators)
        self._items = [_Item(item, indicators) for item in stage.any_of]

    def find(self, values: Values) -> Iterator[Found]:
        """Yield the indicators that an event meets, each once, in the order they were given."""
        seen: set[int] = set()
        for item in self._items:
            for number, found in item.find(values):
                if number not in seen:
                    seen.add(number)
                    yield found

    def meets(self, values: Values) -> bool:
        """Say whether an event meets any."""
        return next(self.find(values), None) is not None


class _Item:
    """Comparisons that must all hold with one indicator.

    An indicator that lacks one of its fields, or has several values of it, does not count.
    """

    def __init__(self, comparisons: Sequence[Comparison], indicators: Sequence[Indicator]) -> None:
        self._equal = [one for one in comparisons if not one.negated]
        self._unequal = [one for one in comparisons if one.negated]
        self._by_values: dict[tuple[str, ...], list[tuple[int, Indicator]]] = {}
        for number, indicator in enumerate(indicators):
            key = _single(indicator.values, self._equal)
            if key is not None and _single(indicator.values, self._unequal) is not None:
                self._by_values.setdefault(key, []).append((number, indicator))

    def find(self, values: Values) -> Iterator[tuple[int, Found]]:
        for key in product(*(values.get(one.field, ()) for one in self._equal)):
            for number, indicator in self._by_values.get(key, ()):
                if not any(self._is_equal(one, values, indicator) for one in self._unequal):
                    first = (*self._equal, *self._unequal)[0]
                    yield number, Found(indicator, first.field, key[0] if key else "")

    def _is_equal(self, one: Comparison, values: Values, indicator: Indicator) -> bool:
        return indicator.values[one.indicator_field][0] in values.get(one.field, ())


def _single(values: Values, comparisons: Sequence[Comparison]) -> tuple[str, ...] | None:
    """Return an indicator's value of each field; None if one has none, or several."""
    found = [values.get(one.indicator_field, ()) for one in comparisons]
    return tuple(of[0] for of in found) if all(len(of) == 1 for of in found) else None
