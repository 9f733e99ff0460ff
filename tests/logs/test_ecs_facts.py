"""Records of Azure under the names of the Elastic Common Schema, in every shape they are met in."""

import json

import pytest
from azure_records import SAMPLES, TIME
from ecs_facts import FACTS, SIGN_IN_FACTS
from seeing import kinds, parse, view

from tocsin.condition.evaluate import holds
from tocsin.condition.functions import apply
from tocsin.condition.tree import Call, Field
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import EVERY_EVENT
from tocsin.logs.view import RecordView, identify

LEAVES = (Call("text"),)
STREAMS = {"azure.activity": "activitylogs", "entra.signin": "signinlogs"}
STREAMS |= {"entra.audit": "auditlogs", "entra.risk": "identityprotection"}
ALIKE = """event.outcome event.dataset event.module event.category event.type source.ip
    data_stream.dataset data_stream.type data_stream.namespace azure.correlation_id
    azure.correlation.id cloud.provider event.kind"""
"""Names that read alike in every shape."""
ALIKE_IN = {
    "azure.activity": """event.action azure.resource.name azure.resource.group user.email
        azure.activitylogs.operation_name azure.activitylogs.identity.claims.appid
        azure.activitylogs.result_type azure.tenant_id user.name""",
    "entra.signin": """event.action user.name user.domain user_agent.original geo.city_name
        azure.signinlogs.properties.app_id azure.signinlogs.properties.resource_id
        azure.signinlogs.properties.created_at azure.signinlogs.category
        azure.signinlogs.properties.risk_level_during_signin azure.tenant_id
        azure.signinlogs.properties.user_principal_name
        azure.signinlogs.properties.device_detail.display_name
        azure.signinlogs.properties.applied_conditional_access_policies.display_name""",
    "entra.audit": """event.action azure.auditlogs.operation_name azure.auditlogs.category
        azure.auditlogs.properties.category user.email
        azure.auditlogs.properties.target_resources.*.display_name
        azure.auditlogs.properties.target_resources.0.modified_properties.0.new_value
        azure.auditlogs.properties.initiated_by.user.userPrincipalName
        azure.auditlogs.properties.additional_details.value
        azure.auditlogs.properties.operation_type""",
    "entra.risk": """event.action azure.identityprotection.properties.risk_state user.name
        azure.identityprotection.properties.activity
        azure.identityprotection.properties.detected_datetime
        azure.identityprotection.properties.location.countryOrRegion""",
    "azure.keyvault": """event.action azure.platformlogs.category user_agent.original
        azure.platformlogs.result_type""",
}


def see(record):
    return view(record).through("ecs", EVERY_EVENT)


def texts(seen, name):
    values = seen.read(Field((name,)))
    return None if values is None else apply(LEAVES, values)


@pytest.mark.parametrize(("record", "names"), FACTS.values(), ids=FACTS)
def test_a_record_reads(record, names) -> None:
    seen = see(record)
    assert {name: texts(seen, name) for name in names} == names


@pytest.mark.parametrize("log_type", ALIKE_IN)
def test_the_same_event_reads_alike_in_every_shape(log_type: str) -> None:
    records = {
        name: record
        for name, record in SAMPLES[log_type][0].items()
        if "HSM" not in name and "own table" not in name
    }
    for name in (*ALIKE.split(), *ALIKE_IN[log_type].split()):
        found = {shape: texts(see(record), name) for shape, record in records.items()}
        assert len({json.dumps(values) for values in found.values()}) == 1, (name, found)


def test_all_of_a_flattened_object_can_be_searched() -> None:
    record, _ = SIGN_IN_FACTS["processing-details-are-an-object"]
    name = "azure.signinlogs.properties.authentication_processing_details"
    values = see(record).read(Field((name,), (Call("leaves"),)))
    assert "False" in values
    assert any("User.Read" in str(value) for value in values)


DOCUMENT = {
    "@timestamp": TIME,
    "data_stream": {"type": "logs", "dataset": "aws.cloudtrail", "namespace": "prod"},
    "event": {"action": "GetObject", "dataset": "aws.cloudtrail"},
    "user.name": "mira",
    "aws": {"cloudtrail": {"user_identity": {"type": "IAMUser"}}},
}
BEAT = {
    "@timestamp": TIME,
    "agent": {"type": "winlogbeat"},
    "event": {"dataset": "x.y", "code": "1"},
}
TELLING = {"@timestamp": TIME, "event": {"dataset": "okta.system"}}
FLAT = {"@timestamp": TIME, "data_stream.dataset": "gcp.audit", "event.action": "x"}
SELECTED = {
    "a-data-set-by-name": (DOCUMENT, ("logs-aws.cloudtrail-*",), True),
    "a-beginning": (DOCUMENT, ("logs-aws*",), True),
    "every-log": (DOCUMENT, ("logs-*",), True),
    "everything": (DOCUMENT, ("*",), True),
    "another-data-set": (DOCUMENT, ("logs-aws.vpc-*",), False),
    "another-type": (DOCUMENT, ("metrics-*",), False),
    "one-namespace": (DOCUMENT, ("logs-*-prod",), True),
    "another-namespace": (DOCUMENT, ("logs-*-test",), False),
    "what-is-taken-away": (DOCUMENT, ("logs-*", "-logs-aws.*"), False),
    "what-is-taken-away-elsewhere": (DOCUMENT, ("logs-*", "-logs-gcp.*"), True),
    "a-document-in-a-data-stream-is-of-no-beat": (DOCUMENT, ("filebeat-*",), False),
    "a-beat": (BEAT, ("winlogbeat-*",), True),
    "another-beat": (BEAT, ("auditbeat-*", "logs-*"), False),
    "one-of-several": (BEAT, ("auditbeat-*", "winlogbeat-*"), True),
    "an-event-that-names-its-data-set-only": (TELLING, ("logs-okta*",), True),
    "dotted-keys": (FLAT, ("logs-gcp.audit-*",), True),
    "another-cluster": (DOCUMENT, ("remote:logs-aws.cloudtrail-*",), True),
}


@pytest.mark.parametrize(("document", "patterns", "wanted"), SELECTED.values(), ids=SELECTED)
def test_documents_are_selected_by_what_they_say(document, patterns, wanted) -> None:
    log_type, shape = identify(parse(document), shipped_log_types())
    assert log_type.name == "ecs"
    seen = RecordView(parse(document), shape, "ecs")
    variants = log_type.select_indices(patterns)
    assert any(holds(variant.condition, seen.read) for variant in variants) is wanted


def test_a_document_reads_as_it_is() -> None:
    seen = see(DOCUMENT)
    assert texts(seen, "user.name") == ["mira"]
    assert texts(seen, "aws.cloudtrail.user_identity.type") == ["IAMUser"]
    assert texts(seen, "aws.cloudtrail.user_identity.*") == ["IAMUser"]
    assert texts(seen, "user.Name") is None
    assert texts(see({"_index": "x", "_source": DOCUMENT}), "event.action") == ["GetObject"]
    assert texts(see(FLAT), "event.action") == ["x"]


def test_a_search_s_hit_of_azure_is_what_its_source_is() -> None:
    for log_type, (records, _) in SAMPLES.items():
        hit = {"_index": ".ds-logs", "_source": records["ecs"]}
        assert kinds(parse(hit)) == [f"{log_type}/hit"], log_type
