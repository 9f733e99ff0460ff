"""Every field that KQL rules of Elastic for Azure read is a name of what they select."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from azure_records import SAMPLES

from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.mapping import ABSENT, All
from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.elastic.kql.types import ecs_type
from tocsin.rules.model import Indices, Input, Rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOOKED_UP = {"source.as.number", "source.as.organization.name", "source.geo.country_name"}
"""What Elastic looks up by address; read where the record has it."""
PARSED = {"user_agent.name", "user_agent.version", "user_agent.os.name"}
"""What Elastic parses the user agent for."""
ELSEWHERE = {"http.request.body.content", "url.password", "http.response.status_code"}
ELSEWHERE |= {"http.request.method", "url.path"}
"""Of rules for web traffic, which azure.application_gateway is one of many sources of."""
STREAMS = {
    "azure.activitylogs": "azure.activity",
    "azure.auditlogs": "entra.audit",
    "azure.signinlogs": "entra.signin",
    "azure.identityprotection": "entra.risk",
    "azure.platformlogs": "azure.platform",
    "azure.graphactivitylogs": "azure.graphactivity",
    "azure.aadgraphactivitylogs": "azure.aadgraphactivity",
}
WITHOUT_MATCH = {"entra.audit"}
"""Samples that no rule is about."""
COMMON = """
    event.action event.kind event.module event.dataset data_stream.type
    data_stream.dataset data_stream.namespace @timestamp source.ip source.address client.ip
    related.ip cloud.provider cloud.account.id cloud.resource_id azure.tenant_id azure.tenant.id
    azure.correlation_id azure.resource.id azure.resource.name azure.resource.group
    azure.resource.provider azure.subscription_id
"""
LOG_TYPES = {one.name: one for one in shipped_log_types()}


def fields_of(rule: dict) -> set[str]:
    """Return the fields of a rule's query, of its terms and thresholds and of its suppression."""
    found: set[str] = set()
    if rule.get("language") == "kuery":
        found.update(lower(parse(rule["query"]), ecs_type, NOW).names)
    threshold = rule.get("threshold", {})
    found.update(rule.get("new_terms", {}).get("value", []))
    found.update(threshold.get("field", []))
    found.update(one["field"] for one in threshold.get("cardinality", []))
    found.update(rule.get("alert_suppression", {}).get("group_by", []))
    return found


@pytest.fixture(scope="module")
def rules(elastic_corpus: Path) -> list[tuple[str, dict]]:
    found = []
    for path in sorted(elastic_corpus.rglob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        if "azure" in content.get("metadata", {}).get("integration", []):
            found.append((path.name, content["rule"]))
    return found


def knows(shape: Shape, name: str) -> bool:
    return shape.expression("ecs", name) not in (ABSENT, All(()))


def raw_shapes(log_type: LogType) -> list[Shape]:
    return [shape for shape in log_type.shapes if shape.name in {"diagnostic", "log_analytics"}]


def test_every_field_of_rules_for_one_stream_is_a_name_of_it(rules) -> None:
    unknown = set()
    for name, rule in rules:
        for field in fields_of(rule) - LOOKED_UP - PARSED - ELSEWHERE:
            prefix = next((one for one in STREAMS if field.startswith(f"{one}.")), None)
            asked = [LOG_TYPES[STREAMS[prefix]]] if prefix else selected(rule)
            unknown.update(
                (name, field, log_type.name)
                for log_type in asked
                if not any(knows(shape, field) for shape in raw_shapes(log_type))
            )
    assert not unknown


def selected(rule: dict) -> list[LogType]:
    """Return the log types of Azure that a rule's index patterns select, if they are of one."""
    patterns = tuple(rule.get("index", []))
    streams = [one for one in patterns if one.startswith("logs-azure.")]
    return [
        log_type
        for log_type in map(LOG_TYPES.get, STREAMS.values())
        if log_type and not log_type.documents and log_type.select_indices(tuple(streams))
    ]


def test_every_rule_for_azure_selects_a_log_type(rules) -> None:
    for name, rule in rules:
        patterns = tuple(rule.get("index", []))
        if patterns:
            chosen = [one.name for one in LOG_TYPES.values() if one.select_indices(patterns)]
            assert chosen, name


def test_every_shape_of_azure_has_the_names_of_the_common_schema() -> None:
    common = COMMON.split()
    for log_type in map(LOG_TYPES.__getitem__, STREAMS.values()):
        for shape in log_type.shapes:
            missing = [name for name in common if not knows(shape, name)]
            assert not missing, (log_type.name, shape.name)


@pytest.mark.parametrize("sample", SAMPLES)
def test_rules_match_alike_in_every_shape(sample: str, queries: list[Rule]) -> None:
    matcher = Matcher(shipped_log_types(), lambda *of: compile_plan(queries, *of))
    records = {
        name: record for name, record in SAMPLES[sample][0].items() if "managed HSM" not in name
    }
    result = matcher.match(pa.array(map(json.dumps, records.values())))
    found = {
        name: {match.input.rule for match in result.matches if match.row == row}
        for row, name in enumerate(records)
    }
    assert len(set(map(frozenset, found.values()))) == 1
    assert any(found.values()) or sample in WITHOUT_MATCH


@pytest.fixture(scope="module")
def queries(rules) -> list[Rule]:
    """Return the KQL queries of rules for Azure as rules."""
    found = []
    for name, rule in rules:
        if rule.get("language") == "kuery" and "index" in rule:
            condition = lower(parse(rule["query"]), ecs_type, NOW).condition
            one = Input(condition, Indices(tuple(rule["index"])), "ecs")
            found.append(Rule(name, name, "elastic", rule["type"], "p", name, "", (one,)))
    return found
