"""Operations on values: folded where all is known, and made simpler."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tocsin.python.operations import EXCEPTIONS, TYPES
from tocsin.python.program import run
from tocsin.python.values import (
    ABSENT,
    ANY,
    BOOL,
    FLOAT,
    INT,
    LIST,
    NULL,
    NUMBER,
    OBJECT,
    OTHER,
    PRESENT,
    TEXT,
)
from tocsin.rules.panther.lift.encode import encode
from tocsin.rules.panther.lift.logic import (
    conj,
    disj,
    has,
    is_exactly,
    ite,
    kind,
    negation,
    truth,
)
from tocsin.rules.panther.lift.nodes import (
    EVENT,
    FALSE,
    NO_ARGUMENTS,
    NONE,
    TRUE,
    Const,
    Get,
    Ite,
    Map,
    Node,
    Seq,
    app,
    const,
    get,
    is_condition,
    kinds,
    mapping,
    raw_truth,
    seq,
)
from tocsin.rules.panther.lift.raising import Raise, container_kinds, kinds_with, raises

Applied: TypeAlias = tuple[Node, tuple[Raise, ...]]
Rule: TypeAlias = Callable[..., "Applied | None"]

"""The named arguments of a call without any."""

_WHOLE = frozenset(
    [
        "with_item",
        "with_member",
        "joined",
        "text",
        "format",
        "format_text",
        "json.dumps",
        "any",
        "all",
        "map",
        "flat",
        "fold",
        "raises",
    ]
)
"""Operations that choose between values themselves, not between their results."""
_MOST_WAYS = 64
_memory: dict[tuple[Any, ...], Applied] = {}


def forget_applied() -> None:
    """Forget what operations gave."""
    _memory.clear()


def apply(name: str, *args: Node) -> Applied:
    """Return what an operation gives, and where it raises; the result counts where it does not."""
    key = (name, *args)
    found = _memory.get(key)
    if found is None:
        found = _memory[key] = _apply(name, args)
    return found


def _apply(name: str, args: tuple[Node, ...]) -> Applied:
    if name not in _WHOLE:
        chosen = [at for at, one in enumerate(args) if isinstance(one, Ite)]
        ways = 1
        for at in chosen:
            ways *= args[at].width
        if chosen and (len(chosen) == 1 or ways <= _MOST_WAYS):
            return _distribute(name, args, chosen[0])
    special = _RULES.get(name)
    if special is not None and (result := special(*args)) is not None:
        return result
    if all(one.closed and not one.unknown for one in args):
        return _fold(name, args)
    return _finish(name, args)


def _distribute(name: str, args: tuple[Node, ...], at: int) -> Applied:
    choice = args[at]
    assert isinstance(choice, Ite)
    condition = choice.condition
    then, then_raises = apply(name, *args[:at], choice.then, *args[at + 1 :])
    other, other_raises = apply(name, *args[:at], choice.otherwise, *args[at + 1 :])
    raises = [Raise(conj(condition, one.condition), *one[1:]) for one in then_raises]
    against = negation(condition)
    raises += [Raise(conj(against, one.condition), *one[1:]) for one in other_raises]
    kept = tuple(one for one in raises if one.condition is not FALSE)
    if any(one.condition is TRUE for one in then_raises):
        return other, kept
    if any(one.condition is TRUE for one in other_raises):
        return then, kept
    return ite(condition, then, other), kept


def _finish(name: str, args: tuple[Node, ...]) -> Applied:
    made = app(name, *args)
    raised = tuple(raises(name, args, made))
    if any(one.condition is TRUE for one in raised):
        return NONE, raised
    return (raw_truth(made) if kinds(made) == BOOL else made), raised


def _fold(name: str, args: tuple[Node, ...]) -> Applied:
    made = app(name, *args)
    if name in {"raises", "pattern"}:
        return made, ()
    try:
        found = run(encode(made), None)
    except Exception as error:
        known = next((one.__name__ for one in type(error).__mro__ if _known(one)), None)
        return NONE, (Raise(TRUE, known, made),)
    node = to_node(found)
    return (made if node is None else node), ()


def _known(one: type) -> bool:
    return EXCEPTIONS.get(one.__name__) is one


def to_node(value: Any) -> Node | None:
    """Return the node of a value that is known; None for kinds of values that have none."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return const(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = [to_node(item) for item in value]
        kept = tuple(item for item in items if item is not None)
        return seq(type(value).__name__, kept) if len(kept) == len(items) else None
    if isinstance(value, dict):
        pairs = [(to_node(key), to_node(item)) for key, item in value.items()]
        known = tuple((key, item) for key, item in pairs if key is not None and item is not None)
        return mapping(known) if len(known) == len(pairs) else None
    if isinstance(value, re.Pattern):
        return app("pattern", const(value.pattern), const(value.flags & ~re.UNICODE))
    return None


# What is simpler than an operation


def _eq(left: Node, right: Node) -> Applied | None:
    if isinstance(left, Const) and not isinstance(right, Const):
        return apply("eq", right, left)
    if isinstance(right, Const):
        return _eq_constant(left, right)
    if isinstance(left, Seq) and isinstance(right, Seq) and left.type == right.type:
        if left.type in {"list", "tuple"} and len(left.items) == len(right.items):
            pairs = zip(left.items, right.items, strict=True)
            return conj(*(apply("eq", *pair)[0] for pair in pairs)), ()
        return None
    return (FALSE, ()) if not _comparable(kinds(left), kinds(right)) else None


def _comparable(left: int, right: int) -> bool:
    numbers = NUMBER | BOOL
    return bool(left & right or (left & numbers and right & numbers) or (left | right) & OTHER)


def _eq_constant(left: Node, right: Const) -> Applied | None:
    if isinstance(left, Const):
        return None
    if right.value is None:
        return kind(left, NULL), ()
    if is_condition(left) and isinstance(right.value, bool | int):
        if right.value in (0, 1):
            return (left if right.value else negation(left)), ()
        return FALSE, ()
    return (FALSE, ()) if not _comparable(kinds(left), kinds(right)) else None


def _is(left: Node, right: Node) -> Applied | None:
    if isinstance(left, Const) and not isinstance(right, Const):
        return apply("is", right, left)
    if right is NONE:
        return kind(left, NULL), ()
    if right is TRUE or right is FALSE:
        return is_exactly(left, right is TRUE), ()
    return None


def _bool(value: Node) -> Applied | None:
    if isinstance(value, Const):
        return None
    return truth(value), ()


def _in(container: Node, item: Node) -> Applied | None:
    if container is EVENT and isinstance(item, Const) and isinstance(item.value, str):
        return has(get(0, (item.value,))), ()
    if isinstance(container, Seq) and not container.closed:
        return disj(*(apply("eq", item, one)[0] for one in container.items)), ()
    if isinstance(container, Map) and not container.closed:
        return disj(*(apply("eq", item, key)[0] for key, _ in container.pairs)), ()
    if isinstance(container, Seq | Map) and not item.closed:
        keys = container.items if isinstance(container, Seq) else [k for k, _ in container.pairs]
        if not keys:
            return FALSE, ()
        if len(keys) == 1 and not container_kinds(container, item):
            return apply("eq", item, keys[0])
    return None


def _method(subject: Node, name: Node, *args: Node) -> Applied | None:
    assert isinstance(name, Const)
    *plain, named = args
    if name.value == "get" and 1 <= len(plain) <= 2 and named is NO_ARGUMENTS:
        return _get(subject, plain[0], plain[1] if len(plain) == 2 else NONE)
    if isinstance(subject, Map) and not plain and named is NO_ARGUMENTS:
        keys = tuple(key for key, _ in subject.pairs)
        items = tuple(item for _, item in subject.pairs)
        if name.value == "keys" and _plain_keys(subject):
            return seq("list", keys), ()
        if name.value == "values":
            return seq("list", items), ()
        if name.value == "items":
            return seq("list", tuple(seq("tuple", pair) for pair in subject.pairs)), ()
        if name.value == "copy":
            return subject, ()
    return None


def _get(subject: Node, key: Node, default: Node) -> Applied | None:
    if isinstance(subject, Get) and isinstance(key, Const) and isinstance(key.value, str):
        child = get(subject.base, (*subject.path, key.value))
        bad = kind(subject, ANY & ~OBJECT)
        raises = () if bad is FALSE else (Raise(bad, "AttributeError"),)
        return ite(has(child), child, default), raises
    if isinstance(subject, Map) and _plain_keys(subject) and isinstance(key, Const):
        return next((item for one, item in reversed(subject.pairs) if one is key), default), ()
    if isinstance(subject, Map) and len(subject.pairs) <= 40 and _plain_keys(subject):
        return _look_up(subject, key, default)
    return None


def _look_up(subject: Map, key: Node, default: Node) -> Applied | None:
    """Return the value of a key that is not known in a dictionary whose keys are."""
    if not (isinstance(key, Get) or not kinds(key) & (LIST | OBJECT | OTHER)):
        return None
    found = default
    for one, item in reversed(subject.pairs):
        same, _ = apply("eq", key, one)
        found = ite(same, item, found)
    return found, ()


def _plain_keys(subject: Map) -> bool:
    """Say whether all keys are texts: of numbers and truth values some are equal."""
    return all(isinstance(key, Const) and isinstance(key.value, str) for key, _ in subject.pairs)


def _item(subject: Node, key: Node) -> Applied | None:
    if isinstance(subject, Get) and isinstance(key, Const) and isinstance(key.value, str):
        child = get(subject.base, (*subject.path, key.value))
        raises = [Raise(kind(subject, ANY & ~OBJECT), "TypeError")]
        raises.append(Raise(conj(kind(subject, OBJECT), kind(child, ABSENT)), "KeyError"))
        return child, tuple(one for one in raises if one.condition is not FALSE)
    if isinstance(subject, Map) and isinstance(key, Const) and _plain_keys(subject):
        found = next((item for one, item in reversed(subject.pairs) if one is key), None)
        return (found, ()) if found else (NONE, (Raise(TRUE, "KeyError"),))
    if _is_ordered(subject) and isinstance(key, Const) and type(key.value) is int:
        assert isinstance(subject, Seq)
        size = len(subject.items)
        if -size <= key.value < size:
            return subject.items[key.value], ()
        return NONE, (Raise(TRUE, "IndexError"),)
    return None


def _is_ordered(node: Node) -> bool:
    return isinstance(node, Seq) and node.type in {"list", "tuple"}


def _deep_get(subject: Node, default: Node, *keys: Node) -> Applied | None:
    if not isinstance(subject, Get) or not keys:
        return None
    names = [key.value for key in keys if isinstance(key, Const) and isinstance(key.value, str)]
    if len(names) < len(keys):
        return None
    child = get(subject.base, (*subject.path, *names))
    return ite(kind(child, (PRESENT | OTHER) & ~NULL), child, default), ()


_JSON_TYPES: Mapping[str, int] = {
    "str": TEXT,
    "bool": BOOL,
    "int": INT | BOOL,
    "float": FLOAT,
    "NoneType": NULL,
    "Mapping": OBJECT,
    "Sequence": LIST | TEXT,
    "Iterable": LIST | TEXT | OBJECT,
    "ImmutableCaseInsensitiveDict": OBJECT,
    "ImmutableList": LIST,
}
"""Kinds of the values of an event that are instances of a type."""


def _isinstance(value: Node, *names: Node) -> Applied | None:
    wanted = [str(name.value) for name in names if isinstance(name, Const)]
    mask = 0
    for name in wanted:
        mask |= _JSON_TYPES.get(name, 0)
    if isinstance(value, Get) and value.base % 2 == 0:
        return kind(value, mask), ()
    if not kinds(value) & (LIST | OBJECT | OTHER) or not {*wanted} - {"str", "bool", "NoneType"}:
        return kind(value, mask), ()
    return None


def _hasattr(value: Node, name: Node) -> Applied | None:
    assert isinstance(name, Const)
    if kinds(value) & OTHER or name.value in {"to_dict", "real", "is_integer", "bit_length"}:
        return None
    return kind(value, kinds_with(name.value)), ()


def _len(value: Node) -> Applied | None:
    if isinstance(value, Seq) and value.type in {"list", "tuple"}:
        return const(len(value.items)), ()
    if isinstance(value, Map) and _plain_keys(value):
        return const(len(value.pairs)), ()
    return None


def _list_of(type_: str) -> Rule:
    def make(value: Node) -> Applied | None:
        if isinstance(value, Seq) and value.type in {"list", "tuple"}:
            return seq(type_, value.items), ()
        if isinstance(value, Map) and _plain_keys(value):
            return seq(type_, tuple(key for key, _ in value.pairs)), ()
        return None

    return make


def _unpack(value: Node, count: Node) -> Applied | None:
    assert isinstance(count, Const)
    if isinstance(value, Seq) and value.type in {"list", "tuple"}:
        if len(value.items) == count.value:
            return seq("tuple", value.items), ()
        return NONE, (Raise(TRUE, "ValueError"),)
    return None


def _add(left: Node, right: Node) -> Applied | None:
    if isinstance(left, Seq) and isinstance(right, Seq) and _is_ordered(left):
        return (seq(left.type, left.items + right.items), ()) if left.type == right.type else None
    return None


def _or(left: Node, right: Node) -> Applied | None:
    if isinstance(left, Map) and isinstance(right, Map):
        plain = _plain_keys(left) and _plain_keys(right)
        return (mapping(left.pairs + right.pairs), ()) if plain else None
    if is_condition(left) and is_condition(right):
        return disj(left, right), ()
    return None


def _and(left: Node, right: Node) -> Applied | None:
    return (conj(left, right), ()) if is_condition(left) and is_condition(right) else None


def _with_item(container: Node, key: Node, value: Node) -> Applied | None:
    if not isinstance(container, Map) or not _plain_keys(container):
        return None
    known = isinstance(key, Const) and isinstance(key.value, str)
    return (mapping((*container.pairs, (key, value))), ()) if known else None


def _with_member(container: Node, item: Node) -> Applied | None:
    if isinstance(container, Seq) and container.type == "list":
        return seq("list", (*container.items, item)), ()
    return None


def _joined(container: Node, *others: Node) -> Applied | None:
    if len(others) != 1:
        return None
    other = others[0]
    if isinstance(container, Map) and isinstance(other, Map):
        return _or(container, other)
    if isinstance(container, Seq) and isinstance(other, Seq) and _is_ordered(other):
        known = container.type == "list"
        return (seq("list", container.items + other.items), ()) if known else None
    return None


def _str(value: Node) -> Applied | None:
    return (value, ()) if kinds(value) == TEXT else None


def _format(value: Node, spec: Node, conversion: Node) -> Applied | None:
    empty = [one for one in (spec, conversion) if isinstance(one, Const) and not one.value]
    if len(empty) < 2:
        return None
    return (app("str", value), ()) if isinstance(value, Ite) else apply("str", value)


_RULES: Mapping[str, Rule] = {
    "eq": _eq,
    "is": _is,
    "bool": _bool,
    "in": _in,
    "method": _method,
    "item": _item,
    "deep_get": _deep_get,
    "isinstance": _isinstance,
    "hasattr": _hasattr,
    "len": _len,
    "list": _list_of("list"),
    "tuple": _list_of("tuple"),
    "unpack": _unpack,
    "add": _add,
    "or": _or,
    "and": _and,
    "with_item": _with_item,
    "with_member": _with_member,
    "joined": _joined,
    "str": _str,
    "format": _format,
}
"""Operations that can be simpler than themselves, by what they are given."""

assert set(_JSON_TYPES) <= set(TYPES)
