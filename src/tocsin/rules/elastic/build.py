"""One document of Elastic → Rule: its query lowered, with everything people need to know."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import orjson

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import And, Condition, Not
from tocsin.errors import RuleError
from tocsin.ids import digest
from tocsin.jsontext import valid_text
from tocsin.rules.elastic.document import Document, Table
from tocsin.rules.elastic.exceptions import lists_of, lower_exceptions
from tocsin.rules.elastic.fields import field_type
from tocsin.rules.elastic.filters import Filters
from tocsin.rules.elastic.guide import render_guide
from tocsin.rules.elastic.kinds import NOT_YET, STAGED, kind_of
from tocsin.rules.elastic.query import lower_query
from tocsin.rules.elastic.schedule import read_distance, read_interval, read_schedule, read_span
from tocsin.rules.model import (
    Indices,
    Input,
    Overrides,
    RiskFrom,
    Rule,
    Severity,
    SeverityFrom,
    Technique,
    Verdict,
)
from tocsin.rules.stages import (
    Comparison,
    Distinct,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Stage,
    Suppression,
    Threshold,
)

DEFAULT_INDICES = (
    "apm-*-transaction*",
    "auditbeat-*",
    "endgame-*",
    "filebeat-*",
    "logs-*",
    "packetbeat-*",
    "traces-apm*",
    "winlogbeat-*",
    "-*elastic-cloud-logs-*",
)
"""What Kibana searches where a rule names no index."""

_OF_ANOTHER_SHAPE = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What data raises that is a text where it should be a table, or the like."""

T = TypeVar("T")


def build_rule(document: Document, pack: str) -> Rule:
    """Build the rule of a document; what cannot run has the verdict `cannot` and a reason."""
    return _Builder(document, pack).rule()


@dataclass(slots=True)
class _Builder:
    """Builds a rule part by part, so that a wrong one does not hide the others."""

    document: Document
    pack: str
    problems: dict[str, None] = field(default_factory=dict)
    approximations: dict[str, None] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)

    def rule(self) -> Rule:
        document = self.document
        known = self.attempt(self.described, _unnamed(document, self.pack))
        rule = replace(
            known,
            schedule=self.attempt(lambda: read_schedule(document), None),
            suppression=self.attempt(self.suppression, None),
            overrides=self.attempt(lambda: _overrides(document), Overrides()),
        )
        stage = self.attempt(lambda: self.stage(rule.schedule), None)
        inputs: tuple[Input, ...] = self.attempt(self.inputs, ())
        return replace(
            rule,
            stage=stage,
            inputs=() if self.problems else inputs,
            verdict=self.verdict(),
            reasons=(*self.problems, *self.approximations),
            notes=tuple(self.warnings),
        )

    def attempt(self, part: Callable[[], T], default: T) -> T:
        """Return a part, or the default if it is wrong."""
        try:
            return part()
        except RuleError as error:
            self.problems[str(error)] = None
        except _OF_ANOTHER_SHAPE as error:
            reason = f"a part of the rule is not of the kind that it should be: {error!r:.80}"
            self.problems[f"{self.document.written.path}: {reason}"] = None
        return default

    def verdict(self) -> Verdict:
        if self.problems:
            return Verdict.CANNOT
        return Verdict.APPROXIMATE if self.approximations else Verdict.RUNS

    def described(self) -> Rule:
        document, metadata = self.document, self.document.metadata
        severity = document.text("severity") or "medium"
        if severity not in set(Severity):
            raise document.wrong("severity", f"{severity!r} is none of {', '.join(Severity)}")
        return replace(
            _unnamed(document, self.pack),
            severity=Severity(severity),
            own_risk_score=self.risk_score(),
            description=document.text("description").strip(),
            author=document.texts("author"),
            license=document.text("license") or None,
            date=_date(metadata.get("creation_date") or document.rule.get("created_at")),
            modified=_date(metadata.get("updated_date") or document.rule.get("updated_at")),
            tags=document.texts("tags"),
            references=document.texts("references"),
            false_positives=tuple(one.strip() for one in document.texts("false_positives")),
            investigation_fields=_investigation_fields(document),
            attack=tuple(dict.fromkeys(_techniques(document))),
            setup=document.text("setup").strip(),
            building_block=bool(document.text("building_block_type")),
        )

    def risk_score(self) -> int | None:
        score = self.document.number("risk_score")
        if score is not None and not 0 <= score <= 100:
            raise self.document.wrong("risk_score", f"{score} is not between 0 and 100")
        return score

    def suppression(self) -> Suppression | None:
        table = self.document.table("alert_suppression")
        if not table:
            return None
        fields = table.get("group_by") or []
        if not fields and kind_of(self.document) == "threshold":
            fields = self.document.table("threshold").get("field") or []
        duration = table.get("duration")
        span = self.duration(duration) if duration else read_interval(self.document)
        strategy = table.get("missing_fields_strategy") or "suppress"
        return Suppression(_names(fields), span, strategy != "doNotSuppress")

    def duration(self, duration: Any) -> timedelta:
        if not isinstance(duration, dict):
            raise self.document.wrong("alert_suppression", "duration is no table")
        text = f"{duration.get('value')}{duration.get('unit')}"
        return read_span(text, lambda problem: self.document.wrong("alert_suppression", problem))

    def stage(self, schedule: Schedule | None) -> Stage | None:
        document = self.document
        match kind_of(document):
            case "new_terms":
                return _new_terms(document)
            case "threshold" if schedule:
                return _threshold(document, schedule.window)
            case "threat_match":
                return self.indicators()
        return None

    def indicators(self) -> IndicatorMatch:
        document = self.document
        any_of = tuple(map(self.comparisons, document.tables("threat_mapping")))
        if not any_of:
            raise document.wrong("threat_mapping", "says no fields to compare")
        condition = And((self.query("threat_query"), self.filters("threat_filters")))
        return IndicatorMatch(
            any_of,
            document.texts("threat_index"),
            simplify(condition),
            document.text("threat_indicator_path") or "threat.indicator",
        )

    def comparisons(self, item: Table) -> tuple[Comparison, ...]:
        entries = item.get("entries")
        if not isinstance(entries, list) or not entries:
            raise self.document.wrong("threat_mapping", "has an item without entries")
        return tuple(
            Comparison(str(one["field"]), str(one["value"]), one.get("negate") is True)
            for one in entries
        )

    def inputs(self) -> tuple[Input, ...]:
        kind = kind_of(self.document)
        if reason := NOT_YET.get(kind):
            raise RuleError(reason, self.document.written.place(self.document.written.find("type")))
        if kind not in STAGED:
            raise self.document.wrong("type", f"{kind!r} is no type of rules that is known")
        excepted = self.excepted()
        wanted = And((self.query("query"), self.filters("filters"), *map(Not, excepted)))
        return (Input(simplify(wanted), Indices(self.indices()), "ecs"),)

    def query(self, key: str) -> Condition:
        lowered = lower_query(self.document, key)
        self.warnings |= dict.fromkeys(lowered.warnings)
        return lowered.condition

    def filters(self, key: str) -> Condition:
        filters = Filters(field_type, self.warn)
        try:
            return filters.all(self.document.tables(key))
        except RuleError as error:
            raise (
                self.document.wrong(key, error.reason) if not error.place.path else error
            ) from None

    def excepted(self) -> Iterator[Condition]:
        """Yield what the rule's exception lists leave out."""
        document = self.document
        held = {str(item.get("list_id")) for item in document.exceptions}
        for missing in (one for one in lists_of(document.rule) if one not in held):
            self.approximations[f"the exceptions of the list {missing} are not in this file"] = None
        if not document.exceptions:
            return
        found = lower_exceptions(document.exceptions, Filters(field_type, self.warn))
        self.approximations |= dict.fromkeys(found.approximations)
        yield found.condition

    def indices(self) -> tuple[str, ...]:
        named = self.document.texts("index")
        view = self.document.text("data_view_id")
        if view and not named:
            self.approximations[
                f"the data view {view} is not in this file: Kibana's default indices are searched"
            ] = None
        return named or DEFAULT_INDICES

    def warn(self, sentence: str) -> None:
        self.warnings[sentence] = None


def _unnamed(document: Document, pack: str) -> Rule:
    """Return what can be said of any document, however wrong its fields are."""
    rule, shown = document.rule, str(document.written.path)
    return Rule(
        id=_plain(rule.get("rule_id")) or shown,
        name=_plain(rule.get("name")) or document.written.path.stem,
        ecosystem="elastic",
        kind=kind_of(document),
        pack=pack,
        path=shown,
        digest=digest(document.written.text),
        status=_status(document),
        guide=render_guide(document),
        document=_as_json(document),
    )


def _status(document: Document) -> str:
    """Return the maturity of a rule file; of an export, whether its rule is switched on."""
    if document.exported:
        return "disabled" if document.rule.get("enabled") is False else ""
    return _plain(document.metadata.get("maturity"))


def _plain(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _as_json(document: Document) -> str:
    parts = {
        "metadata": document.metadata,
        "rule": document.rule,
        "transform": document.transform,
        "exceptions": document.exceptions,
    }
    kept = {name: part for name, part in parts.items() if part}
    try:
        return orjson.dumps(kept, default=str).decode()
    except TypeError:
        return valid_text(repr(kept))


def _date(value: object) -> str | None:
    text = str(value)[:10].replace("/", "-") if value else ""
    return text or None


def _techniques(document: Document) -> Iterator[Technique]:
    """Yield what `threat` names, a tactic with each of its techniques and their parts."""
    for threat in document.tables("threat"):
        if threat.get("framework", "MITRE ATT&CK") != "MITRE ATT&CK":
            continue
        tactic = _id(threat.get("tactic"))
        techniques = [one for one in threat.get("technique") or () if isinstance(one, dict)]
        if not techniques and tactic:
            yield Technique(tactic)
        for technique in techniques:
            for one in (technique, *(technique.get("subtechnique") or ())):
                yield Technique(tactic, _id(one))


def _id(table: object) -> str | None:
    return _plain(table.get("id")) or None if isinstance(table, dict) else None


def _overrides(document: Document) -> Overrides:
    return Overrides(
        document.text("rule_name_override") or None,
        tuple(_severities(document)),
        tuple(_risk_scores(document)),
    )


def _severities(document: Document) -> Iterator[SeverityFrom]:
    for one in document.tables("severity_mapping"):
        severity = one.get("severity")
        if severity not in set(Severity):
            raise document.wrong("severity_mapping", f"{severity!r} is no severity")
        if one.get("operator", "equals") != "equals":
            raise document.wrong("severity_mapping", f"{one['operator']!r} is not supported")
        yield SeverityFrom(str(one.get("field", "")), str(one.get("value", "")), Severity(severity))


def _risk_scores(document: Document) -> Iterator[RiskFrom]:
    for one in document.tables("risk_score_mapping"):
        value = str(one.get("value") or "")
        score = one.get("risk_score") if value else None
        yield RiskFrom(str(one.get("field", "")), value or None, score)


def _new_terms(document: Document) -> NewTerms:
    """Read the terms and their history as a rule file has them, or as an export."""
    table = document.rule.get("new_terms")
    if isinstance(table, dict):
        fields = table.get("value")
        history = table.get("history_window_start") or [{}]
        start = history[0].get("value") if isinstance(history, list) else history
    else:
        fields = document.rule.get("new_terms_fields")
        start = document.rule.get("history_window_start")
    names = _names(fields)
    if not names:
        raise document.wrong("new_terms", "names no fields")
    text = _plain(start)
    window = read_distance(text, lambda problem: document.wrong("history_window_start", problem))
    return NewTerms(names, window)


def _threshold(document: Document, window: timedelta) -> Threshold:
    table = document.table("threshold")
    count = table.get("value")
    if not isinstance(count, int) or count < 1:
        raise document.wrong("threshold", "its value is not a number of events")
    cardinality = table.get("cardinality") or []
    first = cardinality[0] if isinstance(cardinality, list) and cardinality else None
    distinct = Distinct(str(first["field"]), int(first["value"])) if first else None
    return Threshold(_names(table.get("field")), count, window, distinct)


def _names(value: object) -> tuple[str, ...]:
    items: Iterable[object] = [value] if isinstance(value, str) else _listed(value)
    return tuple(str(one) for one in items if one)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _investigation_fields(document: Document) -> tuple[str, ...]:
    """Return the fields to look at, which older rules list without an object around them."""
    said = document.rule.get("investigation_fields")
    names = said.get("field_names") if isinstance(said, dict) else said
    return tuple(map(str, names)) if isinstance(names, list) else ()
