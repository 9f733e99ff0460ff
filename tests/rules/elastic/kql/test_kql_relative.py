"""Dates relative to now can be fixed later than a query is lowered, with the same result."""

from datetime import UTC, datetime

import pytest

from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.elastic.kql.relative import fix_dates
from tocsin.rules.elastic.kql.types import ecs_type

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
RELATIVE = {
    "from a bound on": '@timestamp >= "now-30d/d"',
    "up to a bound": "@timestamp < now-1h/h and host.name: a",
    "behind a bound": "not @timestamp > now/d",
    "within a unit": "@timestamp: now/d or event.created <= now",
    "in elements": "event: { created: now/M and code: 1 }",
}
FIXED = ["@timestamp >= 2026-01-01", 'host.name: "now"', "@timestamp: 2026-01 and a: b", ""]


@pytest.mark.parametrize("name", RELATIVE)
def test_a_date_is_fixed_as_if_now_had_been_known(name):
    query = parse(RELATIVE[name])
    kept = lower(query, ecs_type, None).condition
    known = lower(query, ecs_type, NOW).condition
    assert kept != known
    assert fix_dates(kept, NOW) == known


@pytest.mark.parametrize("text", FIXED)
def test_what_is_not_relative_stays_as_it_is(text):
    kept = lower(parse(text), ecs_type, None).condition
    assert kept == lower(parse(text), ecs_type, NOW).condition
    assert fix_dates(kept, NOW) is kept


def test_no_date_gives_a_warning_either_way():
    query = parse('@timestamp >= "now-30x" or @timestamp: soon')
    kept = lower(query, ecs_type, None)
    assert kept.warnings == lower(query, ecs_type, NOW).warnings
    assert len(kept.warnings) == 2
