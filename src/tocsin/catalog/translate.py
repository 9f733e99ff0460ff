"""Predicates over shared names → predicates of another vocabulary that mean the same.

A name of the other vocabulary is tried with each way in which its language may ask; one is taken if
it comes back as the very predicate that was to be said.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tocsin.catalog.canonical import ANY_TEXT, FOLDED_OPS, canonical
from tocsin.catalog.places import Places, leaf_paths, normal, opened, reduced
from tocsin.condition.describe import field_name, in_one_line
from tocsin.condition.functions import fold
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Value,
    Wild,
)
from tocsin.errors import TocsinError
from tocsin.logs.families import Family
from tocsin.logs.mapping import ABSENT, Expr, Table

TEXT, NUMBER, LEAVES = (Call("text"),), (Call("number"),), (Call("leaves"),)


class CannotSay(TocsinError):
    """A part of a condition that a language has no words for, and why."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """A language to say conditions in: its vocabulary, and how it can ask of a name."""

    title: str
    vocabulary: str
    folds: bool
    """Whether it can ignore the case of letters."""
    minds_case: bool
    """Whether it can mind it."""


class Translator:
    """Says conditions of one shape in a vocabulary; what cannot be said is kept in `lost`."""

    def __init__(self, places: Places, target: Target, spelled: Iterable[str]) -> None:
        self.places = places
        self.target = target
        self.lost: dict[tuple[str, str], CannotSay] = {}
        self._spelled = {fold(text): text for text in spelled}
        self._declared = list(self._declared_names())

    def _declared_names(self) -> Iterator[tuple[str, Expr, str]]:
        """Yield the declared names of the vocabulary, what each reads, and the place of that."""
        vocabulary = self.target.vocabulary
        spelled = self.places.shape.spellings.get(vocabulary, {})
        for name, expr in self.places.shape.names.get(vocabulary, {}).items():
            inner, _ = opened(reduced(expr))
            if inner != ABSENT:
                source = inner.of if isinstance(inner, Table) else inner
                yield spelled.get(name, name), inner, self.places.exact_name(opened(source)[0])

    def condition(self, condition: Condition) -> Condition:
        """Return a condition over names of the vocabulary."""
        if isinstance(condition, Or):
            condition = with_nulls_together(condition)
        if (name := is_null_or_absent(condition)) and self.target.vocabulary == "sigma":
            return self._null(condition, name)
        match condition:
            case And(parts):
                return And(tuple(map(self.condition, parts)))
            case Or(parts):
                return Or(tuple(map(self.condition, parts)))
            case Not(part):
                return Not(self.condition(part))
            case Predicate():
                return self._predicate(condition)
            case FieldsCompare():
                return self._compare(condition)
            case AnyElement():
                return self._lose(condition, "a condition on one element of an array")

    def _null(self, condition: Condition, place: str) -> Condition:
        """Ask for what is null or not there, which Sigma does in one."""
        for name in self.names_of(place):
            field = Field((name,))
            said = Or((Not(Predicate(field, Op.EXISTS)), Predicate(field, Op.IS_NULL)))
            if simplify(canonical(said, self.places, self.target.vocabulary)) == condition:
                return said
        return self._lose(condition, f"{self.target.title} cannot ask so for this field")

    def _lose(self, condition: Condition, reason: str) -> Condition:
        part = in_one_line(condition)
        self.lost.setdefault((part, reason), CannotSay(part, reason))
        return condition

    def _predicate(self, asked: Predicate) -> Condition:
        if not asked.field.path:
            return self._keyword(asked)
        names = self.names_of(asked.field.path[0])
        if not names:
            name, title = field_name(Field(asked.field.path)), self.target.title
            return self._lose(asked, f"{title} has no name for {name} in these logs")
        for name in names:
            for candidate in self._ways(name, asked):
                if self._says(candidate, asked):
                    return candidate
        return self._lose(asked, self._why_not(asked))

    def _keyword(self, asked: Predicate) -> Condition:
        if self.target.vocabulary != "sigma" or not asked.fold_case or asked.op is not Op.CONTAINS:
            return self._lose(asked, "a text anywhere in the event")
        return replace(asked, field=Field((), LEAVES), values=self._as_spelled(asked.values))

    def _compare(self, asked: FieldsCompare) -> Condition:
        if self.target.vocabulary != "sigma" or not asked.fold_case:
            return self._lose(asked, "a comparison of two fields")
        for left in self.names_of(asked.left.path[0]):
            for right in self.names_of(asked.right.path[0]):
                said = replace(asked, left=Field((left,), TEXT), right=Field((right,), TEXT))
                if canonical(said, self.places, self.target.vocabulary) == asked:
                    return said
        return self._lose(asked, "a comparison of two fields")

    def _says(self, candidate: Predicate, asked: Predicate) -> bool:
        return canonical(candidate, self.places, self.target.vocabulary) == asked

    def _why_not(self, asked: Predicate) -> str:
        title = self.target.title
        if asked.field.via:
            return f"{title} cannot ask for {field_name(asked.field)}"
        if asked.fold_case and not self.target.folds:
            return f"{title} minds the case of letters here"
        return f"{title} cannot ask so for this field"

    def names_of(self, place: str) -> list[str]:
        """Return the names of the vocabulary that may read a place, the plainest first."""
        declared = [name for name, _, of in self._declared if of == place]
        tables = {name for name, inner, _ in self._declared if isinstance(inner, Table)}
        found = sorted(declared, key=lambda name: (name in tables, name.count("."), len(name)))
        keys = self.places.path_of(place)
        families = self.places.shape.families.get(self.target.vocabulary, ())
        if families:
            found += [name for family in families for name in _of_family(family, keys)]
        elif self.target.vocabulary != "ecs":
            found += [".".join(keys)]
        return [name for name in dict.fromkeys(found) if self._may_read(name, place)]

    def _may_read(self, name: str, place: str) -> bool:
        expr = self.places.expression(self.target.vocabulary, Field((name,)))
        wanted = normal(self.places.path_of(place))
        return any(normal(path) == wanted for path in leaf_paths(expr))

    def _ways(self, name: str, asked: Predicate) -> Iterator[Predicate]:
        """Yield the ways in which a language may ask the same of a name."""
        if asked.op is Op.EXISTS:
            yield Predicate(Field((name,)), Op.EXISTS)
            return
        for values in self._values(name, asked):
            for via in (TEXT, NUMBER, (), LEAVES):
                for fold_case in self._cases(asked):
                    yield Predicate(Field((name,), via), asked.op, values, fold_case)

    def _cases(self, asked: Predicate) -> Iterator[bool]:
        if self.target.folds and asked.op in FOLDED_OPS and ANY_TEXT not in asked.values:
            yield True
        if self.target.minds_case or asked.op not in FOLDED_OPS:
            yield False

    def _values(self, name: str, asked: Predicate) -> Iterator[tuple[Value, ...]]:
        """Yield spellings of the values: those of a table, the rule's own, all in one case."""
        expr, _ = opened(self.places.expression(self.target.vocabulary, Field((name,))))
        if isinstance(expr, Table) and asked.op is Op.EQUALS:
            yield self._of_table(name, expr, asked)
        yield self._as_spelled(asked.values)
        if asked.op not in FOLDED_OPS:
            return
        for change in (str.upper, str.lower):
            yield tuple(_changed(value, change) for value in asked.values)

    def _as_spelled(self, values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(
            self._spelled.get(value, value) if isinstance(value, str) else value for value in values
        )

    def _of_table(self, name: str, table: Table, asked: Predicate) -> tuple[Value, ...]:
        """Return the results of a table that stand for nothing but what is asked for."""
        results = dict.fromkeys(text for _, texts in table.rows for text in texts)
        found: list[Value] = []
        for result in results:
            single = Predicate(Field((name,), TEXT), Op.EQUALS, (result,), self.target.folds)
            said = canonical(single, self.places, self.target.vocabulary)
            if isinstance(said, Predicate) and set(said.values) <= set(asked.values):
                found.append(result)
        return tuple(found)


def with_nulls_together(condition: Or) -> Condition:
    """Make one part of what says of a field that it is not there, and that it is null."""
    absent = {
        part.part.field: part
        for part in condition.parts
        if isinstance(part, Not) and isinstance(part.part, Predicate) and part.part.op is Op.EXISTS
    }
    null = {
        part.field: part
        for part in condition.parts
        if isinstance(part, Predicate) and part.op is Op.IS_NULL and part.field in absent
    }
    together: list[Condition] = [Or((absent[field], null[field])) for field in null]
    used = [part for field in null for part in (absent[field], null[field])]
    rest = [part for part in condition.parts if part not in used]
    parts = (*rest, *together)
    return parts[0] if len(parts) == 1 else Or(parts)


def is_null_or_absent(condition: Condition) -> str | None:
    """Return the field of which a condition says that it is null or not there."""
    match condition:
        case Or((Not(Predicate(field, Op.EXISTS)), Predicate(other, Op.IS_NULL))):
            return field.path[0] if field == other else None
        case Or((Predicate(field, Op.IS_NULL), Not(Predicate(other, Op.EXISTS)))):
            return field.path[0] if field == other else None
        case _:
            return None


def _of_family(family: Family, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the name that a family has for keys of the record."""
    depth = len(family.path)
    if keys[:depth] != family.path or len(keys) == depth:
        return
    spelled = [family.spelling.spell(key) for key in keys[depth:]]
    if all(part is not None for part in spelled):
        yield ".".join(part for part in (family.prefix, *spelled) if part)


def _changed(value: Value, change: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Glob):
        return Glob(tuple(p if isinstance(p, Wild) else change(p) for p in value.parts))
    return value
