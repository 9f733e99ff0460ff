"""Case files: events and the alerts that a rule must raise on them (`docs/cases.md`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from tocsin.errors import Place, RuleError

Yaml: TypeAlias = "None | bool | int | float | str | list[Yaml] | dict[str, Yaml]"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: events in, alerts out. Named keys of an expected alert are compared."""

    name: str
    events: tuple[Yaml, ...]
    alerts: tuple[Mapping[str, Yaml], ...]
    log_type: str | None = None
    bridges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one rule: the path of its file, or its text."""

    path: Path
    rule: Path | str
    ecosystem: str
    cases: tuple[Case, ...]


def find_case_files(roots: Sequence[Path]) -> list[Path]:
    """List the case files below some paths, in order."""
    found: list[Path] = []
    for root in roots:
        if root.is_file():
            beside = root.with_suffix(".cases.yaml")
            found += [root] if root.name.endswith(".cases.yaml") else [beside] * beside.exists()
        else:
            found += sorted(root.rglob("*.cases.yaml"))
    return found


def load_case_file(path: Path) -> CaseFile:
    """Read one case file; raise `RuleError` with the place of what is wrong."""
    try:
        data: Yaml = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    except (yaml.YAMLError, OSError) as error:
        raise RuleError(f"cannot be read: {error}", Place(path)) from None
    if not isinstance(data, dict) or not isinstance(data.get("cases"), list):
        raise RuleError("a case file has `rule` and a list of `cases`", Place(path))
    rule, ecosystem = _rule(data.get("rule"), path)
    items = data["cases"]
    assert isinstance(items, list)
    return CaseFile(path, rule, ecosystem, tuple(_case(item, path) for item in items))


def _rule(data: Yaml, path: Path) -> tuple[Path | str, str]:
    if isinstance(data, str):
        return path.parent / data, "sigma"
    if isinstance(data, dict):
        ecosystem = str(data.get("ecosystem", "sigma"))
        text = data.get("text")
        inline = text if isinstance(text, str) else yaml.safe_dump(data.get("rule", data))
        return inline, ecosystem
    raise RuleError("`rule` names a file, or holds a rule", Place(path))


def _case(data: Yaml, path: Path) -> Case:
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        raise RuleError("every case has a `name`", Place(path))
    name = str(data["name"])
    events = data.get("events")
    if "events_file" in data:
        events = _read_events(path.parent / str(data["events_file"]), path)
    if not isinstance(events, list):
        raise RuleError(f"case {name!r}: `events` is a list", Place(path))
    alerts = data.get("alerts")
    if not isinstance(alerts, list) or not all(isinstance(one, dict) for one in alerts):
        raise RuleError(f"case {name!r}: `alerts` is a list of mappings, [] for none", Place(path))
    bridges = data.get("bridges")
    return Case(
        name,
        tuple(events),
        tuple(one for one in alerts if isinstance(one, dict)),
        str(data["log_type"]) if "log_type" in data else None,
        tuple(map(str, bridges)) if isinstance(bridges, list) else (),
    )


def _read_events(file: Path, path: Path) -> list[Yaml]:
    try:
        lines = file.read_text("utf-8").splitlines()
        return [yaml.load(line, yaml.CSafeLoader) for line in lines if line.strip()]
    except (OSError, yaml.YAMLError) as error:
        raise RuleError(f"events_file {file}: {error}", Place(path)) from None
