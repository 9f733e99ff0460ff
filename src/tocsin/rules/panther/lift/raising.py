"""When operations raise: where, and what, as far as the kinds of values say."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tocsin.python.operations import METHODS, TEXT_METHODS
from tocsin.python.values import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    LIST,
    NUMBER,
    OBJECT,
    OTHER,
    TEXT,
)
from tocsin.python.views import MappingView, SequenceView
from tocsin.rules.panther.lift.logic import kind
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NO_ARGUMENTS,
    Const,
    Get,
    Map,
    Node,
    Seq,
    app,
    kinds,
    raw_truth,
)


class Raise(NamedTuple):
    """Where an operation raises: the exception's name if there is one only, and what raises it."""

    condition: Node
    exception: str | None
    of: Node | None = None


def raises(name: str, args: tuple[Node, ...], made: Node) -> Iterator[Raise]:
    """Yield where an operation raises; `made` is the operation itself."""
    if name in _TOTAL:
        return
    by_kinds = _BY_KINDS.get(name)
    found = by_kinds(*args) if by_kinds else None
    if found is None:
        yield Raise(raw_truth(app("raises", made)), None, made)
        return
    for one in found:
        if one.condition is not FALSE:
            yield one


_TOTAL = frozenset(
    [
        "text",
        "eq",
        "is",
        "bool",
        "isinstance",
        "hasattr",
        "str",
        "repr",
        "raises",
        "deep_get",
        "deep_walk",
        "iterable",
    ]
)


def container_kinds(container: Node, item: Node) -> "list[Raise] | None":
    """Say where `in` raises."""
    if isinstance(container, Seq):
        hashable = container.type in {"list", "tuple"} or not kinds(item) & OTHER
        plain = isinstance(item, Get) or not kinds(item) & (LIST | OBJECT)
        return [] if hashable and (plain or container.type in {"list", "tuple"}) else None
    if isinstance(container, Map):
        plain = isinstance(item, Get) or not kinds(item) & (LIST | OBJECT | OTHER)
        return [] if plain else None
    if kinds(container) == TEXT:
        return [Raise(kind(item, ANY & ~TEXT), "TypeError")]
    if isinstance(item, Const) and isinstance(item.value, str) and not kinds(container) & OTHER:
        return [Raise(kind(container, ANY & ~(TEXT | LIST | OBJECT)), "TypeError")]
    return None


def _len_kinds(value: Node) -> "list[Raise] | None":
    if kinds(value) & OTHER:
        return None
    return [Raise(kind(value, ANY & ~(TEXT | LIST | OBJECT)), "TypeError")]


def _order_kinds(left: Node, right: Node) -> "list[Raise] | None":
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const):
            mask = TEXT if isinstance(one.value, str) else NUMBER | BOOL
            if one.value is None or isinstance(one.value, bytes) or kinds(other) & OTHER:
                return None
            return [Raise(kind(other, ANY & ~mask), "TypeError")]
    return None


def kinds_with(method: Any) -> int:
    """Return the kinds of values that have a method, as bits."""
    return sum(
        mask for mask, types in _KIND_TYPES if any(
            method in names and types in (kept if isinstance(kept, tuple) else (kept,))
            for kept, names in METHODS
        )
    )  # fmt: skip


def _method_kinds(subject: Node, name: Node, *args: Node) -> "list[Raise] | None":
    assert isinstance(name, Const)
    has_it = kinds_with(name.value)
    if kinds(subject) & OTHER:
        return None
    bad = [Raise(kind(subject, ANY & ~has_it), "AttributeError")]
    *plain, named = args
    if has_it == TEXT and name.value in TEXT_METHODS and named is NO_ARGUMENTS:
        if name.value in _WITHOUT and not plain:
            return bad
        texts = all(isinstance(one, Const) and isinstance(one.value, str) for one in plain)
        if name.value in {"startswith", "endswith"} and len(plain) == 1:
            return [*bad, *_affix_kinds(plain[0])]
        if name.value in _WITH_TEXTS and texts and plain and _text(plain[0]):
            return bad
        if name.value in {"split", "rsplit"} and _separates(plain):
            return bad
    if has_it == OBJECT and name.value != "get" and not plain:
        return bad
    return None


def _text(node: Node) -> bool:
    return isinstance(node, Const) and isinstance(node.value, str) and node.value != ""


def _separates(args: "list[Node]") -> bool:
    if not args or not _text(args[0]) or len(args) > 2:
        return False
    return len(args) == 1 or (isinstance(args[1], Const) and type(args[1].value) is int)


def _affix_kinds(affix: Node) -> "list[Raise]":
    if isinstance(affix, Seq) and affix.type == "tuple":
        return [Raise(kind(one, ANY & ~TEXT), "TypeError") for one in affix.items]
    return [Raise(kind(affix, ANY & ~TEXT & ~OTHER), "TypeError")]


_WITHOUT = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "splitlines",
        "isdigit",
        "isnumeric",
        "isalpha",
        "isalnum",
        "isdecimal",
        "isupper",
        "islower",
        "isspace",
        "isascii",
        "istitle",
        "isprintable",
    ]
)
_WITH_TEXTS = frozenset(
    [
        "strip",
        "lstrip",
        "rstrip",
        "replace",
        "find",
        "rfind",
        "count",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
    ]
)
_KIND_TYPES: tuple[tuple[int, type], ...] = (
    (TEXT, str),
    (OBJECT, MappingView),
    (LIST, SequenceView),
    (INT, int),
    (FLOAT, float),
)


def _fnmatch_kinds(text: Node, pattern: Node) -> "list[Raise] | None":
    if isinstance(pattern, Const) and isinstance(pattern.value, str):
        return [Raise(kind(text, ANY & ~TEXT), "TypeError")]
    return None


_BY_KINDS: Mapping[str, Callable[..., "list[Raise] | None"]] = {
    "in": container_kinds,
    "len": _len_kinds,
    "lt": _order_kinds,
    "le": _order_kinds,
    "gt": _order_kinds,
    "ge": _order_kinds,
    "method": _method_kinds,
    "fnmatch": _fnmatch_kinds,
}
