"""Run case files: the events of each case through the engine, its alerts against the expected."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from tocsin.alerts.model import Alert, to_record
from tocsin.errors import RuleError, TocsinError
from tocsin.logs.formats.blocks import Lines
from tocsin.outputs.objects import ObjectsOutput
from tocsin.rules.cases import Case, CaseFile, Yaml, find_case_files, load_case_file
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader
from tocsin.rules.model import Rule
from tocsin.rules.select import Chooser
from tocsin.run.log_types import choose_log_types
from tocsin.run.quarantine import Quarantine
from tocsin.run.scan import ScanOptions, scan_blocks


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case ended: `passed`, `failed` or `skipped`, with the reason."""

    rule: str
    test: str
    result: str
    reason: str = ""


def run_cases(
    paths: Sequence[Path], options: LoadOptions | None = None, chooser: Chooser | None = None
) -> list[Outcome]:
    """Run every case below some paths, in order; a file that cannot be read is a failure."""
    tester = _Tester(options or LoadOptions(), chooser)
    return [one for path in find_case_files(paths) for one in tester.run(path)]


class _Tester:
    def __init__(self, options: LoadOptions, chooser: Chooser | None) -> None:
        self._loader = RuleLoader(options)
        self._chooser = chooser

    def run(self, path: Path) -> Iterator[Outcome]:
        try:
            file = load_case_file(path)
            rules = self._rules(file)
        except TocsinError as error:
            yield Outcome(str(path), "reads", "failed", str(error))
            return
        if self._chooser and not any(map(self._chooser, rules)):
            return
        for case in file.cases:
            yield self._case(rules, case)

    def _rules(self, file: CaseFile) -> list[Rule]:
        if isinstance(file.rule, Path):
            source = RuleFile(file.rule, "cases", str(file.rule))
            rules, skipped = self._loader.load(source)
        else:
            name = f"{file.path} (the rule in it)"
            rules, skipped = self._loader.load_text(file.rule, RuleFile(Path(name), "cases", name))
        if skipped:
            raise RuleError(f"{skipped.path}: {skipped.reason}")
        if not rules:
            raise RuleError(f"{file.path}: its rule file holds no rule")
        for rule in rules:
            if rule.reasons:
                raise RuleError(rule.reasons[0])
        return rules

    def _case(self, rules: Sequence[Rule], case: Case) -> Outcome:
        name = rules[0].name if rules else ""
        try:
            alerts = self._alerts(rules, case)
        except TocsinError as error:
            return Outcome(name, case.name, "failed", str(error))
        reason = _difference(case, alerts)
        return Outcome(name, case.name, "failed" if reason else "passed", reason)

    def _alerts(self, rules: Sequence[Rule], case: Case) -> list[Alert]:
        output, quarantine = ObjectsOutput(), Quarantine()
        log_types = choose_log_types(case.log_type)
        options = ScanOptions(rules, log_types, case.bridges, alert_cold=True)
        data = b"".join(_line(event) for event in case.events)
        summary = scan_blocks("case", [Lines(data, 1)], options, output, quarantine)
        for first in quarantine.examples.values():
            raise RuleError(f"event {first.line - 1} cannot be read: {first.reason}")
        if summary.disagreements:
            raise RuleError(summary.disagreements[0])
        return output.alerts


def _line(event: Yaml) -> bytes:
    """Write an event on one line; text is taken as raw JSON, so that odd records can be given."""
    if isinstance(event, str):
        return " ".join(event.splitlines()).encode() + b"\n"
    return json.dumps(event, ensure_ascii=False, default=str).encode() + b"\n"


def _difference(case: Case, alerts: Sequence[Alert]) -> str:
    """Return what differs between the expected alerts and those raised; empty if nothing does."""
    raised = [_record(alert) for alert in alerts]
    expected = [dict(one) for one in case.alerts]
    lines = []
    for at, (wanted, got) in enumerate(zip(expected, raised, strict=False)):
        missed = [key for key in wanted if got.get(key) != wanted[key]]
        if missed:
            one, other = (_json({key: of.get(key) for key in missed}) for of in (wanted, got))
            lines.append(f"alert {at}: expected {one}, raised {other}")
    lines += [f"missing alert: {_json(one)}" for one in expected[len(raised) :]]
    lines += [f"unexpected alert: {_json(_brief(one))}" for one in raised[len(expected) :]]
    return "\n".join(lines)


def _record(alert: Alert) -> dict[str, object]:
    record: dict[str, object] = orjson.loads(orjson.dumps(to_record(alert)))
    record["events"] = [event.line - 1 for event in alert.events]
    return record


def _brief(record: Mapping[str, object]) -> dict[str, object]:
    return {key: record[key] for key in ("title", "severity", "events", "reason")}


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
