"""Case files: events and the alerts that a rule must raise on them (`docs/cases.md`)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from tocsin.errors import Place, RuleError, UsageError

Yaml: TypeAlias = "bool | int | float | str | list[Yaml] | dict[str, Yaml] | None"

_NAME = re.compile(r"\.cases\.ya?ml$")
_FILE_KEYS = {"rule", "cases"}
_CASE_KEYS = {"name", "events", "events_file", "alerts", "log_type", "bridges"}
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.CSafeLoader):
    """Reads times as the text they are written in, as logs hold them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case: events in, alerts out. Named keys of an expected alert are compared.

    An event that is text is raw JSON.
    """

    name: str
    events: tuple[Yaml, ...]
    alerts: tuple[Mapping[str, Yaml], ...]
    log_type: str | None = None
    bridges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one rule: the path of its file, or its text. Events may be in other files."""

    path: Path
    rule: Path | str
    cases: tuple[Case, ...]
    event_files: tuple[Path, ...] = ()


def find_case_files(roots: Sequence[Path]) -> list[Path]:
    """List the case files below some paths, in order; of a rule file, the one beside it.

    Raises `UsageError` if a path does not exist or has no cases.
    """
    return list(dict.fromkeys(path for root in roots for path in _below(root)))


def _below(root: Path) -> list[Path]:
    if root.is_dir():
        found = sorted(path for path in root.rglob("*") if _NAME.search(path.name))
        hint = "no case files (*.cases.yaml) below this folder"
    elif root.exists():
        beside = [root.with_suffix(f".cases{suffix}") for suffix in (".yaml", ".yml")]
        found = [root] if _NAME.search(root.name) else [path for path in beside if path.exists()]
        hint = f"no case file beside this rule; its name would be {beside[0].name}"
    else:
        found, hint = [], "no such file or folder"
    if not found:
        raise UsageError(f"{root}: {hint}")
    return found


def load_case_file(path: Path) -> CaseFile:
    """Read one case file; raise `RuleError` with the place of what is wrong."""
    try:
        return _Reader(path, path.read_text("utf-8-sig")).file()
    except UnicodeDecodeError:
        raise RuleError("is not UTF-8 text", Place(path)) from None
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}", Place(path)) from None
    except RecursionError:
        raise RuleError("nests too deep", Place(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise RuleError(f"not YAML: {getattr(error, 'problem', None) or error}", place) from None


class _Reader:
    """Reads one file; errors say at which line."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._event_files: list[Path] = []

    def fail(self, reason: str, *keys: str | int) -> RuleError:
        """Make the error about what stands at some keys."""
        node = yaml.compose(self._text, _Loader)
        for key in keys:
            node = next((value for at, value in _children(node) if at == key), node)
        mark = node.start_mark if node else None
        place = Place(self._path, mark.line + 1, mark.column + 1) if mark else Place(self._path)
        return RuleError(reason, place)

    def file(self) -> CaseFile:
        data: Yaml = yaml.load(self._text, _Loader)
        if not isinstance(data, dict) or not isinstance(data.get("cases"), list):
            raise self.fail("a case file has a `rule` and a list of `cases`")
        if unknown := sorted(set(map(str, data)) - _FILE_KEYS):
            raise self.fail(f"unknown key {unknown[0]!r}; known: rule, cases", unknown[0])
        items = data["cases"]
        assert isinstance(items, list)
        cases = tuple(self._case(item, at) for at, item in enumerate(items))
        return CaseFile(self._path, self._rule(data.get("rule")), cases, tuple(self._event_files))

    def _rule(self, data: Yaml) -> Path | str:
        if isinstance(data, str):
            return self._path.parent / data
        if not isinstance(data, dict):
            raise self.fail("`rule` names a file, or holds a rule", "rule")
        text = data.get("text")
        return text if isinstance(text, str) else yaml.safe_dump(data, allow_unicode=True)

    def _case(self, data: Yaml, at: int) -> Case:
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise self.fail("every case has a `name`", "cases", at)
        name = data["name"]
        if unknown := sorted(set(map(str, data)) - _CASE_KEYS):
            known = ", ".join(sorted(_CASE_KEYS))
            reason = f"case {name!r}: unknown key {unknown[0]!r}; known: {known}"
            raise self.fail(reason, "cases", at, unknown[0])
        alerts = data.get("alerts")
        if not isinstance(alerts, list) or not all(isinstance(one, dict) for one in alerts):
            reason = f"case {name!r}: `alerts` is a list of mappings, [] for none"
            raise self.fail(reason, "cases", at, "alerts")
        bridges = data.get("bridges", [])
        if not isinstance(bridges, list):
            raise self.fail(f"case {name!r}: `bridges` is a list", "cases", at, "bridges")
        return Case(
            str(name),
            tuple(self._events(data, at)),
            tuple(one for one in alerts if isinstance(one, dict)),
            str(data["log_type"]) if "log_type" in data else None,
            tuple(map(str, bridges)),
        )

    def _events(self, data: dict[str, Yaml], at: int) -> Sequence[Yaml]:
        if "events_file" not in data:
            events = data.get("events")
            if isinstance(events, list):
                return events
            reason = f"case {data['name']!r}: `events` is a list"
            raise self.fail(reason, "cases", at, "events")
        file = self._path.parent / str(data["events_file"])
        self._event_files.append(file)
        try:
            return [line for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise self.fail(f"events_file {file}: {why}", "cases", at, "events_file") from None


def _children(node: yaml.Node | None) -> list[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return [(key.value, value) for key, value in node.value]
    return list(enumerate(node.value)) if isinstance(node, yaml.SequenceNode) else []
