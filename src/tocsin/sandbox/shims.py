"""Modules that rules import and that are no files: Panther's own, and the helpers of the pack.

They are found by a finder that only a worker process installs. Nothing is put on `sys.path`.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from tocsin.python.views import MappingView, SequenceView
from tocsin.sandbox.event import Event
from tocsin.sandbox.keyvalues import FUNCTIONS, KeyValues

COMPILED: set[str] = set()
"""The paths of what was compiled here: by them a traceback's lines are told from our own."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a Python file, and how its path is shown."""

    path: str
    text: str

    def compile(self) -> CodeType:
        """Compile the text; raises `SyntaxError`, or `ValueError` for a null character."""
        COMPILED.add(self.path)
        return compile(self.text, self.path, "exec", dont_inherit=True)


class _Names(InspectLoader):
    """Loads a module that has some names and no source."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def get_source(self, fullname: str) -> None:
        """Return none: there is none."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its names."""
        vars(module).update(self._names)


class _Helper(InspectLoader):
    """Loads a helper of the pack from its text."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        """Return the text, for tracebacks."""
        return self._source.text

    def exec_module(self, module: ModuleType) -> None:
        """Run the text as the module."""
        module.__file__ = self._source.path
        exec(self._source.compile(), vars(module))


class PackFinder(MetaPathFinder):
    """Finds Panther's modules and the helpers of one pack, in front of all others."""

    def __init__(self, helpers: Mapping[str, Source], memory: KeyValues) -> None:
        self._helpers = helpers
        self._shims = _shims(memory)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return how to load a module; None if it is none of these."""
        if names := self._shims.get(fullname):
            is_package = any(other.startswith(f"{fullname}.") for other in self._shims)
            return ModuleSpec(fullname, _Names(names), is_package=is_package)
        if source := self._helpers.get(fullname):
            return ModuleSpec(fullname, _Helper(source), origin=source.path)
        return None

    def install(self) -> None:
        """Find from now on; modules of other packs are forgotten."""
        for finder in [one for one in sys.meta_path if isinstance(one, PackFinder)]:
            finder.remove()
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Find no longer."""
        sys.meta_path.remove(self)
        for name in {*self._helpers, *self._shims} & sys.modules.keys():
            del sys.modules[name]


def _shims(memory: KeyValues) -> Mapping[str, Mapping[str, Any]]:
    event = {"PantherEvent": Event}
    views = {"ImmutableCaseInsensitiveDict": MappingView, "ImmutableList": SequenceView}
    caching = {name: getattr(memory, name) for name in FUNCTIONS}
    about = {"__doc__": "What rules import by this name, made by Tocsin."}
    return {
        "panther_core": {**about, **event},
        "panther_core.enriched_event": {**about, **event},
        "panther_core.immutable": {**about, **views},
        "panther_detection_helpers": about,
        "panther_detection_helpers.caching": {**about, **caching},
    }
