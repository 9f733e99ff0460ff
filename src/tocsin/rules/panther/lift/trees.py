"""Walking syntax trees."""

import ast
from collections.abc import Iterator

_LEAVES = frozenset({"arg", "attr", "ctx", "id", "kind", "name", "op", "ops", "type_comment"})
"""Fields that hold no nodes but contexts and operators, whatever the node."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """Per kind of node, the fields that nodes can be in, the last one first."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        names = () if issubclass(kind, ast.Constant) else reversed(kind._fields)
        found = self[kind] = tuple(name for name in names if name not in _LEAVES)
        return found


_FIELDS = _Fields()


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is below it, in the order of the source, without operators."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        for name in _FIELDS[type(node)]:
            value = getattr(node, name)
            if type(value) is list:
                stack += [one for one in reversed(value) if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST):
                stack.append(value)
