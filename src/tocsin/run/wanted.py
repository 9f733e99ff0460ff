"""Which fields rules want of each log type, and which of them ever arrive."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tocsin.condition.functions import fold
from tocsin.condition.tree import Field, fields
from tocsin.engine.frame import Frame
from tocsin.engine.intake import Intake, Part
from tocsin.engine.plan import select
from tocsin.engine.project import Projector
from tocsin.logs.logtype import LogType, Shape, Variant, leads_to
from tocsin.logs.mapping import Expr, Path, every_leaf
from tocsin.logs.respelled import Respelled, reads
from tocsin.logs.view import field_in
from tocsin.logs.whole import Whole
from tocsin.rules.model import Input, Rule

FEW_ROWS = 500
"""So many rows of a batch are read first: most fields are in them, and are asked for no more."""


@dataclass(frozen=True, slots=True)
class Want:
    """A field as a rule names it, and the names of a variant it is read through."""

    field: Field
    vocabulary: str
    variant: Variant

    def expression(self, shape: Shape) -> Expr:
        """Return what the field means in a shape."""
        return field_in(shape, self.vocabulary, self.variant.names, self.field.path)


def wants_of(one: Input, log_type: LogType) -> Iterator[Want]:
    """Yield the fields that an input wants of a log type; keywords want none."""
    for variant in select(log_type, one):
        for field in dict.fromkeys(Field(field.path) for field in fields(one.condition)):
            if field.path:
                yield Want(field, one.vocabulary, variant)


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """A field that rules want of a log type, and that none of its events carried."""

    log_type: str
    field: str
    rules: tuple[int, ...]
    """Numbers of the rules that want it in vain."""


_Named: TypeAlias = dict[str, list[Want]]
"""Fields by how they are written: a name may mean something else in every variant."""


def _by_name(rule: Rule, log_type: LogType) -> _Named:
    named: _Named = {}
    for one in rule.inputs:
        for want in wants_of(one, log_type):
            named.setdefault(".".join(want.field.path), []).append(want)
    return named


class Arrivals:
    """Finds out which of the fields that rules want some event carries, as the engine reads them.

    A field counts as carried where it reads as anything, also as null.
    """

    def __init__(self, rules: Sequence[Rule], log_types: Sequence[LogType]) -> None:
        self._wants: dict[str, dict[int, _Named]] = {}
        self._pending: dict[Shape, dict[Expr, None]] = {}
        self._arrived: dict[Shape, set[Expr]] = defaultdict(set)
        self._shapes: dict[str, dict[Shape, None]] = defaultdict(dict)
        for log_type in log_types:
            self._wants[log_type.name] = {
                number: named
                for number, rule in enumerate(rules)
                if (named := _by_name(rule, log_type))
            }

    def visit(self, intake: Intake, projector: Projector) -> None:
        """Look for the fields that did not arrive yet."""
        for part in intake.parts:
            self._shapes[part.log_type.name][part.shape] = None
            if part.shape not in self._pending:
                self._pending[part.shape] = self._expressions(part.log_type, part.shape)
            for rows in np.split(part.rows, [FEW_ROWS]):
                if len(rows) and self._pending[part.shape]:
                    frame = Frame(projector, intake.records.take(rows), part.shape)
                    self._look(part, frame)

    def _expressions(self, log_type: LogType, shape: Shape) -> dict[Expr, None]:
        return dict.fromkeys(
            want.expression(shape)
            for named in self._wants[log_type.name].values()
            for wants in named.values()
            for want in wants
        )

    def _look(self, part: Part, frame: Frame) -> None:
        pending = self._pending[part.shape]
        frame.prefetch_for(pending)
        for expr in list(pending):
            if (frame.cells(expr).codes >= 0).any():
                del pending[expr]
                self._arrived[part.shape].add(expr)

    def never_seen(self) -> list[NeverSeen]:
        """Return the fields that no event of their log type carried, by log type and name.

        Log types of which there was no event are left out.
        """
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for log_type in self._shapes:
            for number, named in self._wants[log_type].items():
                for name, wants in named.items():
                    if not self._came(log_type, wants):
                        found[log_type, name].append(number)
        return [NeverSeen(*place, tuple(rules)) for place, rules in sorted(found.items())]

    def never_seen_by(self, number: int, log_types: Iterable[str]) -> list[str]:
        """Return the fields, as a rule names them, that no event of these log types carried."""
        came: dict[str, bool] = {}
        for log_type in log_types:
            for name, wants in self._wants[log_type].get(number, {}).items():
                came[name] = came.get(name, False) or self._came(log_type, wants)
        return [name for name, arrived in came.items() if not arrived]

    def met(self, log_types: Iterable[str]) -> bool:
        """Say whether there was any event of these log types."""
        return any(name in self._shapes for name in log_types)

    def _came(self, log_type: str, wants: Sequence[Want]) -> bool:
        return any(
            want.expression(shape) in self._arrived[shape]
            for shape in self._shapes.get(log_type, ())
            for want in wants
        )


class UsedPaths:
    """Says of a path in records of one shape how many rules read it, or something above it."""

    def __init__(self, rules: Sequence[Rule], log_type: LogType, shape: Shape) -> None:
        self._shape = shape
        self._exact: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self._named: dict[str, set[int]] = defaultdict(set)
        self._respelled: dict[Respelled, set[int]] = {}
        self._whole: dict[Whole, set[int]] = {}
        for number, rule in enumerate(rules):
            for one in rule.inputs:
                for expr in self._read_by(one, log_type):
                    self._note(expr, number)

    def _read_by(self, one: Input, log_type: LogType) -> Iterator[Expr]:
        for want in wants_of(one, log_type):
            yield want.expression(self._shape)
        for variant in select(log_type, one):
            for field in fields(variant.condition):
                yield Want(field, one.vocabulary, variant).expression(self._shape)

    def _note(self, expr: Expr, rule: int) -> None:
        for leaf in every_leaf(expr):
            if isinstance(leaf, Path):
                self._exact[leaf.path].add(rule)
                continue
            if isinstance(leaf, Whole):
                self._whole.setdefault(leaf, set()).add(rule)
                continue
            if isinstance(leaf, Respelled):
                self._respelled.setdefault(leaf, set()).add(rule)
                continue
            for _, segments in self._shape.candidates(leaf.name):
                self._named[fold(".".join(segments))].add(rule)

    def rules_of(self, path: tuple[str, ...]) -> int:
        """Count the rules that read a path."""
        found: set[int] = set()
        for end in range(len(path) + 1):
            found |= self._exact.get(path[:end], set())
        for leaf, rules in self._respelled.items():
            if reads(leaf, path):
                found |= rules
        for whole, rules in self._whole.items():
            if whole.reads(path):
                found |= rules
        for base in self._shape.bases:
            if not leads_to(base, path):
                continue
            for end in range(len(base) + 1, len(path) + 1):
                found |= self._named.get(fold(".".join(path[len(base) : end])), set())
        return len(found)
