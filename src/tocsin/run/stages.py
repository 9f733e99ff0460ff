"""Run the stages of rules over all that a scan caught, and build the alerts that come of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson

from tocsin.alerts.build import AlertBuilder, Disagreement
from tocsin.alerts.model import Alert, Event, History, StageData, Suppression
from tocsin.alerts.python import context_of_python, said_of_python
from tocsin.engine.capture import when
from tocsin.engine.result import Match
from tocsin.engine.stages.compose import compose, stage_fields
from tocsin.engine.stages.hits import Finding, Hit, MemoryTerms, Stage
from tocsin.ids import alert_id
from tocsin.rules.model import Rule
from tocsin.rules.stages import Deduplication, NewTerms, Threshold
from tocsin.run.confirm import Asking, Confirmer, Python
from tocsin.run.staging import StagedHits, StagedRecord
from tocsin.run.work import Worker


@dataclass(slots=True)
class Cold:
    """Findings of one rule that came while its history was incomplete."""

    count: int = 0
    longest: History | None = None
    """The most that was known of the history."""

    def add(self, history: History) -> None:
        """Count one."""
        self.count += 1
        if self.longest is None or history.known > self.longest.known:
            self.longest = history


@dataclass(slots=True)
class StageRun:
    """Stages over what was caught; `begins` says when the logs of each type begin."""

    rules: Sequence[Rule]
    worker: Worker
    staged: StagedHits
    begins: Mapping[str, int]
    alert_cold: bool = False
    """Whether findings whose history is incomplete are alerts too."""
    python: Python | None = None
    """What allows the Python of rules to run."""
    asking: Asking = field(default_factory=Asking)
    """What became of asking it."""
    cold: dict[int, Cold] = field(default_factory=dict)
    """By the number of their rule, those that are none."""
    _log_types: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, numbers in self.worker.watched.items():
            for number in numbers:
                self._log_types.setdefault(number, []).append(name)

    def run(self) -> Iterator[Alert | Disagreement]:
        """Yield the alerts: as they are complete, in the order of event times."""
        stages: dict[int, Stage] = {}
        terms = MemoryTerms()
        confirmer = Confirmer(self.rules, self.worker, self.staged, self.python)
        self.asking = confirmer.asking
        for number, hit in confirmer.confirm(self.staged):
            if number not in stages:
                stages[number] = compose(self.rules[number], terms)
            for finding in stages[number].see(hit):
                yield from self._alerts(number, finding)
        for number in sorted(stages):
            for finding in stages[number].finish():
                yield from self._alerts(number, finding)

    def _alerts(self, number: int, finding: Finding) -> Iterator[Alert | Disagreement]:
        history = self._history(number, finding)
        if history and not self.alert_cold:
            self.cold.setdefault(number, Cold()).add(history)
            return
        yield self._build(number, finding, history)

    def _history(self, number: int, finding: Finding) -> History | None:
        """Return how much history there was, if it was less than the rule wants."""
        stage = self.rules[number].stage
        if not isinstance(stage, NewTerms):
            return None
        begins = [
            self.begins[name] for name in self._log_types.get(number, ()) if name in self.begins
        ]
        known = timedelta(milliseconds=finding.anchor.time - min(begins)) if begins else timedelta()
        return History(max(known, timedelta()), stage.window) if known < stage.window else None

    def _build(
        self, number: int, finding: Finding, history: History | None
    ) -> Alert | Disagreement:
        rule = self.rules[number]
        record = self.staged.record(finding.anchor)
        alert, match = self._alert(number, record)
        if isinstance(alert, Disagreement):
            return alert
        others = [hit for hit in finding.hits if hit is not finding.anchor]
        group = orjson.dumps(finding.terms).decode() if finding.terms else ""
        said = finding.anchor.said
        if said:
            alert = replace(
                alert,
                said=said_of_python(rule, said),
                context={**alert.context, **context_of_python(said)},
            )
        return replace(
            alert,
            id=alert_id(rule_key=rule.key, kind=rule.kind, group_key=group, anchor=alert.event.id),
            events=(*(self._event(match, hit) for hit in others), alert.event),
            stage=_stage_data(rule, finding, history),
        )

    def _alert(self, number: int, record: StagedRecord) -> tuple[Alert | Disagreement, Match]:
        """Return the alert on a record, and the match that made it: of several inputs the first."""
        plan = self.worker.plan_of(record.log_type, record.shape)
        builder = self._builder(record)
        matches = [
            Match(0, plan.shape, planned) for planned in plan.inputs if planned.rule == number
        ]
        built = [(builder.build_one(one, record.text, record.line), one) for one in matches]
        return next((one for one in built if isinstance(one[0], Alert)), built[0])

    def _event(self, match: Match, hit: Hit) -> Event:
        record = self.staged.record(hit)
        plan = self.worker.plan_of(record.log_type, record.shape)
        seen = Match(0, plan.shape, replace(match.input, log_type=plan.log_type))
        return self._builder(record).event(seen, record.text, record.line)

    def _builder(self, record: StagedRecord) -> AlertBuilder:
        return AlertBuilder(self.rules, record.source, self.worker.clock, self.worker.indicators)


def _stage_data(rule: Rule, finding: Finding, history: History | None) -> StageData:
    distinct = None
    if isinstance(rule.stage, Threshold) and rule.stage.distinct and finding.distinct is not None:
        distinct = rule.stage.distinct.field, finding.distinct
    names: tuple[str, ...] = stage_fields(rule)
    kind = rule.kind if rule.stage else "none"
    if isinstance(rule.stage, Deduplication):
        names, kind = ("dedup",), "deduplication"
        if finding.distinct is not None:
            distinct = "unique", finding.distinct
    return StageData(
        kind=kind,
        terms=tuple((name, str(value)) for name, value in zip(names, finding.terms, strict=False)),
        count=finding.count,
        first=when(finding.first),
        last=when(finding.last),
        distinct=distinct,
        history=history,
        suppression=_suppression(rule, finding),
    )


def _suppression(rule: Rule, finding: Finding) -> Suppression | None:
    if rule.suppression is None or finding.suppressed_by is None:
        return None
    terms = tuple(zip(rule.suppression.fields, finding.suppressed_by, strict=True))
    end = finding.absorbed_until or finding.anchor.time
    last = when(end)
    assert last  # what stands for others has a time
    return Suppression(terms, finding.absorbed, last)
