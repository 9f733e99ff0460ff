"""How Elastic's integrations map their own fields, where that is not as keywords.

`*` stands for any text. Below a flattened field everything is a keyword.
"""

import re
from functools import cache

from tocsin.rules.elastic.kql.types import FieldType, ecs_type

MAPPED: dict[FieldType, str] = {
    FieldType.FLATTENED: """
        aws.cloudtrail.flattened.additional_eventdata aws.cloudtrail.flattened.request_parameters
        aws.cloudtrail.flattened.response_elements aws.cloudtrail.flattened.service_event_details
        azure.activitylogs.properties azure.platformlogs.properties
        azure.signinlogs.properties.applied_conditional_access_policies
        azure.signinlogs.properties.authentication_details
        azure.signinlogs.properties.authentication_processing_details
        azure.signinlogs.properties.authentication_requirement_policies
        azure.signinlogs.properties.network_location_details
        gcp.audit.flattened.* okta.debug_context.debug_data.flattened okta.target
    """,
    FieldType.LONG: """
        azure.graphactivitylogs.properties.client_auth_method
        azure.signinlogs.properties.autonomous_system_number
        azure.signinlogs.properties.processing_time_ms
        azure.signinlogs.properties.status.error_code
        beacon_stats.beaconing_score ml_is_dga.malicious_prediction o365.audit.OperationCount
    """,
    FieldType.DOUBLE: "kibana.alert.risk_score signal.rule.risk_score",
    FieldType.BOOLEAN: """
        azure.identityprotection.properties.is_deleted
        azure.identityprotection.properties.is_guest
        azure.identityprotection.properties.is_processing
        azure.signinlogs.properties.device_detail.is_compliant
        azure.signinlogs.properties.device_detail.is_managed
        azure.signinlogs.properties.flagged_for_review
        azure.signinlogs.properties.is_interactive
        azure.signinlogs.properties.is_tenant_restricted
        aws.cloudtrail.console_login.additional_eventdata.mfa_used
        beacon_stats.is_beaconing github.repository_public google_workspace.login.is_suspicious
        okta.security_context.is_proxy
    """,
    FieldType.DATE: """
        azure.graphactivitylogs.properties.time_generated
        azure.graphactivitylogs.properties.token_issued_at
        azure.identityprotection.properties.*_datetime
        azure.signinlogs.properties.created_at kibana.alert.original_time kibana.alert.start
    """,
    FieldType.IP: """
        azure.signinlogs.caller_ip_address azure.signinlogs.properties.ip_address github.actor_ip
    """,
}


def field_type(name: str) -> FieldType:
    """Return the type of a field of ECS or of an integration."""
    found = _mapped().get(name)
    if found:
        return found
    match = _patterns().fullmatch(name)
    return FieldType(match.lastgroup) if match and match.lastgroup else ecs_type(name)


@cache
def _mapped() -> dict[str, FieldType]:
    return {name: kind for kind, text in MAPPED.items() for name in text.split()}


@cache
def _patterns() -> re.Pattern[str]:
    named: dict[FieldType, list[str]] = {}
    for name, kind in _mapped().items():
        if "*" in name:
            named.setdefault(kind, []).append(re.escape(name).replace(r"\*", ".*"))
    return re.compile("|".join(f"(?P<{kind}>{'|'.join(some)})" for kind, some in named.items()))
