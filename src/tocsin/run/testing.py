"""Run tests: case files through the engine, and what rules of Panther carry in their workers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tocsin.alerts.model import Alert, to_record
from tocsin.errors import RuleError, TocsinError, UsageError
from tocsin.logs.formats.blocks import Lines
from tocsin.outputs.objects import ObjectsOutput
from tocsin.rules.cases import Case, CaseFile, Yaml, find_case_files, load_case_file
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader
from tocsin.rules.model import Rule, RuleSet
from tocsin.rules.panther.pack import load_panther_rules
from tocsin.rules.select import Chooser
from tocsin.run.changed import Changes
from tocsin.run.log_types import choose_log_types
from tocsin.run.outcome import Outcome
from tocsin.run.panther import run_panther_tests
from tocsin.run.quarantine import Quarantine
from tocsin.run.scan import ScanOptions, scan_blocks
from tocsin.sandbox.process import Options as SandboxOptions


@dataclass(slots=True)
class TestRun:
    """How cases and tests ended, and what rules' authors should know."""

    outcomes: list[Outcome]
    warnings: list[Outcome] = field(default_factory=list)
    open_to: list[str] = field(default_factory=list)
    """What nothing kept the Python of rules from, and why."""


def run_tests(
    paths: Sequence[Path],
    options: LoadOptions | None = None,
    chooser: Chooser | None = None,
    sandbox: SandboxOptions | None = None,
    changes: Changes | None = None,
) -> TestRun:
    """Run every case below some paths, and the tests that rules of Panther carry, in order.

    With `changes` it is those that they call for. A file that cannot be read is a failure. Raises
    `UsageError` for a path without any of both.
    """
    carried = load_panther_rules(paths)
    rules = [rule for rule in carried.rules if chooser is None or chooser(rule)]
    if changes:
        rules = changes.choose(rules, carried.parts)
    tester = _Tester(options or LoadOptions(), chooser, changes)
    done = TestRun([one for path in _case_files(paths, carried) for one in tester.run(path)])
    if rules:
        of_rules = run_panther_tests(rules, carried.parts, sandbox)
        done.outcomes += of_rules.outcomes
        done.warnings += of_rules.warnings
        done.open_to += of_rules.open_to
    return done


def _case_files(paths: Sequence[Path], carried: RuleSet) -> list[Path]:
    """List the case files; paths that rules of Panther are below need none."""
    found: dict[Path, None] = {}
    for path in paths:
        try:
            found |= dict.fromkeys(find_case_files([path]))
        except UsageError:
            places = (Path(one.path) for one in (*carried.rules, *carried.parts))
            if not any(path in (place, *place.parents) for place in places):
                raise
    return list(found)


class _Tester:
    def __init__(
        self, options: LoadOptions, chooser: Chooser | None, changes: Changes | None
    ) -> None:
        self._loader = RuleLoader(options)
        self._chooser = chooser
        own = [*options.pipelines, *filter(None, [options.placeholders])]
        self._changes = None if changes and changes.has(*own) else changes

    def run(self, path: Path) -> Iterator[Outcome]:
        file = None
        try:
            file = load_case_file(path)
            rules = self._rules(file) if self._is_called_for(file) else []
        except TocsinError as error:
            if file or self._changes is None or self._changes.has(path):
                yield Outcome(str(path), "reads", "failed", str(error))
            return
        if not rules:
            return
        if self._chooser and not any(map(self._chooser, rules)):
            return
        for case in file.cases:
            yield self._case(rules, case)

    def _is_called_for(self, file: CaseFile) -> bool:
        return self._changes is None or self._changes.touch_case_file(file)

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
        name = rules[0].name
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
