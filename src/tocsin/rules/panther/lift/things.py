"""What a rule's code handles beside values: functions, classes, modules, containers it changes."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tocsin.rules.panther.lift.nodes import Node

if TYPE_CHECKING:
    from tocsin.rules.panther.lift.mutation import Change


class Thing:
    """Something that is no value of an event; compared by identity."""


@dataclass(eq=False, slots=True)
class Frame(Thing):
    """The names of one call of a function; replaced as a whole when one changes."""

    names: "Mapping[str, Value]"
    written: frozenset[str] = frozenset()
    """Names that are declared `global`."""
    outer: "Frame | None" = None
    active: bool = True


@dataclass(eq=False, slots=True)
class Module(Thing):
    """A module of the pack, read so far."""

    name: str
    names: "dict[str, Value]" = field(default_factory=dict)
    changed: "Mapping[str, Change]" = field(default_factory=dict)
    """Names of this module whose containers code changes."""
    complete: bool = False


@dataclass(eq=False, slots=True)
class Function(Thing):
    """A function or lambda of the pack."""

    name: str
    node: ast.FunctionDef | ast.Lambda
    module: Module
    defaults: "tuple[Value, ...]" = ()
    keyword_defaults: "Mapping[str, Value]" = field(default_factory=dict)
    outer: Frame | None = None
    owner: "Class | None" = None


@dataclass(eq=False, slots=True)
class Class(Thing):
    """A class of the pack; `exceptions` are the built-in exceptions that it derives from."""

    name: str
    bases: "tuple[Value, ...]"
    names: "Mapping[str, Value]"
    properties: frozenset[str] = frozenset()


@dataclass(eq=False, slots=True)
class Ref(Thing):
    """A list, dictionary, set or instance that may change; what it holds is in the store."""

    number: int
    of: Class | None = None


@dataclass(eq=False, slots=True)
class Bound(Thing):
    """A function of the pack with its first argument, or a method of a value."""

    function: "Function | str"
    subject: "Value"


@dataclass(eq=False, slots=True)
class Super(Thing):
    """What `super()` gives inside of a method."""

    owner: Class
    subject: Ref


@dataclass(eq=False, slots=True)
class Lib(Thing):
    """Something of Python's library, by its full name."""

    name: str


@dataclass(eq=False, slots=True)
class Lazy(Thing):
    """A generator expression that nothing has asked yet."""

    node: ast.GeneratorExp


@dataclass(eq=False, slots=True)
class Choice(Thing):
    """One of two, of which one at least is no value."""

    condition: Node
    then: "Value"
    otherwise: "Value"


Value: TypeAlias = Node | Thing
