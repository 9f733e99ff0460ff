"""Rules that keep state: what was seen before, and how many there are."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tocsin
from tocsin.condition.tree import TRUE, Field, Op, Predicate
from tocsin.rules.model import Rule
from tocsin.rules.stages import (
    Comparison,
    Distinct,
    IndicatorMatch,
    NewTerms,
    Stage,
    Suppression,
    Threshold,
)

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG_BEFORE = {"mark": "other", "time": "2025-06-01T00:00:00Z"}
"""An event that no rule matches: logs begin with it."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Rule:
    path = tmp_path_factory.mktemp("rules") / "rule.yml"
    path.write_text(
        "title: Needle\nid: 9a5f6f0e-6a2a-4a61-9a8f-2b8c1d3c6c01\n"
        "logsource: {product: acme, service: web}\n"
        "detection: {s: {mark: needle}, condition: s}\n"
    )
    (rule,) = tocsin.load_rules(path)
    return rule


def staged(rule: Rule, stage: Stage | None, suppression: Suppression | None = None) -> Rule:
    return replace(rule, stage=stage, suppression=suppression, kind="staged")


def event(after: timedelta, **fields: Any) -> dict[str, Any]:
    return {"mark": "needle", "time": (START + after).isoformat(), **fields}


def scan(rule: Rule, records: Sequence[Mapping[str, Any]], **more: Any) -> Any:
    options = {"log_type": "acme//web", "cold_start": "alert"} | more
    return tocsin.scan([dict(one) for one in records], [rule], **options)


def lines(result: Any) -> list[int]:
    return [alert.event.line - 1 for alert in result]


class TestNewTerms:
    @pytest.fixture
    def rule(self, plain: Rule) -> Rule:
        return staged(plain, NewTerms(("user", "object"), 14 * DAY))

    @pytest.mark.parametrize(
        ("after", "fields", "alerts"),
        [
            pytest.param(DAY, {}, [0], id="the-same-terms-again-within-the-window-are-known"),
            pytest.param(14 * DAY, {}, [0], id="the-window-is-closed-at-its-beginning"),
            pytest.param(15 * DAY, {}, [0, 1], id="after-a-longer-silence-they-are-new"),
            pytest.param(DAY, {"object": "b"}, [0, 1], id="another-object-is-new"),
            pytest.param(DAY, {"user": "bob"}, [0, 1], id="another-user-is-new"),
            pytest.param(DAY, {"user": "ANN"}, [0, 1], id="case-matters"),
            pytest.param(DAY, {"user": None}, [0], id="a-null-has-no-terms"),
            pytest.param(DAY, {"object": []}, [0], id="an-empty-array-has-no-terms"),
            pytest.param(DAY, {"mark": "other", "object": "b"}, [0], id="what-does-not-match"),
            pytest.param(timedelta(0), {}, [0], id="of-two-at-the-same-time-the-first-is-new"),
        ],
    )
    def test_what_is_new(
        self, rule: Rule, after: timedelta, fields: dict[str, Any], alerts: list[int]
    ) -> None:
        known = event(timedelta(0), user="ann", object="a")
        assert lines(scan(rule, [known, {**known, **event(after), **fields}])) == alerts

    def test_each_sighting_moves_the_window_on(self, rule: Rule) -> None:
        records = [event(day * DAY, user="ann", object="a") for day in (0, 10, 20, 30, 45)]
        assert lines(scan(rule, records)) == [0, 4]

    def test_arrays_give_every_combination(self, rule: Rule) -> None:
        records = [
            event(0 * DAY, user="ann", object="a"),
            event(1 * DAY, user=["ann", "bob"], object=["a", "b"]),
        ]
        result = scan(rule, records)
        assert [alert.stage.terms for alert in result] == [
            (("user", "ann"), ("object", "a")),
            (("user", "ann"), ("object", "b")),
            (("user", "bob"), ("object", "a")),
            (("user", "bob"), ("object", "b")),
        ]
        assert len({alert.id for alert in result}) == 4

    def test_events_in_any_order_give_the_same_alerts(self, rule: Rule) -> None:
        records = [event(day * DAY, user="ann", object="a") for day in (0, 10, 30)]
        ids = {alert.id for alert in scan(rule, records)}
        assert {alert.id for alert in scan(rule, records[::-1])} == ids
        assert len(ids) == 2

    def test_an_event_without_time_is_counted_and_left_out(self, rule: Rule) -> None:
        record = event(DAY, user="ann", object="a") | {"time": "soon"}
        result = scan(rule, [record])
        assert lines(result) == []
        assert result.summary.timeless == 1


class TestHistory:
    @pytest.fixture
    def rule(self, plain: Rule) -> Rule:
        return staged(plain, NewTerms(("user",), 14 * DAY))

    def test_what_begins_too_late_is_counted_and_not_alerted(self, rule: Rule) -> None:
        records = [event(0 * DAY, user="ann"), event(3 * DAY, user="bob")]
        result = scan(rule, records, cold_start="count")
        assert lines(result) == []
        ((of, cold),) = result.summary.cold
        assert (of, cold.count) == (rule, 2)
        assert str(cold.longest) == "history incomplete (3 of 14 days)"

    def test_or_alerted_and_marked(self, rule: Rule) -> None:
        records = [event(0 * DAY, user="ann"), event(3 * DAY, user="bob")]
        notes = [str(alert.stage.history) for alert in scan(rule, records)]
        assert notes == ["history incomplete (0 of 14 days)", "history incomplete (3 of 14 days)"]

    def test_history_counts_from_where_logs_begin(self, rule: Rule) -> None:
        result = scan(rule, [LONG_BEFORE, event(0 * DAY, user="ann")], cold_start="count")
        assert lines(result) == [1]
        assert result.alerts[0].stage.history is None

    def test_history_fills_the_state_and_raises_no_alert(self, rule: Rule, tmp_path: Path) -> None:
        past = [LONG_BEFORE, event(0 * DAY, user="ann")]
        (tmp_path / "past.json").write_text("\n".join(map(json.dumps, past)))
        records = [event(1 * DAY, user="ann"), event(1 * DAY, user="bob")]
        result = scan(rule, records, cold_start="count", history=[tmp_path / "past.json"])
        assert lines(result) == [1]
        assert result.summary.events.total() == 2
        assert result.summary.past.total() == 2

    def test_what_is_before_since_is_history(self, rule: Rule) -> None:
        records = [LONG_BEFORE, event(0 * DAY, user="ann"), event(1 * DAY, user="ann")]
        assert lines(scan(rule, records, since=START + DAY, cold_start="count")) == []

    def test_what_is_behind_until_is_not_seen(self, rule: Rule) -> None:
        records = [event(0 * DAY, user="ann"), event(1 * DAY, user="bob")]
        assert lines(scan(rule, records, until=START + DAY)) == [0]


def failures(count: int, user: str = "ann", step: float = 1.0) -> Iterator[dict[str, Any]]:
    for number in range(count):
        after = timedelta(seconds=step * number)
        yield event(after, user=user, source=f"10.0.0.{number % 7}", number=number)


class TestThreshold:
    WINDOW = timedelta(minutes=5)

    def rule(self, plain: Rule, count: int, **more: Any) -> Rule:
        return staged(plain, Threshold(**{"fields": ("user",), "count": count} | more))

    def test_many_are_one_alert_with_their_number(self, plain: Rule) -> None:
        rule = self.rule(plain, 10, window=self.WINDOW)
        (alert,) = scan(rule, list(failures(10_000, step=0.03)))
        assert alert.count == 10_000
        assert alert.event.line == 10
        assert [one.line for one in alert.events] == list(range(1, 11))
        assert alert.stage.terms == (("user", "ann"),)
        assert alert.last - alert.first == timedelta(seconds=299.97)

    @pytest.mark.parametrize("batch", [1, 7, 1000])
    def test_batches_change_nothing(self, plain: Rule, batch: int, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("\n".join(map(json.dumps, failures(50))))
        rule = self.rule(plain, 10, window=self.WINDOW)
        one = tocsin.scan(log, [rule], log_type="acme//web")
        from tocsin.outputs.objects import ObjectsOutput
        from tocsin.run.log_types import choose_log_types
        from tocsin.run.quarantine import Quarantine
        from tocsin.run.scan import ScanOptions
        from tocsin.run.scan import scan as scan_files

        output = ObjectsOutput()
        options = ScanOptions([rule], choose_log_types("acme//web"), rows=batch)
        scan_files([log], options, output, Quarantine())
        assert [(a.id, a.count) for a in output.alerts] == [(a.id, a.count) for a in one]

    def test_too_few_are_none(self, plain: Rule) -> None:
        assert lines(scan(self.rule(plain, 11, window=self.WINDOW), list(failures(10)))) == []

    def test_too_far_apart_are_none(self, plain: Rule) -> None:
        rule = self.rule(plain, 3, window=timedelta(seconds=10))
        assert lines(scan(rule, list(failures(9, step=6)))) == []

    def test_the_window_is_closed_at_both_ends(self, plain: Rule) -> None:
        rule = self.rule(plain, 3, window=timedelta(seconds=10))
        assert lines(scan(rule, list(failures(3, step=5)))) == [2]

    def test_groups_are_counted_by_themselves(self, plain: Rule) -> None:
        records = [*failures(4, "ann"), *failures(6, "bob"), *failures(4, "eve")]
        result = scan(self.rule(plain, 5, window=self.WINDOW), records)
        assert [alert.stage.terms for alert in result] == [(("user", "bob"),)]

    def test_without_fields_all_are_one_group(self, plain: Rule) -> None:
        records = [*failures(4, "ann"), *failures(6, "bob")]
        (alert,) = scan(self.rule(plain, 10, fields=(), window=self.WINDOW), records)
        assert alert.stage.terms == ()

    def test_a_record_without_the_field_is_left_out(self, plain: Rule) -> None:
        records = [{**one, "user": None} for one in failures(10)]
        assert lines(scan(self.rule(plain, 5, window=self.WINDOW), records)) == []

    def test_distinct_values_are_counted_too(self, plain: Rule) -> None:
        for wanted, found in ((7, [6]), (8, [])):
            distinct = Distinct("source", wanted)
            rule = self.rule(plain, 1, window=self.WINDOW, distinct=distinct)
            result = scan(rule, list(failures(20)))
            assert lines(result) == found
            assert all(alert.stage.distinct == ("source", 7) for alert in result)

    def test_distinct_values_leave_with_their_window(self, plain: Rule) -> None:
        distinct = Distinct("number", 4)
        window = timedelta(seconds=10)
        rule = self.rule(plain, 1, window=window, distinct=distinct)
        assert lines(scan(rule, list(failures(20, step=5)))) == []
        assert lines(scan(rule, list(failures(20, step=3)))) == [3, 10, 17]

    def test_a_group_that_is_never_complete_may_be_large(self, plain: Rule) -> None:
        rule = self.rule(plain, 1, window=DAY, distinct=Distinct("source", 8))
        assert lines(scan(rule, list(failures(20_000)))) == []

    def test_matches_of_the_past_count_and_are_quoted(self, plain: Rule) -> None:
        rule = self.rule(plain, 5, window=self.WINDOW)
        (alert,) = scan(rule, list(failures(5)), since=START + timedelta(seconds=4))
        assert (alert.count, [one.line for one in alert.events]) == (5, [1, 2, 3, 4, 5])

    def test_counting_begins_anew_when_the_window_is_over(self, plain: Rule) -> None:
        rule = self.rule(plain, 3, window=timedelta(seconds=10))
        result = scan(rule, list(failures(30, step=1)))
        assert [(alert.event.line - 1, alert.count) for alert in result] == [
            (2, 13),
            (15, 13),
            (28, 4),
        ]

    def test_workers_change_nothing(self, plain: Rule, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("\n".join(map(json.dumps, failures(200))))
        rule = self.rule(plain, 10, window=self.WINDOW)
        results = [
            [
                (one.id, one.count)
                for one in tocsin.scan(log, [rule], log_type="acme//web", workers=n)
            ]
            for n in (1, 2)
        ]
        assert results[0] == results[1] != []


class TestSuppression:
    def suppressed(self, plain: Rule, *, missing_is_a_value: bool = True) -> Rule:
        one = Suppression(("user",), timedelta(minutes=1), missing_is_a_value)
        return staged(plain, None, one)

    def test_one_alert_stands_for_others_for_a_while(self, plain: Rule) -> None:
        result = scan(self.suppressed(plain), list(failures(100)))
        assert [(one.event.line - 1, one.stage.suppression.count) for one in result] == [
            (0, 60),
            (61, 38),
        ]

    def test_values_are_told_apart(self, plain: Rule) -> None:
        records = [*failures(3, "ann"), *failures(3, "bob")]
        result = scan(self.suppressed(plain), records)
        assert [one.stage.suppression.terms for one in result] == [
            (("user", "ann"),),
            (("user", "bob"),),
        ]

    @pytest.mark.parametrize(("missing", "alerts"), [(True, [0]), (False, [0, 1, 2])])
    def test_missing_values(self, plain: Rule, missing: bool, alerts: list[int]) -> None:
        records = [{**one, "user": None} for one in failures(3)]
        result = scan(self.suppressed(plain, missing_is_a_value=missing), records)
        assert lines(result) == alerts

    def test_new_terms_are_suppressed_too(self, plain: Rule) -> None:
        rule = staged(
            plain, NewTerms(("number",), DAY), Suppression(("user",), timedelta(minutes=1))
        )
        assert lines(scan(rule, list(failures(10)))) == [0]


class TestIndicators:
    ITEMS = (
        (Comparison("source", "threat.indicator.ip"),),
        (Comparison("user", "threat.indicator.user"), Comparison("host", "threat.indicator.host")),
    )
    INDICATORS = (
        {"threat": {"indicator": {"ip": "10.0.0.1"}, "feed": {"name": "ours"}}, "type": "good"},
        {"threat.indicator.user": "ann", "threat.indicator.host": "pc", "type": "good"},
        {"threat.indicator.user": "bob", "type": "good"},
        {"threat.indicator.user": "eve", "threat.indicator.host": ["pc", "tv"], "type": "good"},
        {"threat": {"indicator": {"ip": "10.0.0.9"}}, "type": "bad"},
    )

    @pytest.fixture
    def rule(self, plain: Rule) -> Rule:
        condition = Predicate(Field(("type",)), Op.EQUALS, ("good",))
        return staged(plain, IndicatorMatch(self.ITEMS, ("indicators",), condition))

    @pytest.fixture
    def indicators(self, tmp_path: Path) -> Path:
        (tmp_path / "bad.ndjson").write_text("\n".join(map(json.dumps, self.INDICATORS)))
        return tmp_path / "bad.ndjson"

    @pytest.mark.parametrize(
        ("fields", "alerts"),
        [
            pytest.param({"source": "10.0.0.1"}, [0], id="the-same-value"),
            pytest.param({"source": "10.0.0.2"}, [], id="another-value"),
            pytest.param({"source": ["10.0.0.2", "10.0.0.1"]}, [0], id="one-of-several-values"),
            pytest.param({"user": "ann", "host": "pc"}, [0], id="all-comparisons-of-an-item"),
            pytest.param({"user": "ann", "host": "tv"}, [], id="only-one-of-an-item"),
            pytest.param({"user": "bob", "host": "pc"}, [], id="an-indicator-without-the-field"),
            pytest.param({"user": "eve", "host": "pc"}, [], id="an-indicator-with-several-values"),
            pytest.param({"source": "10.0.0.9"}, [], id="an-indicator-that-does-not-count"),
        ],
    )
    def test_what_meets_an_indicator(
        self, rule: Rule, indicators: Path, fields: dict[str, Any], alerts: list[int]
    ) -> None:
        result = scan(rule, [event(DAY, **fields)], indicators=[indicators])
        assert lines(result) == alerts

    def test_the_alert_quotes_the_indicator(self, rule: Rule, indicators: Path) -> None:
        (alert,) = scan(rule, [event(DAY, source="10.0.0.1")], indicators=[indicators])
        (found,) = alert.context["threat"]["enrichments"]
        assert found["indicator"] == {"ip": "10.0.0.1"}
        assert found["feed"] == {"name": "ours"}
        assert found["matched"] | {"id": ""} == {
            "atomic": "10.0.0.1",
            "field": "source",
            "id": "",
            "index": f"{indicators}:1",
            "type": "indicator_match_rule",
        }

    def test_a_negated_comparison_rules_an_indicator_out(
        self, plain: Rule, indicators: Path
    ) -> None:
        item = (
            Comparison("source", "threat.indicator.ip"),
            Comparison("kind", "type", negated=True),
        )
        rule = staged(plain, IndicatorMatch((item,), ("indicators",), TRUE))
        records = [event(DAY, source="10.0.0.1", kind=kind) for kind in ("good", "other")]
        assert lines(scan(rule, records, indicators=[indicators])) == [1]

    def test_without_indicators_the_rule_is_left_out_and_named(self, rule: Rule) -> None:
        result = scan(rule, [event(DAY, source="10.0.0.1")])
        assert lines(result) == []
        assert [one.key for one in result.summary.without_indicators] == [rule.key]

    def test_a_missing_file_is_named(self, rule: Rule, tmp_path: Path) -> None:
        result = scan(rule, [event(DAY)], indicators=[tmp_path / "none"])
        assert str(tmp_path / "none") in result.summary.problems[0]

    def test_a_condition_that_no_indicator_meets_is_said(
        self, plain: Rule, indicators: Path
    ) -> None:
        condition = Predicate(Field(("type",)), Op.EQUALS, ("other",))
        rule = staged(plain, IndicatorMatch(self.ITEMS, ("indicators",), condition))
        result = scan(rule, [event(DAY, source="10.0.0.1")], indicators=[indicators])
        assert result.summary.problems == ["Needle: none of 5 indicators meets its condition"]

    def test_numbers_of_the_indicator_are_written_as_they_were(
        self, plain: Rule, tmp_path: Path
    ) -> None:
        (tmp_path / "bad").write_text('{"threat": {"indicator": {"ip": "10.0.0.1", "port": 4.50}}}')
        rule = staged(plain, IndicatorMatch((self.ITEMS[0],), ("indicators",), TRUE))
        (record,) = scan(
            rule, [event(DAY, source="10.0.0.1")], indicators=[tmp_path / "bad"]
        ).records()
        (found,) = record["context"]["threat"]["enrichments"]
        assert found["indicator"]["port"] == 4.5


@pytest.mark.parametrize("workers", [1, 2])
def test_files_in_any_order_give_the_same_alerts(plain: Rule, workers: int, tmp_path: Path) -> None:
    rules = [
        staged(plain, NewTerms(("user",), 5 * DAY)),
        replace(
            staged(plain, Threshold(("user",), 3, timedelta(hours=30)), None),
            id="many",
            name="Many",
        ),
        replace(staged(plain, None, Suppression(("user",), 3 * DAY)), id="one", name="One"),
    ]
    chance = random.Random(7)
    files = []
    for day in range(30):
        records = [
            event(day * DAY + timedelta(hours=hour), user=f"user{chance.randrange(12)}")
            for hour in range(24)
        ]
        files.append(tmp_path / f"day-{day}.ndjson")
        files[-1].write_text("\n".join(map(json.dumps, records)))
    in_order = _found(files, rules, workers)
    assert len(in_order) > 100
    for _ in range(2):
        chance.shuffle(files)
        assert _found(files, rules, workers) == in_order


def _found(files: list[Path], rules: list[Rule], workers: int) -> list[tuple[str, int]]:
    result = tocsin.scan(files, rules, log_type="acme//web", cold_start="alert", workers=workers)
    return [(alert.id, alert.count) for alert in result]
