"""One metadata file of Panther → Rule, with everything people need to know."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tocsin.errors import Place, RuleError
from tocsin.ids import digest
from tocsin.jsontext import valid_text
from tocsin.rules.model import PARTS, Input, LogTypes, Rule, Severity, Technique, Verdict
from tocsin.rules.panther.kinds import NOT_YET, RUN, TYPES, WITH_PYTHON, AnalysisType
from tocsin.rules.panther.simple import lower_expressions
from tocsin.rules.panther.yaml12 import Document, Yaml, read_yaml12
from tocsin.rules.stages import Deduplication

SEVERITIES: Mapping[str, Severity] = {
    "info": Severity.INFORMATIONAL,
    **{one.value: one for one in Severity if one is not Severity.INFORMATIONAL},
}
EXPRESSIONS = ("Detection", "InlineFilters")
"""Keys of a rule that hold match expressions."""
DISABLED = "disabled"
_SCOPES = {
    "python": ("LogTypes", ""),
    "simple": ("LogTypes", ""),
    "policy": ("ResourceTypes", "resource:"),
    "scheduled": ("ScheduledQueries", "query:"),
}
"""Keys that say what a detection is about, and how their names are told apart."""
_SEVERITY_NAMES = ", ".join(name.capitalize() for name in SEVERITIES)
_SAID = r"^[\"']?{}[\"']?[ \t]*:[ \t]*[\"']?([^\"'\n#]+)"


def load_panther(text: str, pack: str, path: Path) -> Rule:
    """Load one metadata file; what cannot run has the verdict `cannot` and a reason."""
    try:
        return _Builder(text, pack, path, read_yaml12(text, path)).rule()
    except RuleError as error:
        said = {key: found[1].strip() for key in _SAID_KEYS if (found := _find(text, key))}
        rule = _Builder(text, pack, path, Document(dict(said))).described()
        return _refused(rule, (str(error),))


def _find(text: str, key: str) -> re.Match[str] | None:
    return re.search(_SAID.format(key), text, re.MULTILINE)


_SAID_KEYS = ("AnalysisType", "DisplayName", *{one.id_key for one in TYPES.values()})


def _refused(rule: Rule, reasons: tuple[str, ...]) -> Rule:
    return replace(rule, verdict=Verdict.CANNOT, reasons=reasons)


class _Builder:
    """Reads the keys of one file; what is wrong is said with its line."""

    def __init__(self, text: str, pack: str, path: Path, document: Document) -> None:
        self._text = text
        self._pack = pack
        self._path = path
        self._document = document
        value = document.value
        self._data: Mapping[str, Yaml] = value if isinstance(value, dict) else {}
        self._type = TYPES.get(_plain(self._data.get("AnalysisType")))

    def rule(self) -> Rule:
        rule = self.described()
        problems = tuple(self._problems())
        not_yet = NOT_YET.get(rule.kind)
        if rule.kind == "lookup_table" and self._data.get("Filename"):
            not_yet = None
        reasons = problems or ((f"{self._path}: {not_yet}",) if not_yet else ())
        return _refused(rule, reasons) if reasons else self._running(rule)

    def _running(self, rule: Rule) -> Rule:
        """Return a detection with what it waits for."""
        if rule.kind not in RUN:
            return rule
        data = self._data
        found = [data.get(key) for key in EXPRESSIONS]
        expressions = [one for some in found if isinstance(some, list) for one in some]
        key, prefix = _SCOPES[rule.kind]
        scope = LogTypes(tuple(f"{prefix}{name}" for name in _texts(data.get(key))))
        return replace(
            rule,
            inputs=(Input(lower_expressions(expressions), scope, "panther"),),
            stage=Deduplication(
                max(_number(data.get("Threshold"), 1), 1),
                timedelta(minutes=_number(data.get("DedupPeriodMinutes"), 60)),
            ),
            building_block=data.get("CreateAlert") is False,
            confirm=rule.kind in WITH_PYTHON,
        )

    def described(self) -> Rule:
        """Return what can be said of any file, however wrong its keys are."""
        data = self._data
        own_id = _plain(data.get(self._type.id_key)) if self._type else ""
        return Rule(
            id=valid_text(own_id) or str(self._path),
            name=valid_text(_plain(data.get("DisplayName")) or own_id or self._path.stem),
            ecosystem="panther",
            kind=self._kind(self._type),
            pack=self._pack,
            path=str(self._path),
            digest=digest(self._text),
            severity=SEVERITIES.get(_plain(data.get("Severity")).lower(), Severity.MEDIUM),
            status=DISABLED if data.get("Enabled") is False else _plain(data.get("Status")),
            description=_plain(data.get("Description")),
            tags=_texts(data.get("Tags")),
            references=_texts(data.get("Reference")),
            attack=tuple(dict.fromkeys(_techniques(data.get("Reports")))),
            guide=_plain(data.get("Runbook")),
            investigation_fields=_texts(data.get("SummaryAttributes")),
            document=json.dumps(data, default=str, separators=(",", ":")),
            notes=tuple(
                f"line {line}: the key {key!r} stands twice; the last counts"
                for key, line in self._document.repeated
            ),
        )

    def _kind(self, known: AnalysisType | None) -> str:
        if known is None:
            return valid_text(_plain(self._data.get("AnalysisType"))) or "unknown"
        if known.kind == "python" and "BaseDetection" in self._data:
            return "derived"
        if known.kind == "python" and "Detection" in self._data:
            return "simple"
        return known.kind

    def _problems(self) -> Iterator[str]:
        if self._type is None:
            known = ", ".join(TYPES)
            yield self._at("AnalysisType", f"{self._kind(None)!r} is none of {known}")
            return
        if not _plain(self._data.get(self._type.id_key)):
            yield self._at(self._type.id_key, "is missing")
        kind = self._kind(self._type)
        if kind in WITH_PYTHON and not _plain(self._data.get("Filename")):
            yield self._at("Filename", "names no Python file")
        severity = _plain(self._data.get("Severity"))
        if kind not in PARTS and severity.lower() not in SEVERITIES:
            problem = f"{severity!r:.40} is none of {_SEVERITY_NAMES}" if severity else "is missing"
            yield self._at("Severity", problem)
        for key in EXPRESSIONS if kind in {"python", "simple"} else ():
            try:
                lower_expressions(self._data.get(key) or [])
            except RuleError as error:
                yield self._at(key, str(error))

    def _at(self, key: str, problem: str) -> str:
        found = _find(self._text, key)
        line = self._text.count("\n", 0, found.start()) + 1 if found else 1
        return str(RuleError(f"{key}: {problem}", Place(self._path, line, 1)))


def _number(value: Yaml, default: int) -> int:
    """Return a whole number; the default for what is none."""
    found = str(value).strip()
    return int(found) if found.isascii() and found.isdigit() else default


def _plain(value: Yaml) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _texts(value: Yaml) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(text for item in items if (text := _plain(item)))


def _techniques(reports: Yaml) -> Iterator[Technique]:
    """Yield what `Reports` names under MITRE ATT&CK: `TA0006:T1552.001`."""
    named = reports.get("MITRE ATT&CK") if isinstance(reports, dict) else None
    for text in _texts(named):
        tactic, _, technique = text.upper().partition(":")
        if re.fullmatch(r"TA\d{4}", tactic):
            yield Technique(tactic, technique.strip() or None)
