"""YAML 1.2 on PyYAML's C loader: `on`, `yes` and dates are texts, `010` is ten.

PyYAML resolves scalars by YAML 1.1; Panther's files are written for the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema).
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tocsin.errors import Place, RuleError

Yaml: TypeAlias = "bool | int | float | str | list[Yaml] | dict[str, Yaml] | None"

MAX_NODES = 1_000_000
"""How many values a file may hold once its aliases are unfolded."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
    ("merge", r"<<", ["<"]),
)
_ALIAS = re.compile(r"(?:^|[\s\[{,:-])\*\S")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and the keys that stand twice in one of its mappings, with their lines."""

    value: Yaml
    repeated: tuple[tuple[str, int], ...] = ()


class _Loader(yaml.CSafeLoader):
    """Resolves scalars by the core schema of YAML 1.2, and notes repeated keys."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[tuple[str, int]] = []

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, Any]:
        """Make a dictionary whose keys are texts as they are written."""
        own = [key for key, _ in node.value if key.tag != f"{_TAG}merge"]
        if compound := next((key for key in own if not isinstance(key, yaml.ScalarNode)), None):
            raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=compound.start_mark)
        seen: set[str] = set()
        for key in own:
            if key.value in seen:
                self.repeated.append((key.value, key.start_mark.line + 1))
            seen.add(key.value)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep) for key, value in node.value}


def _make_int(loader: _Loader, node: yaml.ScalarNode) -> int | str:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    try:
        return int(text, base)
    except ValueError:
        return text


def _make_float(loader: _Loader, node: yaml.ScalarNode) -> float | str:
    text = loader.construct_scalar(node)
    try:
        return float(re.sub(r"\.(?=[a-z])", "", text.lower()))
    except ValueError:
        return text


_Loader.yaml_implicit_resolvers = {}
for _name, _form, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"^(?:{_form})$"), _first)
_Loader.add_constructor(f"{_TAG}int", _make_int)
_Loader.add_constructor(f"{_TAG}float", _make_float)


def read_yaml12(text: str, path: Path) -> Document:
    """Read one file; raise `RuleError` with the place of what is no YAML."""
    try:
        loader = _Loader(text)
        value: Yaml = loader.get_single_data()
        if _ALIAS.search(text):
            _refuse_bombs(value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise RuleError(f"no YAML: {getattr(error, 'problem', None) or error}", place) from None
    except RecursionError:
        raise RuleError("nests too deep", Place(path)) from None
    except ValueError as error:
        raise RuleError(str(error), Place(path)) from None
    return Document(value, tuple(loader.repeated))


def _refuse_bombs(value: Yaml) -> None:
    """Raise `ValueError` for aliases that unfold without end, or nearly."""
    sizes: dict[int, int | None] = {}

    def size(part: Yaml) -> int:
        if not isinstance(part, dict | list):
            return 1
        if id(part) not in sizes:
            sizes[id(part)] = None
            sizes[id(part)] = 1 + sum(map(size, part.values() if isinstance(part, dict) else part))
        known = sizes[id(part)]
        if known is None:
            raise ValueError("an alias stands inside of what it names")
        return known

    if size(value) > MAX_NODES:
        raise ValueError(f"its aliases unfold to more than {MAX_NODES:,} values")
