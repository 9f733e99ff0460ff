"""Kibana's filters and the part of Elasticsearch's query DSL that they are written in → condition.

https://www.elastic.co/docs/explore-analyze/query-filter/languages/querydsl
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tocsin.condition.functions import fold
from tocsin.condition.tree import FALSE, TRUE, And, Condition, Glob, Not, Op, Or, Wild
from tocsin.errors import RuleError
from tocsin.rules.elastic.kql.readings import (
    LEAVES,
    READINGS,
    TOKENS,
    Asked,
    exists,
    keyword_globs,
)
from tocsin.rules.elastic.kql.tree import Bare, Order, Quoted
from tocsin.rules.elastic.kql.types import FieldType, TypeOf

Dsl: TypeAlias = Any
"""A filter or a query as JSON has it; its shape is known to this module only."""

_BESIDE = {"meta", "$state", "query"}
_ORDERS = {
    "lt": Order.LESS,
    "lte": Order.LESS_OR_EQUAL,
    "gt": Order.GREATER,
    "gte": Order.GREATER_OR_EQUAL,
}
_OPTIONS = {"boost", "_name", "relation", "format", "time_zone", "rewrite"}
_WILD = re.compile(r"\\(.)|([?*])|([^\\?*]+)|\\", re.DOTALL)
_WILDS = {"?": Wild.ONE, "*": Wild.ANY}
_ANALYSED = {FieldType.TEXT, FieldType.MATCH_ONLY_TEXT}
_KEYWORDS = {FieldType.KEYWORD, FieldType.CONSTANT_KEYWORD, FieldType.WILDCARD}


@dataclass(frozen=True, slots=True)
class Filters:
    """Lowers filters with what is known of the fields; `warn` takes sentences for the author."""

    type_of: TypeOf
    warn: Callable[[str], None]
    inside: str = ""
    """The array whose elements are asked; names start there."""

    def all(self, filters: Iterable[Dsl]) -> Condition:
        """Lower filters, all of which must hold; raise `RuleError` for what cannot be said."""
        return And(tuple(self.one(one) for one in filters if not _is_disabled(one)))

    def one(self, one: Dsl) -> Condition:
        """Lower one filter of Kibana."""
        meta = _table(one, "a filter").get("meta") or {}
        if meta.get("type") == "combined":
            parts = tuple(self.one(part) for part in meta.get("params") or ())
            found: Condition = Or(parts) if meta.get("relation") == "OR" else And(parts)
        else:
            found = self.query(one.get("query") or _without(one, _BESIDE))
        return Not(found) if meta.get("negate") is True else found

    def query(self, query: Dsl) -> Condition:
        """Lower a query of the DSL."""
        clauses = _table(query, "a query")
        if len(clauses) != 1:
            raise RuleError(f"a query has one clause, not {len(clauses)}")
        [(kind, body)] = clauses.items()
        if kind not in _CLAUSES:
            known = ", ".join(_CLAUSES)
            raise RuleError(f"{kind!r} of the query DSL is not supported; supported: {known}")
        return _CLAUSES[kind](self, body)

    def asked(self, name: str) -> Asked:
        """Return a field to be read."""
        path = tuple(name.split(".")) if self.inside else (name,)
        return Asked(self.full(name), path, None, self.warn)

    def full(self, name: str) -> str:
        """Return the whole name of a field."""
        return f"{self.inside}.{name}" if self.inside else name

    def kind(self, name: str) -> FieldType:
        """Return the type of a field."""
        return self.type_of(self.full(name))

    def exists(self, body: Dsl) -> Condition:
        """Lower `{"exists": {"field": name}}`."""
        return exists(self.asked(_text(_table(body, "exists").get("field"))))

    def phrase(self, body: Dsl) -> Condition:
        """Lower a value that text holds as a phrase, and other fields as a whole."""
        name, value, _ = _of_field(body, "match_phrase", "query")
        return self.values(name, [value])

    def match(self, body: Dsl) -> Condition:
        """Lower a value, any word of which text holds, and other fields as a whole."""
        name, value, options = _of_field(body, "match", "query")
        if options.get("type") == "phrase" or self.kind(name) not in _ANALYSED:
            return self.values(name, [value])
        if options:
            raise RuleError(f"match: {', '.join(options)} of the query DSL is not supported")
        return READINGS[self.kind(name)].any_of(self.asked(name), [Bare((_text(value),))])

    def term(self, body: Dsl) -> Condition:
        """Lower a value that is not analysed."""
        name, value, options = _of_field(body, "term", "value")
        if options.get("case_insensitive") is True:
            return self.globs(name, [Glob((_text(value),))], fold_case=True)
        return self.terms({name: [value]})

    def terms(self, body: Dsl) -> Condition:
        """Lower alternative values that are not analysed."""
        [(name, values)] = _single(_without(body, _OPTIONS), "terms").items()
        if not isinstance(values, list):
            raise RuleError("terms: the values of another document are not supported")
        if self.kind(name) in _ANALYSED:
            return self.asked(name).predicate(TOKENS, Op.EQUALS, [_text(one) for one in values])
        return self.values(name, values)

    def values(self, name: str, values: Iterable[Dsl]) -> Condition:
        """Lower alternative values by the type of the field."""
        quoted = [Quoted(_text(value)) for value in values]
        return READINGS[self.kind(name)].any_of(self.asked(name), quoted)

    def range(self, body: Dsl) -> Condition:
        """Lower bounds. A value has to lie within both; of several values each may meet one."""
        [(name, bounds)] = _single(body, "range").items()
        given = _without(_table(bounds, "range"), _OPTIONS)
        if unknown := given.keys() - _ORDERS.keys():
            raise RuleError(f"range: {min(unknown)!r} is not supported")
        bound = READINGS[self.kind(name)].bound
        return And(
            tuple(
                bound(self.asked(name), _ORDERS[key], _text(value)) for key, value in given.items()
            )
        )

    def wildcard(self, body: Dsl) -> Condition:
        """Lower a pattern: `?` is one character, `*` any text, and a backslash escapes."""
        name, value, options = _of_field(body, "wildcard", "value", "wildcard")
        glob = read_wildcard(_text(value))
        return self.globs(name, [glob], fold_case=options.get("case_insensitive") is True)

    def globs(self, name: str, globs: list[Glob], *, fold_case: bool = False) -> Condition:
        """Lower patterns by the type of the field."""
        kind, asked = self.kind(name), self.asked(name)
        if kind in _KEYWORDS:
            return keyword_globs(asked, globs, fold_case=fold_case)
        if kind is FieldType.FLATTENED:
            return asked.predicate(LEAVES, Op.GLOB, globs, fold_case=fold_case)
        if kind in _ANALYSED:
            folded = [_fold(glob) for glob in globs] if fold_case else globs
            return asked.predicate(TOKENS, Op.GLOB, folded)
        self.warn(f"{name}: holds no text, so a pattern never matches")
        return FALSE

    def bool(self, body: Dsl) -> Condition:
        """Lower clauses that must, should and must not hold."""
        given = _without(_table(body, "bool"), _OPTIONS)
        parts = {key: [self.query(one) for one in _list(value)] for key, value in given.items()
                 if key in {"must", "filter", "should", "must_not"}}  # fmt: skip
        if unknown := given.keys() - parts.keys() - {"minimum_should_match"}:
            raise RuleError(f"bool: {min(unknown)!r} is not supported")
        needed = [*parts.get("must", ()), *parts.get("filter", ())]
        should = tuple(parts.get("should", ()))
        least = given.get("minimum_should_match", 0 if needed else 1)
        if str(least) not in {"0", "1"}:
            raise RuleError(f"bool: minimum_should_match of {least} is not supported")
        if should and str(least) == "1":
            needed.append(Or(should))
        return And((*needed, *map(Not, parts.get("must_not", ()))))


_CLAUSES: Mapping[str, Callable[[Filters, Dsl], Condition]] = {
    "bool": Filters.bool,
    "exists": Filters.exists,
    "match": Filters.match,
    "match_all": lambda _filters, _body: TRUE,
    "match_phrase": Filters.phrase,
    "range": Filters.range,
    "term": Filters.term,
    "terms": Filters.terms,
    "wildcard": Filters.wildcard,
}
CLAUSES = tuple(_CLAUSES)


def read_wildcard(text: str) -> Glob:
    """Read a pattern of the DSL, in which a backslash makes any character an ordinary one."""
    parts: list[str | Wild] = []
    for match in _WILD.finditer(text):
        escaped, wild, plain = match.groups()
        piece = _WILDS[wild] if wild else escaped or plain or "\\"
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        else:
            parts.append(piece)
    return Glob(tuple(parts))


def _fold(glob: Glob) -> Glob:
    return Glob(tuple(fold(part) if isinstance(part, str) else part for part in glob.parts))


def _is_disabled(one: Dsl) -> bool:
    return (_table(one, "a filter").get("meta") or {}).get("disabled") is True


def _of_field(body: Dsl, what: str, *keys: str) -> tuple[str, Dsl, dict[str, Dsl]]:
    """Return the field of a clause, what it is compared with, and the other options."""
    [(name, given)] = _single(body, what).items()
    if not isinstance(given, dict):
        return name, given, {}
    value = next((given[key] for key in keys if key in given), None)
    if value is None:
        raise RuleError(f"{what}: {name} is compared with nothing")
    return name, value, _without(given, {*keys, *_OPTIONS})


def _single(body: Dsl, what: str) -> dict[str, Dsl]:
    found = _table(body, what)
    if len(found) != 1:
        raise RuleError(f"{what}: names {len(found)} fields, and needs one")
    return found


def _table(value: Dsl, what: str) -> dict[str, Dsl]:
    if not isinstance(value, dict):
        raise RuleError(f"{what} is no object: {value!r:.60}")
    return value


def _list(value: Dsl) -> list[Dsl]:
    return value if isinstance(value, list) else [value]


def _without(table: dict[str, Dsl], keys: Iterable[str]) -> dict[str, Dsl]:
    left_out = set(keys)
    return {key: value for key, value in table.items() if key not in left_out}


def _text(value: Dsl) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise RuleError(f"a value is a text or a number, not {value!r:.60}")
