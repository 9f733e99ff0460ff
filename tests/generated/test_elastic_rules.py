"""Every rule of Elastic for Azure that asks in KQL alerts on events that are made for it, and not
on near misses.

The events are made from an own reading of the query, written as Azure exports them and as Elastic's
agent indexes them, and scanned together with all these rules.
"""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

import tocsin
from generated.elastic import (
    DIFFERENT,
    DOCUMENT,
    ELSEWHERE,
    MISSING,
    POSITIVE,
    RAW,
    azure_rules,
    make_probes,
)
from generated.kql_reading import matches
from tocsin.condition.functions import fold
from tocsin.logs.load import shipped_log_types

AS = "source.as.number"
LOOKED_UP = "no record tells the network of an address: Elastic looks it up"
UNREACHABLE = {
    "collection_graph_email_access_by_unusual_public_client_via_graph": (AS, LOOKED_UP),
    "execution_azure_vm_extension_crud_unusual_source": (AS, LOOKED_UP),
    "execution_compute_vm_command_executed": (AS, LOOKED_UP),
    "initial_access_aad_graph_unusual_asn": (AS, LOOKED_UP),
    "lateral_movement_azure_vm_serial_console_connect": (AS, LOOKED_UP),
    "persistence_entra_id_conditional_access_policy_modified": (AS, LOOKED_UP),
    "impact_azure_compute_restore_point_collections_deleted": (
        "azure.activitylogs.resource.id",
        "the integration has azure.resource.id instead",
    ),
    "initial_access_splunk_postgres_recovery_body_injection": (
        "url.path",
        "what an application gateway logs is not read under names of ECS",
    ),
}
"""Rules that no record as Azure exports it raises: the name that is missing, and why it is."""
LOCKOUTS = "credential_access_entra_id_excessive_account_lockouts"
NEEDLESS = {
    "raw": {
        (LOCKOUTS, "event.outcome"): "the code that the rule wants tells it",
        ("discovery_azure_aks_api_request_failure_burst", "azure.resource.id"): "always there",
        ("initial_access_entra_id_protection_user_risk_detected", "event.action"): "any will do",
    },
    "document": {
        (LOCKOUTS, "azure.signinlogs.properties.user_principal_name"): "user.name is the same",
    },
}
"""Form → values of positive events that could not be otherwise, or need not be as they are."""
START = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
APART = timedelta(days=30)
"""Longer than any rule remembers: no probe has a part in what another raises."""
TIMES = {"raw": "time", "document": "@timestamp"}
SHOWN = 10


@pytest.fixture(scope="module")
def rules(elastic_corpus):
    rules = azure_rules(tocsin.load_rules(elastic_corpus))
    for rule in rules:
        stage = rule.loaded.stage
        assert stage is None or getattr(stage, "window", APART) < APART
    return rules


class Lines:
    """The events of probes, each probe long after the one before."""

    def __init__(self, probes):
        self.texts, self.of = [], []
        for number, probe in enumerate(probes):
            records = probe.records
            if probe.rule.kind == "new_terms" and probe.expected:
                records = records * 2
            for event, record in enumerate(records):
                time = START + number * APART + event * timedelta(seconds=10)
                self.texts.append(json.dumps({TIMES[probe.form]: time.isoformat(), **record}))
                self.of.append((number, event))

    def scan(self, rules):
        """Return for each probe which rules alert, and on which of its events."""
        result = tocsin.scan(self.texts, [rule.loaded for rule in rules], cold_start="alert")
        assert not result.unreadable
        raised = defaultdict(lambda: defaultdict(set))
        for alert in result:
            number, event = self.of[alert.event.line - 1]
            raised[number][alert.rule.id].add(event)
        return raised


def shown(probe):
    what = "raised nothing" if probe.expected else "raised an alert"
    return f"{probe.rule.name} ({probe.form}, {probe.kind}) {what}: {json.dumps(probe.records[0])}"


def wrong(probes, raised):
    """Yield what a rule did not do on its own events that it should, or did."""
    for number, probe in enumerate(probes):
        found = raised[number].get(probe.rule.loaded.id, set())
        if bool(found) != probe.expected:
            yield shown(probe)
        elif probe.expected and probe.rule.kind == "new_terms" and found != {0}:
            yield f"again: {shown(probe)}"


def wrong_elsewhere(probes, raised, rules, form):
    """Yield what rules do on events that were made for others."""
    single = [rule for rule in rules if rule.kind != "threshold"]
    for number, probe in enumerate(probes):
        if probe.kind != ELSEWHERE and len(probe.records) == 1:
            event = form.event(probe.stream, probe.events[0])
            expected = {rule.name for rule in single if matches(rule.query, event)}
            found = {rule.name for rule in single if rule.loaded.id in raised[number]}
            if found != expected:
                yield f"{found ^ expected} on {shown(probe)}"


def unbroken(of_rule):
    """Yield values of positive events for which no near miss has another one, or none."""
    kinds = {MISSING, DIFFERENT}
    misses = [probe for probe in of_rule if probe.kind in kinds and not probe.expected]
    for positive in (probe for probe in of_rule if probe.kind == POSITIVE):
        wanted = positive.events[0]
        misses_here = [probe.events[0] for probe in misses if probe.stream is positive.stream]
        for name in wanted:
            if not any(differing(wanted, miss) == {name} for miss in misses_here):
                yield positive.rule.name, name


def differing(wanted, event):
    return {name for name, value in wanted.items() if event.get(name) != value}


@pytest.mark.parametrize("form", [RAW, DOCUMENT], ids=lambda form: form.name)
def test_every_rule_alerts_on_its_events_and_on_nothing_near_them(rules, form, count):
    made = {rule: make_probes(rule, form) for rule in rules}
    probes = [probe for of_rule in made.values() for probe in of_rule]
    raised = Lines(probes).scan(rules)
    kinds = Counter(probe.kind for probe in probes if not probe.expected)
    alerting = sum(probe.expected for probe in probes)
    count(
        f"Elastic, {form.name}",
        Counter({"must alert": alerting, "must not": len(probes) - alerting}) + kinds,
    )
    unmade = {
        rule.name
        for rule, of_rule in made.items()
        if {probe.expected for probe in of_rule} != {True, False}
        or not any(probe.kind == POSITIVE for probe in of_rule)
    }
    assert {one for of_rule in made.values() for one in unbroken(of_rule)} == {*NEEDLESS[form.name]}
    assert unmade == (UNREACHABLE.keys() if form is RAW else set())
    assert not list(islice(wrong(probes, raised), SHOWN))
    assert not list(islice(wrong_elsewhere(probes, raised, rules, form), SHOWN))


def exported_shapes(rule):
    """Return the shapes of a rule's logs other than documents."""
    patterns = tuple(one for one in rule.fields["index"] if one.startswith("logs-azure"))
    chosen = [one for one in shipped_log_types() if one.select_indices(patterns)]
    return [shape for one in chosen for shape in one.shapes if not is_of_documents(shape)]


def is_of_documents(shape):
    return any(not family.prefix for family in shape.families.get("ecs", ()))


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_rule_out_of_reach_asks_for_what_no_record_has(rules, name):
    """No shape declares it, or it is looked up in a database that the user names."""
    (rule,) = (rule for rule in rules if rule.name == name)
    missing, _ = UNREACHABLE[name]
    assert missing in json.dumps(rule.fields)
    assert exported_shapes(rule)
    for shape in exported_shapes(rule):
        declared = shape.names.get("ecs", {}).get(fold(missing))
        assert declared is None or "geoip" in repr(declared), shape.name


def test_the_rules_are_those_for_azure_in_kql(rules):
    assert Counter(rule.kind for rule in rules) == {"query": 69, "new_terms": 35, "threshold": 5}
