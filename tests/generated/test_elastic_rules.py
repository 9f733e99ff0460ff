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
from generated.elastic import DOCUMENT, ELSEWHERE, POSITIVE, RAW, azure_rules, make_probes
from generated.kql_reading import matches

NETWORK = "the network of an address is nothing that the record tells: Elastic looks it up"
UNREACHABLE = {
    "collection_graph_email_access_by_unusual_public_client_via_graph": NETWORK,
    "execution_azure_vm_extension_crud_unusual_source": NETWORK,
    "execution_compute_vm_command_executed": NETWORK,
    "initial_access_aad_graph_unusual_asn": NETWORK,
    "lateral_movement_azure_vm_serial_console_connect": NETWORK,
    "persistence_entra_id_conditional_access_policy_modified": NETWORK,
    "impact_azure_compute_restore_point_collections_deleted": (
        "it counts azure.activitylogs.resource.id, where Elastic has azure.resource.id"
    ),
    "initial_access_splunk_postgres_recovery_body_injection": (
        "names of requests to an application gateway are not read in Azure's records"
    ),
}
"""Rules that no record as Azure exports it raises, and why."""
START = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
APART = timedelta(days=30)
"""Longer than any rule remembers: no probe has a part in what another raises."""
TIMES = {"raw": "time", "document": "@timestamp"}
SAMPLED = 1
"""One event of so many is held against every rule."""
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
            for minute, record in enumerate(records):
                time = START + number * APART + minute * timedelta(seconds=10)
                self.texts.append(json.dumps({TIMES[probe.form]: time.isoformat(), **record}))
                self.of.append((number, minute))

    def scan(self, rules):
        """Return for each probe which rules alert, and on which of its events."""
        result = tocsin.scan(self.texts, [rule.loaded for rule in rules], cold_start="alert")
        assert not result.unreadable
        raised = defaultdict(lambda: defaultdict(set))
        for alert in result:
            number, event = self.of[alert.event.line - 1]
            raised[number][alert.rule.id].add(event)
        return raised


def shown(probe, raised):
    what = "raised nothing" if probe.expected else "raised an alert"
    return f"{probe.rule.name} ({probe.form}, {probe.kind}) {what}: {json.dumps(probe.records[0])}"


def wrong(probes, raised):
    """Yield what a rule did not do on its own events that it should, or did."""
    for number, probe in enumerate(probes):
        found = raised[number].get(probe.rule.loaded.id, set())
        if bool(found) != probe.expected:
            yield shown(probe, raised)
        elif probe.expected and probe.rule.kind == "new_terms" and found != {0}:
            yield f"again: {shown(probe, raised)}"


def wrong_elsewhere(probes, raised, rules, form):
    """Yield what rules do on a sample of events that were made for others."""
    single = [rule for rule in rules if rule.kind != "threshold"]
    for number, probe in list(enumerate(probes))[::SAMPLED]:
        if probe.kind != ELSEWHERE and len(probe.records) == 1:
            event = form.event(probe.stream, probe.events[0])
            expected = {rule.name for rule in single if matches(rule.query, event)}
            found = {rule.name for rule in single if rule.loaded.id in raised[number]}
            if found != expected:
                yield f"{found ^ expected} on {shown(probe, raised)}"


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
    assert unmade == (UNREACHABLE.keys() if form is RAW else set())
    assert not list(islice(wrong(probes, raised), SHOWN))
    assert not list(islice(wrong_elsewhere(probes, raised, rules, form), SHOWN))


def test_x(rules):
    assert len(rules) == 109
