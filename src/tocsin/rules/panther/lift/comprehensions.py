"""Comprehensions, `any` and `all`: gone through where the members are known, else quantifiers."""

import ast
from collections.abc import Callable, Sequence

from tocsin.python.values import ANY, LIST, OBJECT, OTHER, TEXT
from tocsin.rules.panther.lift.logic import conj, disj, kind, negation, truth
from tocsin.rules.panther.lift.machine import Ended, Machine
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NONE,
    TRUE,
    And,
    Const,
    Get,
    Ite,
    Map,
    Node,
    Or,
    Seq,
    app,
    const,
    lam,
    raw_truth,
    seq,
)
from tocsin.rules.panther.lift.raising import Raise
from tocsin.rules.panther.lift.things import Lazy, Value
from tocsin.rules.panther.lift.trees import walk

MOST_ITEMS = 2_000
"""Members of a list that is gone through one by one."""


def members(value: Node) -> tuple[Node, ...] | None:
    """Return the members of what is known; None for what is read from an event."""
    if isinstance(value, Seq):
        return value.items
    if isinstance(value, Map):
        return tuple(key for key, _ in value.pairs)
    if isinstance(value, Const) and isinstance(value.value, str):
        return tuple(map(const, value.value))
    return None


def check_iterable(machine: Machine, value: Node) -> None:
    """Raise where a value has no members to go through."""
    if kinds_known := not isinstance(value, Const):
        bad = kind(value, ANY & ~(TEXT | LIST | OBJECT | OTHER))
        machine.record((Raise(bad, "TypeError"),))
    if not kinds_known:
        machine.apply("iterable", value)


def variable_for(machine: Machine, of: Node) -> Node:
    """Return a variable for the members of a value."""
    return machine.variable(of_event=isinstance(of, Get) and of.base % 2 == 0)


def assign(machine: Machine, target: ast.expr, value: Value) -> None:
    """Bind the names of a target."""
    if isinstance(target, ast.Name):
        machine.frame.names = {**machine.frame.names, target.id: value}
        return
    if isinstance(target, ast.Tuple | ast.List) and not any(
        isinstance(one, ast.Starred) for one in target.elts
    ):
        parts = machine.apply("unpack", machine.peek(value), const(len(target.elts)))
        for at, one in enumerate(target.elts):
            assign(machine, one, machine.apply("item", parts, const(at)))
        return
    machine.give_up("a target that is no name")


Body = Callable[[], Value]


def quantify(machine: Machine, node: ast.expr, *, every: bool) -> Value:
    """Return what `all` or `any` of an expression gives."""
    value = machine.evaluate(node)
    if isinstance(value, Lazy):
        generators = value.node.generators
        return _over(machine, generators, value.node.elt, every=every)
    listed = machine.peek(value)
    if isinstance(listed, Ite):
        return machine.branch(
            listed.condition,
            lambda: _of_list(machine, listed.then, every=every),
            lambda: _of_list(machine, listed.otherwise, every=every),
        )
    return _of_list(machine, listed, every=every)


def _of_list(machine: Machine, listed: Node, *, every: bool) -> Value:
    known = members(listed)
    if known is not None:
        return (conj if every else disj)(*map(truth, known))
    check_iterable(machine, listed)
    one = variable_for(machine, listed)
    return over_list(listed, one, truth(one), every=every)


def _over(
    machine: Machine, generators: Sequence[ast.comprehension], element: ast.expr, *, every: bool
) -> Value:
    """Return a quantifier over the members that generators go through."""
    first, *rest = generators
    if first.is_async:
        return machine.unknown("an asynchronous generator")

    def body() -> Value:
        return _where(machine, first.ifs, inner, empty=TRUE if every else FALSE)

    def inner() -> Value:
        if rest:
            return _over(machine, rest, element, every=every)
        return machine.truth(machine.evaluate(element))

    return _each(
        machine, machine.peek(machine.evaluate(first.iter)), first.target, body, every=every
    )


def _where(machine: Machine, ifs: Sequence[ast.expr], body: Body, empty: Value) -> Value:
    if not ifs:
        return body()
    return machine.branch(
        machine.truth(machine.evaluate(ifs[0])),
        lambda: _where(machine, ifs[1:], body, empty),
        lambda: empty,
    )


def _each(machine: Machine, of: Node, target: ast.expr, body: Body, *, every: bool) -> Value:
    if isinstance(of, Ite):
        return machine.branch(
            of.condition,
            lambda: _each(machine, of.then, target, body, every=every),
            lambda: _each(machine, of.otherwise, target, body, every=every),
        )
    known = members(of)
    if known is not None and len(known) <= MOST_ITEMS:
        return _one_by_one(machine, known, target, body, every=every)
    check_iterable(machine, of)
    one = variable_for(machine, of)
    ended = with_member(machine, target, one, body)
    if ended is None:
        return NONE
    condition = machine.pure(ended.value)
    failed = disj(*(way.condition for way in ended.exits))
    _note_raises(machine, ended)
    condition = disj(failed, condition) if every else conj(negation(failed), condition)
    return over_list(of, one, condition, every=every)


def _one_by_one(
    machine: Machine, known: Sequence[Node], target: ast.expr, body: Body, *, every: bool
) -> Value:
    """Go through known members, until one decides."""
    before = machine.frame.names
    decided: list[Node] = []
    quick = _without_raises(machine, known, target, body, every=every)
    if quick is not None:
        machine.frame.names = before
        return quick
    for item in known:
        ended = with_member(machine, target, item, body)
        if ended is None:
            return NONE
        undecided = conj(*decided)
        found = machine.pure(ended.value)
        machine.adopt(ended.exits, undecided)
        failed = disj(*(way.condition for way in ended.exits))
        machine.alive = conj(machine.alive, negation(conj(undecided, failed)))
        going_on = found if every else negation(found)
        decided.append(going_on)
        if going_on is FALSE:
            break
    machine.frame.names = before
    value = conj(*decided)
    return value if every else negation(value)


def _without_raises(
    machine: Machine, known: Sequence[Node], target: ast.expr, body: Body, *, every: bool
) -> Node | None:
    """Return the quantifier if nothing raises on the way; None otherwise."""
    found: list[Node] = []
    absorbing = FALSE if every else TRUE
    for one in known:
        ended = with_member(machine, target, one, body, quiet=True)
        if ended is None or ended.exits:
            return None
        condition = machine.pure(ended.value)
        if condition is absorbing:
            return absorbing if not found else (conj if every else disj)(*found, condition)
        found.append(condition)
    return (conj if every else disj)(*found)


def with_member(
    machine: Machine, target: ast.expr, one: Node, body: Body, *, quiet: bool = False
) -> Ended | None:
    """Run a body for one member in a scope; None, given up, if it changes anything around."""
    names, store = machine.frame.names, machine.store

    def action() -> Value:
        assign(machine, target, one)
        return machine.pure(body())

    ended = machine.scope(action)
    bound = {name.id for name in walk(target) if isinstance(name, ast.Name)}
    changed = [
        name
        for name in {**names, **ended.names}
        if name not in bound and names.get(name) is not ended.names.get(name)
    ]
    if changed or ended.store is not store or any(way.kind == "lost" for way in ended.exits):
        if not quiet:
            machine.give_up("a comprehension that changes what is around")
        return None
    return ended


def _note_raises(machine: Machine, ended: Ended) -> None:
    """Raise where the body of a comprehension does for a member, if that could be caught."""
    if not machine.caught or not ended.exits:
        return
    machine.fail(machine.unknown("a comprehension that raises inside of `try`"), None)


def over_list(of: Node, one: Node, condition: Node, *, every: bool) -> Node:
    """Return that all, or any, members meet a condition on a variable."""
    if every:
        return negation(_some(of, one, negation(condition)))
    return _some(of, one, condition)


def _some(of: Node, one: Node, condition: Node) -> Node:
    """Return that some member meets a condition; what is asked of the event stands outside."""
    assert isinstance(one, Get)
    number = one.base
    if condition is FALSE:
        return FALSE
    if number not in condition.variables:
        return conj(truth(of), condition)
    if isinstance(condition, And):
        outer = [part for part in condition.parts if number not in part.variables]
        if outer:
            inner = conj(*(part for part in condition.parts if number in part.variables))
            return conj(*outer, _some(of, one, inner))
    if isinstance(condition, Or) and _mixes(condition, number):
        return disj(*(_some(of, one, part) for part in condition.parts))
    return raw_truth(app("any", of, lam((number,), condition)))


def _mixes(condition: Or, number: int) -> bool:
    """Say whether alternatives read the event beside the member."""
    return any(not _only_member(part, number) for part in condition.parts)


def _only_member(node: Node, number: int) -> bool:
    return reads(node) <= {number}


def reads(node: Node) -> frozenset[int]:
    """Return the bases that a value reads: 0 is the event."""
    from tocsin.rules.panther.lift.paths import bases

    return bases(node)


# Comprehensions that give containers


def list_of(machine: Machine, node: ast.ListComp) -> Value:
    """Return a list comprehension."""
    return machine.allocate(_collect(machine, node.generators, node.elt))


def list_of_generator(machine: Machine, lazy: Lazy) -> Value:
    """Return what a generator yields, as a list."""
    return _collect(machine, lazy.node.generators, lazy.node.elt)


def set_of(machine: Machine, node: ast.SetComp) -> Value:
    """Return a set comprehension."""
    listed = _collect(machine, node.generators, node.elt)
    return machine.allocate(machine.apply("set", listed))


def dict_of(machine: Machine, node: ast.DictComp) -> Value:
    """Return a dictionary comprehension."""
    pair = ast.copy_location(ast.Tuple([node.key, node.value], ast.Load()), node)
    ast.fix_missing_locations(pair)
    listed = _collect(machine, node.generators, pair)
    return machine.allocate(machine.apply("dict", listed))


def _collect(machine: Machine, generators: Sequence[ast.comprehension], element: ast.expr) -> Node:
    """Return the list of what a comprehension gives."""
    first, *rest = generators
    of = machine.peek(machine.evaluate(first.iter))
    return _gather(machine, of, first, rest, element)


def _gather(
    machine: Machine,
    of: Node,
    first: ast.comprehension,
    rest: Sequence[ast.comprehension],
    element: ast.expr,
) -> Node:
    def value() -> Value:
        if rest:
            return _collect(machine, rest, element)
        return machine.pure(machine.evaluate(element))

    if isinstance(of, Ite):
        return machine.pure(
            machine.branch(
                of.condition,
                lambda: _gather(machine, of.then, first, rest, element),
                lambda: _gather(machine, of.otherwise, first, rest, element),
            )
        )
    known = members(of)
    if known is not None and len(known) <= MOST_ITEMS:
        return _gather_known(machine, known, first, value, nested=bool(rest))
    check_iterable(machine, of)
    one = variable_for(machine, of)
    assert isinstance(one, Get)
    keep = [with_member(machine, first.target, one, _test(machine, test)) for test in first.ifs]
    kept = [ended for ended in keep if ended is not None]
    ended = with_member(machine, first.target, one, value)
    if ended is None or len(kept) < len(keep):
        return NONE
    if machine.caught and any(part.exits for part in (*kept, ended)):
        machine.fail(machine.unknown("a comprehension that raises inside of `try`"), None)
    functions = [lam((one.base,), machine.pure(ended.value))]
    if kept:
        functions.append(lam((one.base,), conj(*(machine.pure(part.value) for part in kept))))
    made = app("map", of, *functions)
    return app("flat", made) if rest else made


def _test(machine: Machine, node: ast.expr) -> Body:
    return lambda: machine.truth(machine.evaluate(node))


def _gather_known(
    machine: Machine,
    known: Sequence[Node],
    first: ast.comprehension,
    value: Callable[[], Value],
    *,
    nested: bool,
) -> Node:
    before = machine.frame.names
    made: Node = seq("list", ())
    for one in known:
        assign(machine, first.target, one)

        def added(made: Node = made) -> Value:
            found = machine.pure(value())
            return machine.apply("joined", made, found if nested else seq("list", (found,)))

        made = machine.pure(_where(machine, first.ifs, added, made))
    machine.frame.names = before
    return made
