"""Modules of a pack, read as far as their constants, functions and classes are known."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.rules.panther.lift.expressions import evaluate
from tocsin.rules.panther.lift.library import FAR_REACHING
from tocsin.rules.panther.lift.logic import TooLong
from tocsin.rules.panther.lift.machine import Machine, Model, Remembered
from tocsin.rules.panther.lift.mutation import Change, Facts, changes, facts_of, written_names
from tocsin.rules.panther.lift.nodes import FALSE, TRUE, Node
from tocsin.rules.panther.lift.statements import execute
from tocsin.rules.panther.lift.things import Choice, Class, Function, Lib, Module, Ref, Value
from tocsin.rules.panther.lift.trees import walk

OWN = "rule"
"""The name of the module that is lifted."""


@dataclass(frozen=True, slots=True)
class DataModel:
    """The data model of a log type: the mappings of its file, and its Python."""

    mappings: Sequence[Mapping[str, object]] = ()
    source: str | None = None


class Library:
    """The helpers of a pack: parsed once, read when a rule imports them."""

    def __init__(self, helpers: Mapping[str, str], others: Iterable[str] = ()) -> None:
        """Read helpers; `others` are the texts of all rules of the pack: they share helpers."""
        self._trees: dict[str, ast.Module] = {}
        for name, text in helpers.items():
            try:
                self._trees[name] = ast.parse(text)
            except (SyntaxError, ValueError):
                continue  # what imports it fails there, and is not lifted
        self._facts = {name: facts_of(tree) for name, tree in self._trees.items()}
        self._parsed = {text: (tree, facts_of(tree)) for text, tree in _parsed(others)}
        of_others = {f"other {at}": facts for at, (_, facts) in enumerate(self._parsed.values())}
        self._changes = changes({**self._facts, **of_others})
        self._own: tuple[str, Module, frozenset[str]] | None = None
        self.may_write = frozenset(
            (name, one) for name, tree in self._trees.items() for one in written_names(tree)
        )
        """Names of helpers that functions of theirs write."""
        self.modules: dict[str, Module] = {}
        self.memory: dict[object, Remembered] = {}
        self._models: dict[int, tuple[DataModel, Model]] = {}

    def load(self, name: str) -> Value | None:
        """Return a helper; None if the pack has none of this name."""
        if name in self.modules:
            return self.modules[name]
        if name not in self._trees:
            return None
        return self.read(name, self._trees[name], self._changes.of(name))

    def read(self, name: str, tree: ast.Module, changed: Mapping[str, Change]) -> Module:
        """Read a module."""
        module = Module(name, changed=dict(changed))
        self.modules[name] = module
        machine = self.machine()
        machine.module = module
        for statement in tree.body:
            try:
                machine.execute([statement])
            except (TooLong, RecursionError):
                machine.alive = FALSE
            if machine.alive is not TRUE:
                machine.alive = TRUE
                unknown = {
                    n: machine.unknown("a module that may not load") for n in _bound(statement)
                }
                machine.frame.names = {**machine.frame.names, **unknown}
            machine.exits.clear()
            module.names.update(machine.frame.names)
        module.names = {key: _settled(machine, value) for key, value in module.names.items()}
        if _reaches_far(tree):
            module.names = {
                key: machine.unknown(f"{key} may be set by name") for key in module.names
            }
        module.complete = True
        return module

    def own(self, text: str) -> tuple[Module, frozenset[str]]:
        """Read the module of a rule; return it and the names that its functions write."""
        if self._own is None or self._own[0] != text:
            tree, facts = self._parsed.get(text) or ((made := ast.parse(text)), facts_of(made))
            module = self.read(OWN, tree, self._changed_by(OWN, facts))
            del self.modules[OWN]
            self._own = text, module, written_names(tree)
        return self._own[1:]

    def _changed_by(self, name: str, facts: Facts) -> Mapping[str, Change]:
        """Return what names of a module are changed, by itself or by the helpers it imports."""
        owners = {module for module, _ in facts.imported.values()}
        known = {module: self._facts[module] for module in owners & self._facts.keys()}
        found = changes({**known, name: facts})
        of_helpers = {
            own: change
            for own, (module, there) in facts.imported.items()
            if (change := self._changes.of(module).get(there))
        }
        return {**of_helpers, **found.of(name)}

    def model(self, data: DataModel | None) -> Model | None:
        """Read a data model."""
        if data is None:
            return None
        key = id(data)
        if key not in self._models:
            self._models[key] = (data, self._read_model(data))
        return self._models[key][1]

    def _read_model(self, data: DataModel) -> Model:
        module = None
        if data.source is not None:
            try:
                tree = ast.parse(data.source)
            except (SyntaxError, ValueError):
                return Model({}, None, "its Python cannot be read")
            name = f"data model {len(self._models) + 1}"
            module = self.read(name, tree, self._changed_by(name, facts_of(tree)))
        meanings: dict[str, tuple[str, ...] | str | None] = {}
        for one in data.mappings:
            meaning = _meaning(one)
            if isinstance(meaning, str) and (module is None or meaning not in module.names):
                return Model({}, None, f"the method {meaning} is not in its Python")
            meanings[str(one.get("Name"))] = meaning
        return Model(meanings, module)

    def machine(self, model: Model | None = None) -> Machine:
        """Return a machine that imports from this library."""
        machine = Machine(evaluate, execute)
        machine.imports = self._import
        machine.modules = self.modules
        machine.model = model
        machine.memory = self.memory
        return machine

    def _import(self, name: str) -> Value:
        return self.load(name) or Lib(name)


_PATH = re.compile(r"\$?\.?([^.\[\]'\"*$]+(?:\.[^.\[\]'\"*]+)*)")


def _meaning(mapping: Mapping[str, object]) -> tuple[str, ...] | str | None:
    """Return a path or the name of a method; None for paths that are not followed."""
    if "Method" in mapping:
        return str(mapping["Method"])
    found = _PATH.fullmatch(str(mapping.get("Path", "")).strip())
    return tuple(found[1].split(".")) if found else None


def _parsed(texts: Iterable[str]) -> Iterator[tuple[str, ast.Module]]:
    for text in texts:
        try:
            yield text, ast.parse(text)
        except (SyntaxError, ValueError):
            continue


def _reaches_far(tree: ast.Module) -> bool:
    """Say whether code of a module outside of functions calls what may set names of it."""
    outside = [one for one in tree.body if not isinstance(one, ast.FunctionDef)]
    return any(
        isinstance(node, ast.Call) and getattr(node.func, "id", "") in FAR_REACHING
        for statement in outside
        for node in walk(statement)
    )


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    names = [
        node.id
        for node in walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    for node in walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names += [one.asname or one.name for one in node.names]
    return names


def _settled(machine: Machine, value: Value) -> Value:
    """Return what a name of a module holds, with containers as they are behind its last line."""
    if isinstance(value, Ref):
        return machine.unknown("an instance") if value.of else _pure(machine, value)
    if isinstance(value, Choice):
        parts = (_settled(machine, value.then), _settled(machine, value.otherwise))
        return machine.choose(value.condition, *parts)
    if isinstance(value, Function):
        value.defaults = tuple(_default(machine, value, one) for one in value.defaults)
        value.keyword_defaults = {
            name: _default(machine, value, one) for name, one in value.keyword_defaults.items()
        }
    if isinstance(value, Class):
        for member in value.names.values():
            _settled(machine, member)
    return value


def _pure(machine: Machine, value: Value) -> Node:
    return machine.pure(value)


def _default(machine: Machine, function: Function, value: Value) -> Value:
    if isinstance(value, Ref) and not value.of and _only_reads(function, value):
        return machine.pure(value)
    return value


def _only_reads(function: Function, value: Ref) -> bool:
    """Say whether a function does nothing but look into what a default holds."""
    named = _names_of_default(function, value)
    parents: dict[ast.AST, ast.AST] = {
        child: parent for parent in walk(function.node) for child in ast.iter_child_nodes(parent)
    }
    return all(
        _looks(node, parents)
        for node in walk(function.node)
        if isinstance(node, ast.Name) and node.id in named
    )


def _names_of_default(function: Function, value: Ref) -> set[str]:
    args = function.node.args
    positional = [one.arg for one in (*args.posonlyargs, *args.args)]
    tail = positional[len(positional) - len(function.defaults) :]
    names = {name for name, one in zip(tail, function.defaults, strict=True) if one is value}
    return names | {name for name, one in function.keyword_defaults.items() if one is value}


def _looks(node: ast.Name, parents: Mapping[ast.AST, ast.AST]) -> bool:
    parent: Any = parents.get(node)
    if isinstance(parent, ast.Compare | ast.For | ast.comprehension | ast.UnaryOp):
        return True
    if isinstance(parent, ast.If | ast.IfExp):
        return parent.test is node
    if isinstance(parent, ast.Attribute):
        return parent.attr in {"get", "items", "keys", "values"}
    return isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load)
