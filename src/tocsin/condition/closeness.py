"""How close an event comes to a predicate that it does not meet, in words.

What is looked for: the same text in other case, with blanks around it, or written with another
letter; text that is there in part, or elsewhere in the value; a number of another type; a key that
is spelled otherwise; another field that holds what was asked for.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

import re2

from tocsin.condition.evaluate import as_number, compile_test
from tocsin.condition.functions import Scalar, apply, fold, parse_address, text_of
from tocsin.condition.trace import Node, Reading, leaf_paths
from tocsin.condition.tree import (
    AnyElement,
    Field,
    FieldsCompare,
    Glob,
    Op,
    Predicate,
    Regex,
    Value,
    Wild,
)
from tocsin.jsontext import Number, parse_number


class Closeness(StrEnum):
    """Why a predicate is not as wanted, from nearest to farthest."""

    OTHER_CASE = "other_case"
    BLANKS = "blanks"
    OTHER_TYPE = "other_type"
    ELSEWHERE_IN_VALUE = "elsewhere_in_value"
    """The text is in the value, but not where it was asked for."""
    SIMILAR = "similar"
    """Nearly the same text."""
    OTHER_NAME = "other_name"
    """The field is absent; a key of nearly the same name holds what was asked for."""
    PART = "part"
    """The value is a part of the text that was asked for."""
    OTHER_FIELD = "other_field"
    """Another field holds what was asked for."""
    HOLDS = "holds"
    """It holds, and should not."""
    SIMILAR_NAME = "similar_name"
    """The field is absent; there is a key of nearly the same name."""
    NUMBER = "number"
    """Another number."""
    EMPTY = "empty"
    """The field is there without a value: null, empty text, an empty array."""
    DIFFERENT = "different"
    NO_VALUE = "no_value"
    """The field is there, but nothing in it can be read as what was asked for."""
    ABSENT = "absent"

    @property
    def rank(self) -> int:
        """Return 0 for the nearest."""
        return list(Closeness).index(self)


@dataclass(frozen=True, slots=True)
class Hint:
    """How close a predicate is, in words, and the value and place that say so."""

    closeness: Closeness
    text: str
    path: tuple[str, ...] = ()
    value: Scalar = None


Said: TypeAlias = tuple[Closeness, str]

MAX_VALUES = 50
"""Values of an event, and operands of a predicate, that are compared with each other closely."""
MAX_ALIKE = 300
"""Longer texts are not compared letter by letter."""
ALIKE = 0.8
_MIN_TELLING = 4
"""Shorter texts stand in other fields by chance."""
_PRESENCE = {Op.EXISTS, Op.IS_NULL}


class Surroundings:
    """The keys and values of one event, among which hints are looked for."""

    def __init__(self, record: Scalar) -> None:
        self._record = record

    @cached_property
    def leaves(self) -> list[tuple[tuple[str, ...], Scalar]]:
        """Return every scalar of the event with its keys."""
        return list(leaf_paths(self._record))

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        """Paths by all their keys, and by fewer and fewer of the last; letters and digits only."""
        found: dict[str, tuple[str, ...]] = {}
        for path, _ in self.leaves:
            for start in range(len(path)):
                found.setdefault(_bare(".".join(path[start:])), path)
        return found

    @cached_property
    def _by_last_key(self) -> Mapping[str, tuple[str, ...]]:
        return {_bare(path[-1]): path for path, _ in reversed(self.leaves) if path}

    def values(self, path: tuple[str, ...]) -> list[Scalar]:
        """Return the values at a path."""
        return [value for at, value in self.leaves if at == path]

    def similar_name(self, name: str) -> tuple[str, ...] | None:
        """Return the path of a key that is spelled nearly like a name."""
        bare, last = _bare(name), _bare(name.rsplit(".", 1)[-1])
        if bare and bare in self._by_name:
            return self._by_name[bare]
        if len(last) >= _MIN_TELLING and last in self._by_name:
            return self._by_name[last]
        scored = [
            (alike, path)
            for key, path in self._by_last_key.items()
            if (alike := _likeness(last, key)) >= ALIKE
        ]
        return max(scored, key=lambda one: one[0])[1] if scored else None


def closeness(node: Node, around: Surroundings, *, wanted: bool) -> Hint:
    """Say how close a predicate, or an array without objects, is to a wanted truth."""
    condition = node.condition
    reading = node.reading or Reading((), None, None)
    if not wanted:
        value = node.met[0] if node.met else next(iter(reading.raw or ()), None)
        return Hint(Closeness.HOLDS, "holds, and must not", reading.path, value)
    if isinstance(condition, AnyElement):
        return _array(".".join(condition.path), reading)
    if isinstance(condition, FieldsCompare):
        return _comparison(condition, reading, node.other or Reading((), None, None), around)
    assert isinstance(condition, Predicate)
    if reading.values is None:
        return _absent(condition, around)
    return _present(condition, reading, around)


def _array(name: str, reading: Reading) -> Hint:
    if reading.values is None:
        return Hint(Closeness.ABSENT, f"there is no {name}")
    return Hint(Closeness.EMPTY, f"{name} holds no objects", reading.path)


def _comparison(
    compare: FieldsCompare, left: Reading, right: Reading, around: Surroundings
) -> Hint:
    for field, reading in ((compare.left, left), (compare.right, right)):
        if reading.values is None:
            return _absent(Predicate(field, Op.EXISTS), around)
    operands = tuple(value for value in right.values or () if isinstance(value, str))
    one = Predicate(compare.left, compare.op, operands, compare.fold_case)
    return _of_values(one, left) or Hint(Closeness.DIFFERENT, "differs", left.path)


def _absent(predicate: Predicate, around: Surroundings) -> Hint:
    name = ".".join(predicate.field.path)
    if not name:
        return Hint(Closeness.ABSENT, "stands nowhere in the event")
    path = around.similar_name(name)
    if path is not None:
        shown = ".".join(path)
        value = around.values(path)[0]
        if predicate.op not in _PRESENCE and _meets(predicate, value):
            text = f"there is no {name}, but {shown} holds what was asked for"
            return Hint(Closeness.OTHER_NAME, text, path, value)
        return Hint(Closeness.SIMILAR_NAME, f"there is no {name}, but {shown}", path, value)
    return _elsewhere(predicate, around) or Hint(Closeness.ABSENT, f"there is no {name}")


def _present(predicate: Predicate, reading: Reading, around: Surroundings) -> Hint:
    raw = reading.raw or ()
    first = raw[0] if raw else None
    if predicate.op is Op.IS_NULL:
        return Hint(Closeness.DIFFERENT, "has a value", reading.path, first)
    if all(value in (None, "", [], {}) for value in raw):
        kind = "null" if first is None else "empty"
        return Hint(Closeness.EMPTY, f"is there, but {kind}", reading.path, first)
    hint = _of_values(predicate, reading)
    if hint and hint.closeness.rank <= Closeness.PART.rank:
        return hint
    other = _elsewhere(predicate, around)
    if other or hint:
        return other or hint or _different(reading)
    if not reading.values:
        return Hint(Closeness.NO_VALUE, f"is not {_kind(predicate)}", reading.path, first)
    return _different(reading)


def _different(reading: Reading) -> Hint:
    return Hint(Closeness.DIFFERENT, "differs", reading.path, next(iter(reading.raw or ()), None))


def _kind(predicate: Predicate) -> str:
    calls = [call.name for call in predicate.field.via]
    return (
        "a number" if "number" in calls else f"readable as {calls[-1]}" if calls else "comparable"
    )


def _elsewhere(predicate: Predicate, around: Surroundings) -> Hint | None:
    """Look for another field that meets the predicate, if that can be no accident."""
    if predicate.op in _PRESENCE or not _telling(predicate):
        return None
    for path, value in around.leaves:
        if _meets(predicate, value):
            text = f"{'.'.join(path)} holds what was asked for"
            return Hint(Closeness.OTHER_FIELD, text, path, value)
    return None


def _telling(predicate: Predicate) -> bool:
    return predicate.op is not Op.REGEX and all(
        len("".join(part for part in value.parts if isinstance(part, str))) >= _MIN_TELLING
        if isinstance(value, Glob)
        else isinstance(value, str) and len(value) >= _MIN_TELLING
        for value in predicate.values
    )


def _meets(predicate: Predicate, value: Scalar) -> bool:
    test = compile_test(predicate.op, predicate.values, predicate.fold_case)
    return any(map(test, apply(predicate.field.via, [value])))


def _of_values(predicate: Predicate, reading: Reading) -> Hint | None:
    """Return the nearest of what can be said of a value and an operand."""
    found = [
        Hint(*said, reading.path, value)
        for value in (reading.values or reading.raw or ())[:MAX_VALUES]
        for operand in predicate.values[:MAX_VALUES]
        if (said := _compare(predicate, value, operand))
    ]
    return min(found, key=lambda hint: hint.closeness.rank, default=None)


def _compare(predicate: Predicate, value: Scalar, operand: Value) -> Said | None:
    if as_number(operand) is not None:
        return _number(predicate.op, value, operand)
    if not isinstance(value, str):
        texts = list(text_of(value)) if isinstance(operand, str) else []
        same = any(_meets(replace(predicate, field=_AS_IS), text) for text in texts)
        return (Closeness.OTHER_TYPE, f"is {_type(value)}, not text") if same else None
    if predicate.op is Op.CIDR:
        return None if parse_address(value) else (Closeness.NO_VALUE, "is no address")
    pair = _Pair(value, operand, predicate.fold_case)
    said = (check(pair) for check in _CHECKS[predicate.op])
    return next((one for one in said if one), None)


_AS_IS = Field(("value",))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A text of the event, and what a predicate asks of it."""

    value: str
    operand: Value
    fold_case: bool

    @property
    def text(self) -> str | None:
        return self.operand if isinstance(self.operand, str) else None

    def cased(self, text: str) -> str:
        return fold(text) if self.fold_case else text


def _number(op: Op, value: Scalar, operand: Value) -> Said | None:
    wanted = as_number(operand)
    found = as_number(value)
    assert wanted is not None
    if found is None:
        written = parse_number(value.strip()) if isinstance(value, str) else None
        if written is not None:
            return Closeness.OTHER_TYPE, "is text, not a number"
        return Closeness.NO_VALUE, "is not a number"
    if op is Op.EQUALS or op in _ORDER:
        return Closeness.NUMBER, f"is off by {abs(found - wanted)}"
    return None


_ORDER = {Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL}


def _other_case(pair: _Pair) -> Said | None:
    same = pair.text is not None and not pair.fold_case and fold(pair.value) == fold(pair.text)
    return (Closeness.OTHER_CASE, "is the same in other case") if same else None


def _blanks(pair: _Pair) -> Said | None:
    if pair.text is None:
        return None
    if pair.cased(pair.value.strip()) == pair.cased(pair.text.strip()):
        return Closeness.BLANKS, "is the same but for blanks around it"
    return None


def _inside(pair: _Pair) -> Said | None:
    """Say so if the text is in the value: with more around it, in other case, without blanks."""
    if not pair.text:
        return None
    if pair.cased(pair.text) in pair.cased(pair.value):
        return Closeness.ELSEWHERE_IN_VALUE, "holds it, with more text around it"
    if fold(pair.text) in fold(pair.value):
        return Closeness.OTHER_CASE, "holds it in other case"
    stripped = pair.cased(pair.text.strip())
    if len(stripped) >= _MIN_TELLING and stripped in pair.cased(pair.value):
        return Closeness.BLANKS, "holds it but for the blanks around it"
    return None


def _part(pair: _Pair) -> Said | None:
    if pair.text is None or len(pair.value) < _MIN_TELLING:
        return None
    return (Closeness.PART, "is a part of it") if fold(pair.value) in fold(pair.text) else None


def _similar(pair: _Pair) -> Said | None:
    if pair.text is None or _likeness(fold(pair.value), fold(pair.text)) < ALIKE:
        return None
    return Closeness.SIMILAR, "is nearly the same"


def _glob(pair: _Pair) -> Said | None:
    if not isinstance(pair.operand, Glob):
        return None
    if not pair.fold_case and _fits(Op.GLOB, pair.operand, pair.value, fold_case=True):
        return Closeness.OTHER_CASE, "fits in other case"
    around = Glob((Wild.ANY, *pair.operand.parts, Wild.ANY))
    if _fits(Op.GLOB, around, pair.value, fold_case=pair.fold_case):
        return Closeness.ELSEWHERE_IN_VALUE, "fits, with more text around it"
    return None


def _regex(pair: _Pair) -> Said | None:
    if not isinstance(pair.operand, Regex) or "i" in pair.operand.flags:
        return None
    ignoring_case = Regex(pair.operand.pattern, pair.operand.flags + "i")
    if _fits(Op.REGEX, ignoring_case, pair.value, fold_case=False):
        return Closeness.OTHER_CASE, "fits in other case"
    return None


def _fits(op: Op, pattern: Glob | Regex, value: str, *, fold_case: bool) -> bool:
    """Try a pattern that is wider than the rule's; RE2 may refuse it where it took the other."""
    try:
        return compile_test(op, (pattern,), fold_case)(value)
    except re2.error:
        return False


_Check: TypeAlias = Callable[[_Pair], "Said | None"]
_TEXT_CHECKS: Sequence[_Check] = (_other_case, _blanks, _inside, _similar, _part)
_CHECKS: Mapping[Op, Sequence[_Check]] = {
    Op.EQUALS: _TEXT_CHECKS,
    Op.CONTAINS: _TEXT_CHECKS,
    Op.STARTSWITH: _TEXT_CHECKS,
    Op.ENDSWITH: _TEXT_CHECKS,
    Op.GLOB: (_glob,),
    Op.REGEX: (_regex,),
    **dict.fromkeys(_ORDER, ()),
}
"""What is asked of a text and an operand, the nearest first."""


def _type(value: Scalar) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, Number) or as_number(value) is not None:
        return "a number"
    return "null" if value is None else "an object" if isinstance(value, dict) else "an array"


_NOT_BARE = re.compile(r"[\W_]+")


def _bare(name: str) -> str:
    return _NOT_BARE.sub("", fold(name))


def _likeness(one: str, other: str) -> float:
    """Return how alike two texts are, 0 to 1; cheap where they cannot be alike enough."""
    shorter, longer = sorted((len(one), len(other)))
    if not shorter or longer > MAX_ALIKE or 2 * shorter < ALIKE * (shorter + longer):
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()
