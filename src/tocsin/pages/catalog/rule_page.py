"""The page of a rule: everything that its file says, and what the catalogue knows beside it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tocsin.alerts.attack import attack_places, attack_url
from tocsin.catalog.convert import LANGUAGES, convert
from tocsin.catalog.counts import OPERATIONS, TECHNIQUES, TESTS, TWINS, VERSIONS, Corpus, Related
from tocsin.catalog.entries import Entry
from tocsin.catalog.indicators import Counts, Indicator
from tocsin.catalog.text import RawText, raw_texts
from tocsin.catalog.translate import CannotSay
from tocsin.catalog.upstream import upstream_of
from tocsin.condition.functions import fold
from tocsin.condition.tree import TRUE
from tocsin.content.attack import Name
from tocsin.pages.catalog.code import code_lines
from tocsin.pages.catalog.logic import LONGEST_VALUE, Row, logic_rows, quote, value_query
from tocsin.pages.catalog.markdown import render_markdown
from tocsin.rules import traits
from tocsin.rules.describe import describe_stage, describe_suppression, span
from tocsin.rules.model import Rule
from tocsin.rules.stages import IndicatorMatch, NewTerms, Threshold

MOST_INDICATORS = 400
MOST_TESTS = 40
LONGEST_TEST = 6_000

OPERATORS: Mapping[str, str] = {
    "exists": "is there",
    "is_null": "is null",
    "equals": "is",
    "contains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "glob": "is like",
    "regex": "matches",
    "cidr": "in network",
    "less": "<",
    "less_or_equal": "≤",
    "greater": ">",
    "greater_or_equal": "≥",
}
"""How the operators of indicators are said."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many other rules have something, per ecosystem, and the query that finds them."""

    by_ecosystem: tuple[tuple[str, int], ...]
    query: str = ""

    @property
    def total(self) -> int:
        """Return how many there are."""
        return sum(count for _, count in self.by_ecosystem)


@dataclass(frozen=True, slots=True)
class IndicatorView:
    """One value that a rule tests for, and how many other rules do."""

    value: str
    triple: Count
    pair: Count
    anywhere: Count


@dataclass(frozen=True, slots=True)
class IndicatorGroup:
    """The values that one field is compared with in one way."""

    field: str
    canonical: str
    """The name that all vocabularies share; empty if it is the field's own."""
    op: str
    values: tuple[IndicatorView, ...]
    negated: bool = False
    """It must not hold."""


@dataclass(frozen=True, slots=True)
class InputView:
    """What a rule waits for, and in which logs."""

    scope: str
    vocabulary: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field that an alert of the rule shows, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class TestView:
    """A test that a rule carries."""

    name: str
    expects: str
    event: str


@dataclass(frozen=True, slots=True)
class CodeView:
    """A file of a rule, line by line."""

    name: str
    lines: tuple[Markup, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ConversionView:
    """A rule's condition in another language, or what of it cannot be said there."""

    language: str
    title: str
    code: CodeView | None
    lost: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelatedGroup:
    """Related rules of one kind."""

    title: str
    rules: tuple[Related, ...]


@dataclass(frozen=True, slots=True)
class RulePage:
    """All that the page shows."""

    entry: Entry
    coverage: tuple[tuple[Name | None, tuple[Name, ...]], ...]
    """Tactics of the matrix, each with its techniques."""
    azure: tuple[str, ...]
    """Tags of the Azure Threat Research Matrix."""
    inputs: tuple[InputView, ...]
    no_logic: str
    """Why there is none."""
    stage: str
    suppression: str
    running: tuple[tuple[str, str], ...]
    """How its author has it run: titles and texts."""
    query: CodeView | None
    """The query in its own language, where it stands apart in the file."""
    conversions: tuple[ConversionView, ...]
    indicators: tuple[IndicatorGroup, ...]
    more_indicators: int
    output: tuple[OutputField, ...]
    related: tuple[RelatedGroup, ...]
    guide: Markup
    setup: Markup
    tests: tuple[TestView, ...]
    more_tests: int
    code: tuple[CodeView, ...]
    upstream: str | None = None
    """Where its file can be seen at its source."""

    @property
    def contents(self) -> tuple[tuple[str, str, bool], ...]:
        """Return anchors of the sections, their titles, and whether they are there."""
        return (
            ("logic", "Logic", True),
            ("convert", "Other languages", bool(self.conversions)),
            ("indicators", "Indicators", bool(self.indicators)),
            ("output", "Output", bool(self.output)),
            ("attack", "ATT&CK", bool(self.coverage or self.azure)),
            ("related", "Related", bool(self.related)),
            ("false-positives", "False positives", bool(self.rule.false_positives)),
            ("guide", "Guide", bool(self.guide)),
            ("setup", "Setup", bool(self.setup)),
            ("tests", "Tests", bool(self.tests)),
            ("references", "References", bool(self.rule.references)),
            ("raw", "Raw", bool(self.code)),
        )

    @property
    def rule(self) -> Rule:
        """Return the rule."""
        return self.entry.rule


def make_rule_page(entry: Entry, corpus: Corpus) -> RulePage:
    """Make the page of one entry of a corpus."""
    rule = entry.rule
    sought = sum(max(len(one.values), 1) for one in entry.indicators)
    tests = list(_tests(rule))
    inputs, no_logic = _inputs(rule)
    return RulePage(
        entry=entry,
        coverage=tuple(_coverage(rule)),
        azure=tuple(tag for tag in rule.tags if tag.upper().startswith("AZT")),
        inputs=inputs,
        no_logic=no_logic,
        stage=describe_stage(rule.stage) if rule.stage else "",
        suppression=describe_suppression(rule.suppression) if rule.suppression else "",
        running=tuple(_running(rule)),
        query=_query(rule),
        conversions=tuple(_conversions(rule)),
        indicators=tuple(_groups(entry, corpus)),
        more_indicators=max(sought - MOST_INDICATORS, 0),
        output=tuple(_output(rule)),
        related=tuple(_related(corpus.related(entry))),
        guide=render_markdown(rule.guide) if rule.guide else Markup(),
        setup=render_markdown(rule.setup) if rule.setup else Markup(),
        tests=tuple(tests[:MOST_TESTS]),
        more_tests=max(len(tests) - MOST_TESTS, 0),
        code=tuple(map(_code, raw_texts(rule))),
        upstream=upstream_of(rule),
    )


def _coverage(rule: Rule) -> Iterator[tuple[Name | None, tuple[Name, ...]]]:
    tactics: dict[Name | None, list[Name]] = {}
    for tactic, technique in attack_places(rule.attack):
        tactics.setdefault(tactic, []).extend([technique] if technique else [])
    return ((tactic, tuple(techniques)) for tactic, techniques in tactics.items())


def _inputs(rule: Rule) -> tuple[tuple[InputView, ...], str]:
    if not rule.inputs:
        return (), "; ".join(rule.reasons) or "the rule names no condition"
    if rule.confirm and all(one.condition == TRUE for one in rule.inputs):
        return (), f"its Python decides, on events of {rule.inputs[0].scope}"
    try:
        views = tuple(
            InputView(str(one.scope), one.vocabulary, tuple(logic_rows(one.condition)))
            for one in rule.inputs
        )
    except RecursionError:
        return (), "its condition nests deeper than can be drawn"
    return views, ""


def _groups(entry: Entry, corpus: Corpus) -> Iterator[IndicatorGroup]:
    left = MOST_INDICATORS
    for one, counts in corpus.counts(entry):
        shown = counts[: max(left, 0)]
        left -= len(shown)
        if shown:
            other = one.canonical if fold(one.canonical) != fold(one.field) else ""
            op = OPERATORS.get(one.op, one.op)
            views = tuple(_indicator(one, each) for each in shown)
            yield IndicatorGroup(one.field, other, op, views, negated=one.negated)


def _indicator(one: Indicator, counts: Counts) -> IndicatorView:
    value = counts.value
    if len(value) > LONGEST_VALUE:
        value = f"{value[:LONGEST_VALUE]}… {len(value) - LONGEST_VALUE:,} more characters"
    return IndicatorView(
        value,
        _count(counts.same, _asked(f"{one.field}|{one.op}|{counts.value}")),
        _count(counts.same_canonical, _asked(f"{one.canonical}|*|{counts.value}")),
        _count(counts.same_value, value_query(counts.value)),
    )


def _asked(test: str) -> str:
    quoted = quote(test)
    return f"indicator:{quoted}" if quoted else ""


def _count(counts: Mapping[str, int], query: str) -> Count:
    return Count(tuple(counts.items()), query if counts else "")


def _output(rule: Rule) -> Iterator[OutputField]:
    """Yield the fields that the rule's author wants shown, and those that its stage reads."""
    seen: set[str] = set()
    for name, why in _output_names(rule):
        if name and name not in seen:
            seen.add(name)
            yield OutputField(name, why)


def _output_names(rule: Rule) -> Iterator[tuple[str, str]]:
    match rule.stage:
        case NewTerms(fields, _):
            yield from ((name, "new term") for name in fields)
        case Threshold(fields, _, _, distinct):
            yield from ((name, "group") for name in fields)
            if distinct:
                yield distinct.field, "counted values"
        case IndicatorMatch(any_of, _):
            for one in (one for all_of in any_of for one in all_of):
                yield one.field, f"compared with {one.indicator_field}"
    if rule.suppression:
        yield from ((name, "suppression") for name in rule.suppression.fields)
    yield from ((name, "look at first") for name in rule.investigation_fields)
    own = traits.document(rule)
    yield from ((name, "summary") for name in traits.texts(own.get("SummaryAttributes")))
    if rule.ecosystem == "sigma":
        yield from ((name, "named by the author") for name in _sigma_fields(rule))


def _sigma_fields(rule: Rule) -> tuple[str, ...]:
    from tocsin.yamltext import read_yaml

    for raw in raw_texts(rule)[:1]:
        if "\nfields:" in raw.text:
            try:
                data = read_yaml(raw.text)
            except ValueError:
                return ()
            return traits.texts(data.get("fields")) if isinstance(data, dict) else ()
    return ()


def _running(rule: Rule) -> Iterator[tuple[str, str]]:
    own = traits.document(rule)
    schedule = rule.schedule
    yield "Rule type", rule.kind.replace("_", " ")
    version = traits.part_of(rule, "rule").get("version")
    if isinstance(version, int | str):
        yield "Version", str(version)
    if schedule:
        until = f", up to {span(schedule.until)} before the run" if schedule.until else ""
        yield "Runs every", span(schedule.every)
        searched = traits.part_of(rule, "rule").get("from")
        start = f" (from {searched})" if isinstance(searched, str) else ""
        yield "Looks at", f"the last {span(schedule.window)}{until}{start}"
        yield "Time field", ", else ".join(schedule.time_fields)
        yield "Maximum alerts", f"{schedule.max_alerts:,} per run"
    yield from (("Index patterns", name) for name in [", ".join(traits.indices(rule))] if name)
    for title, key, unit in _PANTHER_SETTINGS:
        if own.get(key) is not None and not isinstance(own[key], dict | list):
            yield title, f"{own[key]}{unit}"
    if isinstance(timing := own.get("Schedule"), dict):
        yield "Schedule", ", ".join(f"{key} {value}" for key, value in timing.items())


_PANTHER_SETTINGS = (
    ("Alerts are one for", "DedupPeriodMinutes", " minutes"),
    ("Threshold", "Threshold", " matches"),
    ("Lookback", "LookbackWindowMinutes", " minutes"),
)


def _query(rule: Rule) -> CodeView | None:
    query = traits.part_of(rule, "rule").get("query")
    if not isinstance(query, str) or not query.strip():
        return None
    language = str(traits.part_of(rule, "rule").get("language") or "")
    return _code(RawText(_LANGUAGES.get(language, language), "text", query.strip("\n")))


_LANGUAGES = {"kuery": "KQL", "eql": "EQL", "esql": "ES|QL", "lucene": "Lucene"}


def _code(raw: RawText) -> CodeView:
    lines, more = code_lines(raw.text, raw.language)
    return CodeView(raw.name, tuple(lines), more)


def _related(found: Sequence[Related]) -> Iterator[RelatedGroup]:
    for kind in (VERSIONS, OPERATIONS, TWINS, TESTS, TECHNIQUES):
        of_it = tuple(one for one in found if one.kind == kind)
        if of_it:
            yield RelatedGroup(kind, of_it)


def _conversions(rule: Rule) -> Iterator[ConversionView]:
    """Yield a rule's condition in the languages that it is not written in."""
    if not rule.inputs or rule.confirm:
        return
    own = "kql" if traits.part_of(rule, "rule").get("language") == "kuery" else rule.ecosystem
    for language in LANGUAGES:
        if language == own:
            continue
        try:
            found = convert(rule, language)
        except (CannotSay, RecursionError):
            continue
        code = found.text and _code(RawText(language, CODE.get(language, "text"), found.text))
        lost = tuple(f"{one.part}: {one.reason}" for one in found.lost)
        title = TITLES.get(language, language)
        yield ConversionView(language, title, code or None, lost, (*found.beside, *found.notes))


TITLES: Mapping[str, str] = {"sigma": "Sigma", "kql": "KQL", "sql": "DuckDB SQL"}
CODE: Mapping[str, str] = {"sigma": "yaml", "sql": "sql"}


def _tests(rule: Rule) -> Iterator[TestView]:
    for test in traits.tests_of(rule):
        expects = "alert" if test.get("ExpectedResult") is True else "no alert"
        event = test.get("Log", test.get("Resource", test.get("RuleOutputs")))
        yield TestView(str(test.get("Name") or "no name"), expects, _json(event))
    yield from _cases(rule)


def _cases(rule: Rule) -> Iterator[TestView]:
    from tocsin.errors import TocsinError
    from tocsin.rules.cases import load_case_file
    from tocsin.rules.traits import case_file

    path = case_file(rule.path)
    if path is None:
        return
    try:
        cases = load_case_file(path).cases
    except TocsinError:
        return
    for case in cases:
        alerts = len(case.alerts)
        expects = f"{alerts} alerts" if alerts > 1 else "alert" if alerts else "no alert"
        events = case.events[0] if len(case.events) == 1 else list(case.events)
        yield TestView(case.name, expects, _json(events))


def _json(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    cut = len(text) - LONGEST_TEST
    return f"{text[:LONGEST_TEST]}\n… {cut:,} more characters" if cut > 0 else text


def attack_link(name: Name) -> str:
    """Return the address of what a name stands for at MITRE; empty if ATT&CK does not know it."""
    return attack_url(name) if name.name else ""
