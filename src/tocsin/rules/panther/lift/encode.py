"""Values as programs of `tocsin.python`: text that a function of conditions, or a title, runs."""

import json
from typing import Any

from tocsin.rules.panther.lift.nodes import (
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
)


def encode(node: Node, below: tuple[str, ...] = ()) -> str:
    """Write a value as a program on what is at a path of the event."""
    writer = _Writer(below)
    last = writer.add(node)
    return json.dumps(writer.nodes[: last + 1], separators=(",", ":"))


class _Writer:
    def __init__(self, below: tuple[str, ...]) -> None:
        self.nodes: list[list[Any]] = []
        self._below = below
        self._numbers: dict[Node, int] = {}
        self._known: dict[str, int] = {}

    def add(self, node: Node) -> int:
        if node not in self._numbers:
            self._numbers[node] = self._place(self._write(node))
        return self._numbers[node]

    def _place(self, written: list[Any]) -> int:
        key = repr(written)
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(written)
        return self._known[key]

    def _write(self, node: Node) -> list[Any]:
        match node:
            case Const():
                return _constant(node.value)
            case Get():
                return self._get(node)
            case App():
                return ["a", node.name, *map(self.add, node.args)]
            case Ite():
                parts = (node.condition, node.then, node.otherwise)
                return ["?", *map(self.add, parts)]
            case Kind():
                return ["k", self.add(node.of), node.mask]
            case Truth():
                return ["t", self.add(node.of)]
            case And():
                return ["&", *map(self.add, node.parts)]
            case Or():
                return ["|", *map(self.add, node.parts)]
            case Not():
                return ["!", self.add(node.part)]
            case _:
                return self._container(node)

    def _container(self, node: Node) -> list[Any]:
        if isinstance(node, Seq):
            return ["q", node.type, list(map(self.add, node.items))]
        if isinstance(node, Map):
            return ["m", [[self.add(key), self.add(item)] for key, item in node.pairs]]
        if isinstance(node, Lam):
            return ["l", list(node.numbers), self.add(node.body)]
        raise ValueError("an unknown value cannot be written")

    def _get(self, node: Get) -> list[Any]:
        path = node.path if node.base else node.path[len(self._below) :]
        if node.base and not path:
            return ["v", node.base]
        return ["g", node.base, list(path)]


def _constant(value: Any) -> list[Any]:
    if isinstance(value, float):
        return ["f", repr(value)]
    if isinstance(value, bytes):
        return ["y", value.decode("latin-1")]
    return ["c", value]
