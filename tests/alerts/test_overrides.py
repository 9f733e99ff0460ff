"""What an event's own fields say in an alert in place of its rule."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tocsin
from tocsin.alerts.model import Alert
from tocsin.rules.model import Overrides, RiskFrom, Rule, Severity, SeverityFrom


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Rule:
    path: Path = tmp_path_factory.mktemp("rules") / "rule.yml"
    path.write_text(
        "title: Needle\nlevel: medium\nlogsource: {product: acme, service: web}\n"
        "detection: {s: {mark: needle}, condition: s}\n"
    )
    (rule,) = tocsin.load_rules(path)
    return rule


def alert(rule: Rule, overrides: Overrides, **fields: Any) -> Alert:
    rule = replace(rule, overrides=overrides)
    (found,) = tocsin.scan([{"mark": "needle", **fields}], [rule], log_type="acme//web")
    return found


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        pytest.param({"message": "Door open"}, "Door open", id="the-value-of-the-field"),
        pytest.param({"message": ["Door", "Gate"]}, "Door", id="the-first-of-several"),
        pytest.param({"message": 5}, "5", id="a-number-as-text"),
        pytest.param({"message": ""}, "Needle", id="an-empty-value-is-none"),
        pytest.param({"message": None}, "Needle", id="null-is-none"),
        pytest.param({}, "Needle", id="without-the-field"),
    ],
)
def test_title(plain: Rule, fields: dict[str, Any], title: str) -> None:
    assert alert(plain, Overrides(name="message"), **fields).title == title


SEVERITIES = (
    SeverityFrom("event.severity", "73", Severity.HIGH),
    SeverityFrom("event.severity", "21", Severity.LOW),
    SeverityFrom("kind", "bad", Severity.CRITICAL),
)


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        pytest.param({"event": {"severity": 73}}, Severity.HIGH, id="a-number"),
        pytest.param({"event": {"severity": "73"}}, Severity.HIGH, id="a-number-as-text"),
        pytest.param({"event": {"severity": 73.9}}, Severity.HIGH, id="rounded-down"),
        pytest.param({"event": {"severity": 21}}, Severity.LOW, id="also-below-the-rule"),
        pytest.param({"kind": ["good", "bad"]}, Severity.CRITICAL, id="any-of-several-values"),
        pytest.param(
            {"event": {"severity": 21}, "kind": "bad"}, Severity.CRITICAL, id="the-highest-wins"
        ),
        pytest.param({"kind": "BAD"}, Severity.MEDIUM, id="case-matters"),
        pytest.param({"event": {"severity": 99}}, Severity.MEDIUM, id="a-value-that-is-not-listed"),
    ],
)
def test_severity(plain: Rule, fields: dict[str, Any], severity: Severity) -> None:
    found = alert(plain, Overrides(severity=SEVERITIES), **fields)
    assert found.severity is severity
    assert found.rule.severity is Severity.MEDIUM


RISKS = (RiskFrom("score"), RiskFrom("kind", "bad", 90))


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        pytest.param({"score": 55}, 55, id="the-field's-number"),
        pytest.param({"score": "55.9"}, 55, id="as-text-rounded-down"),
        pytest.param({"score": 101}, 47, id="above-a-hundred-is-none"),
        pytest.param({"score": -1}, 47, id="below-zero-is-none"),
        pytest.param({"score": "high"}, 47, id="no-number"),
        pytest.param({"kind": "bad"}, 90, id="the-score-of-a-value"),
        pytest.param({"score": 1, "kind": "bad"}, 1, id="the-first-that-holds"),
    ],
)
def test_risk_score(plain: Rule, fields: dict[str, Any], score: int) -> None:
    assert alert(plain, Overrides(risk_score=RISKS), **fields).risk_score == score


def test_the_guide_names_what_the_event_has(plain: Rule) -> None:
    rule = replace(plain, guide="Ask {{ user.name }} and {{host}}; see {{missing}}.")
    found = alert(rule, Overrides(), user={"name": ["ann", "bob"]}, host="pc")
    assert found.guide == "Ask ann, bob and pc; see {{missing}}."
