"""Which names of modules code changes: what they hold is not what the module begins with.

A container that a name holds is changed by code that calls a changing method on it, sets or deletes
an item of it, or does so through another name. What is given away under another name (returned, or
handed to a function that changes what it is given) counts as changed where anything does change
such things. All is read off the code, whether it is ever reached or not.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tocsin.rules.panther.lift.calls import MUTATING
from tocsin.rules.panther.lift.trees import walk

_COPYING = frozenset({"dict", "list", "set", "sorted", "copy", "deepcopy", "to_dict", "str", "len"})


class Change(NamedTuple):
    """A change of what a name holds: of the container itself, or only of what is in it."""

    line: int
    inner: bool


class _Part(NamedTuple):
    """A name that an expression may give the container of, or something that is in it."""

    name: str
    inner: bool


@dataclass(slots=True)
class _Function:
    """What a function does to what names hold."""

    name: str
    given: frozenset[str]
    local: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    """Names that it declares `global`."""
    sites: list[tuple[_Part, int]] = field(default_factory=list)
    """Names through which something is changed."""
    sources: dict[str, set[_Part]] = field(default_factory=dict)
    """Where what a name holds may come from."""
    calls: list[tuple[str, list[str], int]] = field(default_factory=list)
    """Functions that it hands names to."""
    returns: list[_Part] = field(default_factory=list)
    results: dict[str, set[str]] = field(default_factory=dict)
    """Names that hold what a function returned."""

    def origins(self, part: _Part) -> set[_Part]:
        """Return all names that what a name holds may belong to."""
        found, rest = {part}, [part]
        while rest:
            one = rest.pop()
            for source in self.sources.get(one.name, ()):
                more = _Part(source.name, source.inner or one.inner)
                if more not in found:
                    found.add(more)
                    rest.append(more)
        return found

    def is_own(self, name: str) -> bool:
        """Say whether a name is one of the function's own."""
        return name in self.local and name not in self.written


@dataclass(slots=True)
class Facts:
    """What the functions of a module do, and the names that it imports from where."""

    functions: list[_Function]
    imported: dict[str, tuple[str, str]]


def facts_of(tree: ast.Module) -> Facts:
    """Read off what the functions of a module do."""
    functions: list[_Function] = []
    imported: dict[str, tuple[str, str]] = {}
    for node in walk(tree):
        if isinstance(node, ast.FunctionDef):
            functions.append(_read(node))
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                imported[one.asname or one.name] = (node.module or "", one.name)
    return Facts(functions, imported)


@dataclass(slots=True)
class Changes:
    """The changes that the modules of a pack make to what names of modules hold."""

    by_module: dict[str, dict[str, Change]]

    def of(self, module: str) -> Mapping[str, Change]:
        """Return the changed names of a module."""
        return self.by_module.get(module, {})


def changes(modules: Mapping[str, Facts]) -> Changes:
    """Return the names whose containers code of any of some modules may change."""
    functions = [one for facts in modules.values() for one in facts.functions]
    changing = {one.name for one in functions if _changes_what_it_is_given(one)}
    results = {name for one in functions for name in _changed_results(one)}
    found = Changes({})
    for module, facts in modules.items():
        for function in facts.functions:
            for part, line in _changed_in(function, changing, results):
                owners = {(module, part.name), facts.imported.get(part.name, (module, part.name))}
                for owner, name in owners:
                    names = found.by_module.setdefault(owner, {})
                    known = names.get(name)
                    if known is None or (known.inner and not part.inner):
                        names[name] = Change(line, part.inner)
    return found


def written_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that functions of a module declare `global`."""
    return frozenset(
        name for node in walk(tree) if isinstance(node, ast.Global) for name in node.names
    )


def _changed_in(  # noqa: C901
    function: _Function, changing: set[str], results: set[str]
) -> Iterator[tuple[_Part, int]]:
    for part, line in function.sites:
        for origin in function.origins(part):
            if not function.is_own(origin.name):
                yield origin, line
    for called, names, line in function.calls:
        if called in changing:
            for name in names:
                for origin in function.origins(_Part(name, inner=False)):
                    if not function.is_own(origin.name):
                        yield origin, line
    if function.name in results:
        for part in function.returns:
            for origin in function.origins(part):
                if not function.is_own(origin.name):
                    yield origin, 0


def _changes_what_it_is_given(function: _Function) -> bool:
    return any(
        origin.name in function.given
        for part, _ in function.sites
        for origin in function.origins(part)
    )


def _changed_results(function: _Function) -> Iterator[str]:
    changed = {origin.name for part, _ in function.sites for origin in function.origins(part)}
    for name, called in function.results.items():
        if name in changed:
            yield from called


def _read(node: ast.FunctionDef) -> _Function:
    given = frozenset(one.arg for one in walk(node.args) if isinstance(one, ast.arg))
    made = _Function(node.name, given, set(given))
    for one in walk(node):
        _read_node(made, one)
    return made


def _read_node(made: _Function, node: ast.AST) -> None:  # noqa: C901
    line = getattr(node, "lineno", 0)
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            made.local.add(name)
        case ast.Global(names=names):
            made.written.update(names)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind(made, target, value)
                _site(made, target, line)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            _bind(made, target, value)
        case ast.NamedExpr(target=target, value=value):
            _bind(made, target, value)
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            _bind(made, target, value, inner=True)
        case ast.AugAssign(target=target):
            _site(made, target, line, always=True)
        case ast.Delete(targets=targets):
            for target in targets:
                _site(made, target, line)
        case ast.Call():
            _read_call(made, node)
        case ast.Return(value=value) if value is not None:
            made.returns += _parts(value)


def _read_call(made: _Function, node: ast.Call) -> None:
    if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
        _site(made, node.func.value, node.lineno, always=True)
    given = [*node.args, *(one.value for one in node.keywords)]
    names = [part.name for one in given for part in _parts(one)]
    if names:
        made.calls.append((_called(node), names, node.lineno))


def _site(made: _Function, target: ast.expr, line: int, *, always: bool = False) -> None:
    if isinstance(target, ast.Name) and not always:
        return
    of = target
    if not always and isinstance(target, ast.Subscript | ast.Attribute):
        of = target.value
    for part in _parts(of):
        made.sites.append((part, line))


def _bind(made: _Function, target: ast.expr, value: ast.expr, *, inner: bool = False) -> None:
    parts = {_Part(part.name, part.inner or inner) for part in _parts(value)}
    called = {_called(value)} if isinstance(value, ast.Call) else set()
    if isinstance(target, ast.Subscript | ast.Attribute):
        return
    unpacked = isinstance(target, ast.Tuple | ast.List)
    for one in walk(target):
        if isinstance(one, ast.Name):
            taken = {_Part(part.name, part.inner or unpacked) for part in parts}
            made.sources.setdefault(one.id, set()).update(taken)
            made.results.setdefault(one.id, set()).update(called)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def _parts(value: ast.expr) -> list[_Part]:
    """Return the names whose containers, or parts of them, an expression may give."""
    match value:
        case ast.Name(id=name):
            return [_Part(name, inner=False)]
        case ast.Subscript(value=of) | ast.Attribute(value=of):
            return [_Part(part.name, inner=True) for part in _parts(of)]
        case ast.Starred(value=of) | ast.NamedExpr(value=of):
            return _parts(of)
        case ast.BoolOp(values=values):
            return [part for one in values for part in _parts(one)]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_parts(body), *_parts(orelse)]
        case ast.Tuple(elts=items):
            return [part for one in items for part in _parts(one)]
        case ast.Call():
            return _parts_of_result(value)
        case ast.BinOp(left=left, right=right):
            return [_Part(part.name, inner=True) for one in (left, right) for part in _parts(one)]
        case ast.List(elts=items) | ast.Set(elts=items):
            return [_Part(part.name, part.inner) for one in items for part in _parts(one)]
        case ast.Dict(values=values):
            return [part for one in values for part in _parts(one)]
    return []


def _parts_of_result(node: ast.Call) -> list[_Part]:
    if _called(node) in _COPYING:
        given: Iterable[ast.expr] = [*node.args]
        if isinstance(node.func, ast.Attribute):
            given = [*given, node.func.value]
        return [_Part(part.name, inner=True) for one in given for part in _parts(one)]
    parts = (
        [_Part(part.name, inner=True) for part in _parts(node.func.value)]
        if isinstance(node.func, ast.Attribute)
        else []
    )
    for one in (*node.args, *(keyword.value for keyword in node.keywords)):
        parts += _parts(one)
    return parts
