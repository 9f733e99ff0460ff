"""Conditions of the executor as conditions of the engine, and what each is worth.

A part that cannot be said is left out: it counts as true where it asks for something and as false
where it stands negated, so that what is left holds wherever the whole does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.condition.tree import (
    FALSE as NEVER,
)
from tocsin.condition.tree import (
    TRUE as ALWAYS,
)
from tocsin.condition.tree import (
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Op,
    Predicate,
)
from tocsin.python.program import NOTHING, run
from tocsin.python.values import (
    ABSENT,
    KINDS,
    LIST,
    NULL,
    OBJECT,
    PRESENT,
    TEXT,
)
from tocsin.rules.panther.lift.conditions import (
    all_of,
    any_of,
    exact_number,
    glob_of,
    none_of,
    via,
)
from tocsin.rules.panther.lift.encode import encode
from tocsin.rules.panther.lift.logic import conj
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NO_ARGUMENTS,
    TRUE,
    And,
    App,
    Const,
    Get,
    Ite,
    Kind,
    Lam,
    Map,
    Node,
    Not,
    Or,
    Seq,
    Truth,
    get,
    kinds,
)
from tocsin.rules.panther.lift.paths import children, common_path, reads
from tocsin.rules.panther.lift.regexes import to_re2
from tocsin.rules.panther.lift.replace import replaced
from tocsin.rules.panther.lift.tidy import tidy

FLAT, LISTS, COMPUTED = 1, 2, 3
"""What a condition needs: plain comparisons; lists or parts of texts; computed values."""


@dataclass(slots=True)
class Lowering:
    """Lowers conditions, and keeps what they need and what could not be said."""

    level: int = FLAT
    left_out: dict[str, None] = field(default_factory=dict)
    base: int = 0
    """The variable that paths start at; 0 for the event."""
    _memory: dict[tuple[Node, bool, int], Condition] = field(default_factory=dict)

    def lower(self, node: Node, *, positive: bool = True) -> Condition:
        """Return a condition; if it is `positive`, one that holds at least where the node does."""
        key = (node, positive, self.base)
        if key not in self._memory:
            self._memory[key] = self._lower(node, positive=positive)
        return self._memory[key]

    def _lower(self, node: Node, *, positive: bool) -> Condition:
        if node is TRUE:
            return ALWAYS
        if node is FALSE:
            return NEVER
        match node:
            case And():
                return all_of(self.lower(part, positive=positive) for part in node.parts)
            case Or():
                return any_of(self.lower(part, positive=positive) for part in node.parts)
            case Not():
                return none_of(self.lower(node.part, positive=not positive))
        found = self._leaf(node)
        if found is not None:
            return found
        self.left_out[_why(node)] = None
        return ALWAYS if positive else NEVER

    def _leaf(self, node: Node) -> Condition | None:
        if node.unknown or any(one.base != self.base for one in reads(node)):
            return None
        if isinstance(node, Kind):
            return self._kind(node.of, node.mask)
        if isinstance(node, Truth):
            return self._truth(node.of)
        return None

    # Kinds

    def _kind(self, of: Node, mask: int) -> Condition | None:
        if isinstance(of, Get) and (self.base == 0 or of.path):
            return self._kind_of_field(Field(of.path), mask)
        found = self._chain(of)
        if found is None:
            return self._computed(Kind(of, mask))
        names = tuple(name for name, one in KINDS.items() if one & mask)
        return Predicate(via(found, Call("kind")), Op.EQUALS, names)

    def _kind_of_field(self, field_: Field, mask: int) -> Condition:
        """Say which kinds a value is of; what is absent is of none."""
        if not field_.path:
            return ALWAYS if mask & OBJECT else NEVER
        present = mask & PRESENT
        if mask & ABSENT:
            against = PRESENT & ~present
            return none_of(self._kind_of_field(field_, against)) if against else ALWAYS
        if present == PRESENT:
            return Predicate(field_, Op.EXISTS)
        if present == NULL:
            return Predicate(field_, Op.IS_NULL)
        if present == PRESENT & ~NULL:
            there, null = Predicate(field_, Op.EXISTS), Predicate(field_, Op.IS_NULL)
            return all_of((there, none_of(null)))
        names = tuple(name for name, one in KINDS.items() if one & present)
        return Predicate(via(field_, Call("kind")), Op.EQUALS, names)

    # Predicates

    def _truth(self, of: Node) -> Condition | None:
        if isinstance(of, App) and of.name in _LEAVES:
            found = _LEAVES[of.name](self, of)
            if found is not None:
                return found
            return self._computed(Truth(of))
        field_ = self._chain(of)
        if field_ is not None:
            return Predicate(via(field_, Call("truth")), Op.EQUALS, (True,))
        return self._computed(Truth(of))

    def _computed(self, node: Node) -> Condition | None:
        """Ask a program for the truth of a condition."""
        if self.base:
            return None
        path = common_path(node)
        if not path:
            return None
        self.level = COMPUTED
        program = encode(node, path)
        there = Predicate(Field(path, (Call("python", (program,)),)), Op.EQUALS, (True,))
        try:
            absent = run(program, NOTHING)
        except Exception:
            absent = False
        if not absent:
            return there
        return any_of((there, none_of(Predicate(Field(path), Op.EXISTS))))

    def _chain(self, node: Node) -> Field | None:
        """Return a value as a field with functions that are known by name."""
        if isinstance(node, Get):
            return Field(node.path) if node.path or not self.base else None
        calls: list[Call] = []
        while isinstance(node, App):
            found = _step(node)
            if found is None:
                return None
            call, node, level = found
            self.level = max(self.level, level)
            calls.append(call)
        if not isinstance(node, Get) or not (node.path):
            return None
        return Field(node.path, tuple(reversed(calls)))

    def _value(self, node: Node) -> Field | None:
        """Return a value as a field, by a program if need be; nothing where it raises."""
        found = self._chain(node)
        if found is not None or self.base:
            return found
        path = common_path(node)
        if not path or {one.path[: len(path)] for one in reads(node)} != {path}:
            return None
        program = encode(node, path)
        try:
            run(program, NOTHING)
        except Exception:
            self.level = COMPUTED
            return Field(path, (Call("python", (program,)),))
        return None

    # Comparisons

    def _eq(self, of: App) -> Condition | None:
        left, right = of.args
        if isinstance(right, Const):
            field_ = self._value(left)
            return None if field_ is None else self._equals(field_, [right.value])
        if right.closed:
            return None
        return self._fields(left, right, Op.EQUALS, Call("same"))

    def _equals(self, field_: Field, values: list[Any]) -> Condition | None:
        """Say that a value is equal to one of some constants, as Python compares them."""
        texts = tuple(value for value in values if isinstance(value, str))
        numbers = tuple(exact_number(value) for value in values if isinstance(value, int | float))
        if any(value is not None and not isinstance(value, str | int | float) for value in values):
            return None
        if None in numbers:
            return None
        parts: list[Condition] = []
        if texts:
            parts.append(Predicate(field_, Op.EQUALS, tuple(dict.fromkeys(texts))))
        if numbers:
            known = tuple(dict.fromkeys(one for one in numbers if one is not None))
            parts.append(Predicate(via(field_, Call("as_number")), Op.EQUALS, known))
        if None in values:
            parts.append(Predicate(field_, Op.IS_NULL))
        return any_of(parts)

    def _is(self, of: App) -> Condition | None:
        left, right = of.args
        field_ = self._value(left)
        if field_ is None or not isinstance(right, Const) or not isinstance(right.value, bool):
            return None
        return Predicate(field_, Op.EQUALS, (right.value,))

    def _in(self, of: App) -> Condition | None:
        container, item = of.args
        if container.closed:
            return self._in_constant(container, item)
        if item.closed:
            return self._holds_constant(container, item)
        if isinstance(container, Get) and isinstance(item, Get):
            return self._holds_field(container, item)
        return None

    def _in_constant(self, container: Node, item: Node) -> Condition | None:
        field_ = self._value(item)
        if field_ is None or kinds(container) == TEXT:
            return None
        if isinstance(container, Seq):
            keys: tuple[Node, ...] = container.items
        elif isinstance(container, Map):
            keys = tuple(key for key, _ in container.pairs)
        else:
            return None
        if not all(isinstance(key, Const) for key in keys):
            return None
        return self._equals(field_, [key.value for key in keys if isinstance(key, Const)])

    def _holds_constant(self, container: Node, item: Node) -> Condition | None:
        """Say that a text contains another, a list has a member, or an object a key."""
        if not isinstance(item, Const):
            return None
        possible = kinds(container)
        found = self._value(container) if possible == TEXT else self._chain(container)
        if found is None or not isinstance(item.value, str):
            return None
        parts: list[Condition] = []
        if possible & TEXT:
            parts.append(Predicate(found, Op.CONTAINS, (item.value,)))
        if possible & LIST:
            self.level = max(self.level, FLAT if possible & TEXT else LISTS)
            parts.append(Predicate(via(found, Call("members")), Op.EQUALS, (item.value,)))
        if possible & OBJECT:
            parts.append(Predicate(via(found, Call("has_key", (item.value,))), Op.EQUALS, (True,)))
        return any_of(parts)

    def _holds_field(self, container: Get, item: Get) -> Condition | None:
        if not container.path or not item.path:
            return None
        self.level = max(self.level, LISTS)
        whole, part = Field(container.path), Field(item.path)
        keys = FieldsCompare(via(whole, Call("keys")), Op.EQUALS, via(part, Call("str.lower")))
        members = FieldsCompare(
            via(whole, Call("members"), Call("same")), Op.EQUALS, via(part, Call("same"))
        )
        return any_of((FieldsCompare(whole, Op.CONTAINS, part), members, keys))

    def _order(self, of: App) -> Condition | None:
        left, right = of.args
        op = _ORDER[of.name]
        if isinstance(left, Const):
            left, right, op = right, left, _TURNED[op]
        if not isinstance(right, Const):
            if kinds(left) & TEXT and kinds(right) & TEXT:
                return None
            return self._fields(left, right, op, Call("as_number"))
        bound = exact_number(right.value) if isinstance(right.value, int | float) else None
        field_ = self._value(left)
        if bound is None or field_ is None:
            return None
        return Predicate(via(field_, Call("as_number")), op, (bound,))

    def _fields(self, left: Node, right: Node, op: Op, call: Call) -> Condition | None:
        one, other = self._chain(left), self._chain(right)
        if one is None or other is None:
            return None
        self.level = max(self.level, LISTS)
        return FieldsCompare(via(one, call), op, via(other, call))

    def _method(self, of: App) -> Condition | None:
        subject, name, *args, _ = of.args
        assert isinstance(name, Const)
        if name.value in _REGEX and isinstance(subject, App) and len(args) == 1:
            return self._regex(subject, str(name.value), args[0])
        if name.value in _AFFIX and len(args) == 1:
            return self._affix(_AFFIX[str(name.value)], subject, args[0])
        return None

    def _affix(self, op: Op, subject: Node, affix: Node) -> Condition | None:
        found = self._value(subject)
        texts = affix.items if isinstance(affix, Seq) else (affix,)
        values = tuple(one.value for one in texts if isinstance(one, Const))
        if found is not None and len(values) == len(texts):
            if all(isinstance(value, str) for value in values):
                return Predicate(found, op, values)
            return None
        if not isinstance(affix, Seq) and not affix.closed:
            one, other = self._chain(subject), self._chain(affix)
            if one is not None and other is not None:
                self.level = max(self.level, LISTS)
                return FieldsCompare(one, op, other)
        return None

    def _regex(self, pattern: App, how: str, text: Node) -> Condition | None:
        source, flags = pattern.args
        if not isinstance(source, Const) or not isinstance(flags, Const):
            return None
        found = self._value(text)
        regex = to_re2(source.value, flags.value, how)
        if found is None or regex is None:
            return None
        return Predicate(found, Op.REGEX, (regex,))

    def _fnmatch(self, of: App) -> Condition | None:
        text, pattern = of.args
        if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
            return None
        found = self._value(text)
        if found is None or "[" in pattern.value:
            return None
        return Predicate(found, Op.GLOB, (glob_of(pattern.value),))

    # Lists

    def _some(self, of: App) -> Condition | None:
        listed, function = of.args
        if not isinstance(function, Lam):
            return None
        self.level = max(self.level, LISTS)
        number = function.numbers[0]
        if isinstance(listed, Get) and (listed.path or self.base) and not self.base:
            found = self._element(listed, number, function.body)
            if found is not None:
                return found
        return self._member(listed, number, function.body)

    def _element(self, listed: Get, number: int, body: Node) -> Condition | None:
        """Say that some object of a list meets a condition on its fields."""
        places = reads(body)
        if any(one.base != number for one in places) or not _needs_object(body, number):
            return None
        body = without_kind(body, get(number, ()))
        if get(number, ()) in reads(body):
            return None
        inner = Lowering(base=number)
        condition = inner.lower(tidy(body))
        return None if inner.left_out else AnyElement(listed.path, condition)

    def _member(self, listed: Node, number: int, body: Node) -> Condition | None:
        """Say that some member of a list meets a comparison."""
        if not isinstance(listed, Get) or not listed.path or self.base:
            return None
        if not isinstance(body, Truth) or reads(body) != {get(number, ())}:
            return None
        inner = _Members(listed.path, number)
        return inner.leaf(body)


class _Members:
    """Lowers a single comparison on the members of a list."""

    def __init__(self, path: tuple[str, ...], number: int) -> None:
        self._path = path
        self._one = get(number, ())

    def leaf(self, body: Truth) -> Condition | None:
        """Return a predicate on the members; None if it is none."""
        moved = replaced(body, self._one, get(0, ("*",)))
        assert isinstance(moved, Truth)
        made = Lowering()
        found = made._leaf(moved)
        if not isinstance(found, Predicate) or found.op is Op.EXISTS:
            return None
        if made.level == COMPUTED or found.field.path != ("*",):
            return None
        via = (Call("members"), *found.field.via)
        return Predicate(Field(self._path, via), found.op, found.values)


def _needs_object(body: Node, number: int) -> bool:
    """Say whether a condition on a member holds for objects only."""
    if isinstance(body, And):
        return any(_needs_object(part, number) for part in body.parts)
    if isinstance(body, Or):
        return all(_needs_object(part, number) for part in body.parts)
    if isinstance(body, Kind) and isinstance(body.of, Get):
        return not body.mask & ABSENT if body.of.path else body.mask & PRESENT == OBJECT
    if not isinstance(body, Truth):
        return False
    return any(one.base == number and one.path for one in reads(body)) and not _chooses(body)


def _chooses(node: Node) -> bool:
    return isinstance(node, Ite | Lam | Kind) or any(map(_chooses, children(node)))


def without_kind(body: Node, of: Node) -> Node:
    """Leave out of a conjunction that a member is an object: others are not looked at."""
    if isinstance(body, And):
        return conj(*(part for part in body.parts if not _asks_object(part, of)))
    return TRUE if _asks_object(body, of) else body


def _asks_object(part: Node, of: Node) -> bool:
    return isinstance(part, Kind) and part.of is of and bool(part.mask & OBJECT)


_ORDER = {
    "lt": Op.LESS,
    "le": Op.LESS_OR_EQUAL,
    "gt": Op.GREATER,
    "ge": Op.GREATER_OR_EQUAL,
}
_TURNED = {
    Op.LESS: Op.GREATER,
    Op.GREATER: Op.LESS,
    Op.LESS_OR_EQUAL: Op.GREATER_OR_EQUAL,
    Op.GREATER_OR_EQUAL: Op.LESS_OR_EQUAL,
}
_REGEX = frozenset({"search", "match", "fullmatch"})
_AFFIX = {"startswith": Op.STARTSWITH, "endswith": Op.ENDSWITH}

_LEAVES: Mapping[str, Callable[[Lowering, App], Condition | None]] = {
    "eq": Lowering._eq,
    "is": Lowering._is,
    "in": Lowering._in,
    "lt": Lowering._order,
    "le": Lowering._order,
    "gt": Lowering._order,
    "ge": Lowering._order,
    "method": Lowering._method,
    "fnmatch": Lowering._fnmatch,
    "any": Lowering._some,
}

_STEPS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "removeprefix",
        "removesuffix",
        "replace",
    ]
)
"""Methods of texts that give a text, by their own name."""


def _step(node: App) -> tuple[Call, Node, int] | None:
    """Return the function of conditions that an operation is, and what it is applied to."""
    if node.name == "method":
        subject, name, *args, named = node.args
        values = [one.value for one in args if isinstance(one, Const)]
        plain = len(values) == len(args) and named is NO_ARGUMENTS
        plain = plain and all(isinstance(value, str) for value in values)
        if isinstance(name, Const) and name.value in _STEPS and plain:
            return Call(f"str.{name.value}", tuple(values)), subject, FLAT
        return None
    if node.name == "item":
        return _part(node)
    if node.name == "len":
        return Call("len"), node.args[0], LISTS
    return None


def _part(node: App) -> tuple[Call, Node, int] | None:
    """Read `text.split(separator)[at]` as one function."""
    split, at = node.args
    if not isinstance(split, App) or split.name != "method" or not isinstance(at, Const):
        return None
    subject, name, *args, named = split.args
    if not isinstance(name, Const) or name.value != "split" or type(at.value) is not int:
        return None
    if len(args) != 1 or named is not NO_ARGUMENTS or not isinstance(args[0], Const):
        return None
    if not isinstance(args[0].value, str) or not args[0].value:
        return None
    return Call("str.part", (args[0].value, at.value)), subject, LISTS


def _why(node: Node) -> str:
    if node.unknown:
        return "it depends on what is not known"
    paths = sorted({".".join(one.path) or "the whole event" for one in reads(node) if not one.base})
    return f"a comparison of several fields: {', '.join(paths)}"
