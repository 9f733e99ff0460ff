"""Data models: what the names of the unified data model mean in the events of a log type."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.sandbox.views import plain, view

_STEP = re.compile(
    r"\.?(?:(?P<name>[^.\[\]'\"*]+)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")"
    r"|\[(?:(?P<at>\d+)|'(?P<in_single>[^']*)'|\"(?P<in_double>[^\"]*)\"|(?P<all>\*))\]"
)


class ModelError(Exception):
    """A data model cannot say what a name means."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name means: a path, or a function of the data model's module."""

    text: str
    path: tuple[str | int | None, ...] = ()
    method: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class DataModel:
    """The mappings of one log type; `error` says why there are none."""

    id: str
    mappings: Mapping[str, Meaning]
    error: str = ""

    def value(self, event: Mapping[str, Any], name: str, default: Any) -> Any:
        """Return what a mapped name means in an event; the default if its path leads nowhere.

        Unlike the event's own methods, paths tell upper from lower case. Raises `ModelError` if one
        leads to several values.
        """
        mapping = self.mappings[name]
        if mapping.method is not None:
            return mapping.method(event)
        found = list(_follow(plain(event), mapping.path))
        if len(found) > 1:
            raise ModelError(f"{self.id}: {name}: {mapping.text} leads to {len(found)} values")
        return view(found[0]) if found else default


def parse_path(text: str) -> tuple[str | int | None, ...]:
    """Read a path such as `$.a.b[0].c`; None in the result stands for every member of a list.

    Raises `ModelError` for other forms of JSONPath.
    """
    rest = text.strip().removeprefix("$")
    steps: list[str | int | None] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if not found:
            raise ModelError(f"the path {text!r} is of a form that is not supported")
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int | None:
    if found["all"]:
        return None
    if found["at"]:
        return int(found["at"])
    return next(text for text in found.groups() if text is not None)


def _follow(value: Any, path: Sequence[str | int | None]) -> Iterator[Any]:
    if not path:
        yield value
    elif isinstance(path[0], str):
        if isinstance(value, Mapping) and path[0] in value:
            yield from _follow(value[path[0]], path[1:])
    elif isinstance(value, Sequence) and not isinstance(value, str):
        members = value if path[0] is None else value[path[0] : path[0] + 1]
        for member in members:
            yield from _follow(member, path[1:])
