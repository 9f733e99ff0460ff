"""Azure's diagnostic records for values under names of the Elastic Common Schema.

Where a name stands in a record, and how its value is written there, is set down here by hand from
the documentation of the logs, of Elastic's fields and of Azure's diagnostic settings: log types
have no part in it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from generated.azure import SUBSCRIPTION

Record = dict[str, object]
Values = dict[str, object]
Reading = Callable[[Values], Values]

GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS"
CLUSTER = f"{GROUP}/RG-Q7/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/Q7"
CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
LISTS = {
    "authenticationDetails",
    "appliedConditionalAccessPolicies",
    "conditionalAccessAudiences",
    "targetResources",
    "modifiedProperties",
    "additionalDetails",
    "conditions",
}
"""Keys with a list of objects."""
TEXTS = {"enforcedGrantControls"}
"""Keys with a list of texts."""
CODES = {"success": 0, "failure": 50126}


@dataclass(frozen=True)
class Stream:
    """How a log's records are written, and what Elastic reads in them."""

    dataset: str
    base: Record
    """What every record has."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Name → where its value stands: keys with dots between them."""
    families: Mapping[str, str] = field(default_factory=dict)
    """Start of names → where the rest of the name stands, in camel case."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """What is left of a name of a family → its key, where that is not the name in camel case."""
    kept: tuple[str, ...] = ()
    """Starts of names whose rest is a path as it is."""
    closed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name → all values that it can have."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Name → another name for what stands at the same place."""
    constants: Values = field(default_factory=dict)
    defaults: Values = field(default_factory=dict)
    """What a record says unless a rule asks for something else."""
    indexed: Values = field(default_factory=dict)
    """What else every document in Elastic's index has, unless a rule asks for something else."""
    reads: Reading = lambda values: values
    """What Elastic reads in a record that holds these values."""
    writes: Callable[[Values], Values | None] = lambda values: values
    """Values as they are to be put where their names stand; None if they cannot be said."""
    texts: tuple[str, ...] = ()
    """Paths of objects that are written as text."""

    def slot(self, name: str) -> str:
        return self.aliases.get(name, name).replace(".*.", ".0.")

    def possible(self, name: str, text: str | None) -> bool:
        """Say whether a record can hold a name, and this value of it; None is any."""
        if name in {*self.closed, *self.constants}:
            known = self.closed.get(name, listed(self.constants.get(name)))
            return text is None or text in known
        return self.path(self.slot(name)) is not None

    def path(self, name: str) -> str | None:
        if name in self.names:
            return self.names[name]
        for start, at in self.families.items():
            if name.startswith(start):
                rest = name.removeprefix(start)
                keys = self.spelled.get(rest) or camel(rest)
                return f"{at}{rest if start in self.kept else keys}"
        return None

    def event(self, values: Values) -> Values:
        """Return what Elastic reads in the record of these values."""
        read = self.reads({**self.defaults, **values})
        others = {name: read[slot] for name, slot in self.aliases.items() if slot in read}
        return {**others, **read, **self.constants}

    def record(self, values: Values) -> Record | None:
        """Write the record; None if there is none that says this."""
        record = json.loads(json.dumps(self.base))
        said = self.writes({**self.defaults, **values})
        if said is None or any(self.path(name) is None for name in said):
            return None
        for name, value in said.items():
            put_at(record, self.path(name) or "", value)
        for path in self.texts:
            write_as_text(record, path.split("."))
        return record


def listed(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def camel(name: str) -> str:
    return re.sub("_([a-z0-9])", lambda letter: letter[1].upper(), name)


def put_at(record: Record, path: str, value: object) -> None:
    """Put a value where it stands; what is in lists of objects is in the first, unless numbered."""
    keys: list[str | int] = []
    for key in path.split("."):
        if keys and isinstance(keys[-1], str) and keys[-1] in LISTS and not key.isdigit():
            keys.append(0)
        keys.append(int(key) if key.isdigit() else key.replace("|", "."))
    place_of(record, keys)[keys[-1]] = [value] if keys[-1] in TEXTS else value


def place_of(record: Record, path: list[str | int]) -> Record:
    """Return the object that a path leads to, with empty ones in front of its places in lists."""
    at = record
    for key, following in pairwise(path):
        inner: object = [] if isinstance(following, int) else {}
        at = at.setdefault(key, inner) if isinstance(at, dict) else at[key]
        if isinstance(at, list):
            at += [{} for _ in range(following + 1 - len(at))]
    return at


def write_as_text(record: Record, keys: list[str]) -> None:
    *outer, last = keys
    for key in outer:
        record = record.get(key, {})
    if last in record:
        record[last] = json.dumps(record[last])


def resource_of(values: Values) -> Values:
    """Write the id of a resource for what is asked of its parts."""
    left = {name: value for name, value in values.items() if not name.startswith("azure.resource.")}
    name, group = (values.get(f"azure.resource.{part}") for part in ("name", "group"))
    if "azure.resource.id" in values:
        return {**left, "azure.resource.id": values["azure.resource.id"]}
    if name is None and group is None:
        return left
    provider = "" if name is None else f"/PROVIDERS/MICROSOFT.SOME/THINGS/{name}"
    return {**left, "azure.resource.id": f"{GROUP}/{group or 'RG-Q7'}{provider}"}


def activity_reads(values: Values) -> Values:
    operation = values.get("azure.activitylogs.operation_name")
    resource = str(resource_of(values).get("azure.resource.id", ""))
    parts = re.fullmatch(".*/RESOURCEGROUPS/([^/]*)(?:/PROVIDERS/.*/([^/]*))?", resource)
    group, name = parts.groups() if parts else (None, None)
    read = {"azure.resource.group": group, "azure.resource.name": name}
    return {**values, **read, "azure.activitylogs.operation_name": str(operation).upper()}


def activity_writes(values: Values) -> Values:
    words = {"success": "Success", "failure": "Failure"}
    outcome = values.get("event.outcome")
    return {**resource_of(values), "event.outcome": words.get(str(outcome), "Start")}


ACTIVITY = Stream(
    "azure.activitylogs",
    {"category": "Administrative"},
    names={
        "azure.activitylogs.operation_name": "operationName",
        "event.outcome": "resultType",
        "source.ip": "callerIpAddress",
        "azure.resource.id": "resourceId",
        "azure.resource.name": "",
        "azure.resource.group": "",
        "azure.activitylogs.identity.claims_initiated_by_user.name": (
            f"identity.claims.{CLAIM.replace('.', '|')}/name"
        ),
        "azure.activitylogs.properties.status_code": "properties.statusCode",
        "azure.activitylogs.properties.responseBody": "properties.responseBody",
    },
    families={
        "azure.activitylogs.identity.": "identity.",
        "azure.activitylogs.properties.": "properties.",
    },
    kept=("azure.activitylogs.properties.",),
    closed={"event.outcome": ("success", "failure")},
    aliases={"event.action": "azure.activitylogs.operation_name"},
    constants={"data_stream.dataset": "azure.activitylogs", "event.dataset": "azure.activitylogs"},
    defaults={"azure.activitylogs.operation_name": "MICROSOFT.SOME/THINGS/READ"},
    reads=activity_reads,
    writes=activity_writes,
    texts=("properties.requestbody",),
)


def sign_in_reads(values: Values) -> Values:
    code = code_of(values)
    outcome = "success" if str(code) == "0" else "failure"
    codes = {"azure.signinlogs.properties.status.error_code": code, "event.outcome": outcome}
    return {**values, **codes}


def sign_in_writes(values: Values) -> Values:
    left = {name: value for name, value in values.items() if name != "event.outcome"}
    details = left.pop("azure.signinlogs.properties.authentication_processing_details", None)
    if details is not None:
        pairs = [{"key": "Oauth Scope Info", "value": details}]
        left["azure.signinlogs.properties.authentication_processing_details"] = pairs
    return {**left, "azure.signinlogs.properties.status.error_code": code_of(values)}


def code_of(values: Values) -> object:
    code = values.get("azure.signinlogs.properties.status.error_code")
    return CODES[str(values.get("event.outcome", "success"))] if code is None else code


SIGN_IN = Stream(
    "azure.signinlogs",
    {"category": "SignInLogs"},
    names={
        "azure.signinlogs.category": "category",
        "azure.signinlogs.operation_name": "operationName",
        "azure.signinlogs.result_signature": "resultSignature",
        "event.outcome": "",
        "source.ip": "callerIpAddress",
        "source.as.number": "properties.autonomousSystemNumber",
        "user_agent.original": "properties.userAgent",
        "azure.signinlogs.properties.risk_level_during_signin": "properties.riskLevelDuringSignIn",
    },
    families={"azure.signinlogs.properties.": "properties."},
    closed={
        "event.outcome": ("success", "failure"),
        "azure.signinlogs.category": (
            "SignInLogs",
            "NonInteractiveUserSignInLogs",
            "ServicePrincipalSignInLogs",
            "ManagedIdentitySignInLogs",
        ),
    },
    aliases={
        "event.action": "azure.signinlogs.operation_name",
        "user.name": "azure.signinlogs.properties.user_principal_name",
    },
    constants={
        "data_stream.dataset": "azure.signinlogs",
        "event.dataset": "azure.signinlogs",
        "event.category": "authentication",
        "event.type": "info",
    },
    defaults={
        "azure.signinlogs.category": "SignInLogs",
        "azure.signinlogs.operation_name": "Sign-in activity",
    },
    indexed={"event.outcome": "success", "event.action": "Sign-in activity"},
    reads=sign_in_reads,
    writes=sign_in_writes,
)

AUDIT = Stream(
    "azure.auditlogs",
    {"category": "AuditLogs"},
    names={
        "azure.auditlogs.operation_name": "operationName",
        "azure.auditlogs.identity": "identity",
        "azure.auditlogs.properties.userAgent": "properties.userAgent",
        "event.outcome": "properties.result",
        "source.ip": "callerIpAddress",
    },
    families={
        "azure.auditlogs.properties.initiated_by.": "properties.initiatedBy.",
        "azure.auditlogs.properties.": "properties.",
    },
    kept=("azure.auditlogs.properties.initiated_by.",),
    closed={"event.outcome": ("success", "failure")},
    aliases={
        "event.action": "azure.auditlogs.operation_name",
        "user_agent.original": "azure.auditlogs.properties.userAgent",
    },
    constants={"data_stream.dataset": "azure.auditlogs", "event.dataset": "azure.auditlogs"},
    defaults={"azure.auditlogs.operation_name": "Do something"},
)

RISKS = {"User Risk Detection": "UserRiskEvents", "Risky user": "RiskyUsers"}


def risk_writes(values: Values) -> Values:
    return {**values, "event.action": RISKS[str(values["event.action"])]}


RISK = Stream(
    "azure.identity_protection",
    {"operationName": "User Risk Detection"},
    names={"event.action": "category"},
    families={"azure.identityprotection.properties.": "properties."},
    closed={"event.action": tuple(RISKS)},
    constants={
        "data_stream.dataset": "azure.identity_protection",
        "event.dataset": "azure.identity_protection",
    },
    defaults={"event.action": "User Risk Detection"},
    writes=risk_writes,
)


def request_writes(values: Values) -> Values | None:
    left = {name: value for name, value in values.items() if not name.startswith("url.")}
    domain, path = (values.get(f"url.{part}") for part in ("domain", "path"))
    if domain is None and path is None:
        return left
    if not str(path or "/").startswith("/"):
        return None
    return {**left, "url.path": f"https://{domain or 'graph.q7.example'}{path or '/'}"}


GRAPH = Stream(
    "azure.graphactivitylogs",
    {"category": "MicrosoftGraphActivityLogs", "operationName": "Microsoft Graph Activity"},
    names={
        "azure.graphactivitylogs.result_signature": "resultSignature",
        "azure.graphactivitylogs.properties.c_idtyp": "properties.C_Idtyp",
        "azure.graphactivitylogs.properties.user_principal_object_id": (
            "properties.UserPrincipalObjectID"
        ),
        "http.request.method": "properties.requestMethod",
        "http.response.status_code": "properties.responseStatusCode",
        "url.path": "properties.requestUri",
        "url.domain": "",
    },
    families={"azure.graphactivitylogs.properties.": "properties."},
    constants={
        "data_stream.dataset": "azure.graphactivitylogs",
        "event.category": "api",
        "event.type": "access",
    },
    writes=request_writes,
)

AAD_GRAPH = Stream(
    "azure.aadgraphactivitylogs",
    {"category": "AzureADGraphActivityLogs"},
    names={"user.id": "properties.userId"},
    families={"azure.aadgraphactivitylogs.properties.": "properties."},
    constants={"data_stream.dataset": "azure.aadgraphactivitylogs"},
)


def platform_writes(values: Values) -> Values:
    words = {"success": "Success", "failure": "Failure"}
    outcome = words.get(str(values.get("event.outcome")))
    left = {name: value for name, value in values.items() if name != "event.outcome"}
    return {**left, "event.outcome": outcome} if outcome else left


PLATFORM = Stream(
    "azure.platformlogs",
    {},
    names={
        "azure.platformlogs.operation_name": "operationName",
        "azure.platformlogs.category": "category",
        "azure.platformlogs.statusCode": "statusCode",
        "azure.resource.id": "resourceId",
        "event.outcome": "resultType",
        "source.ip": "callerIpAddress",
    },
    families={
        "azure.platformlogs.properties.": "properties.",
        "azure.platformlogs.identity.": "identity.",
    },
    kept=("azure.platformlogs.properties.", "azure.platformlogs.identity."),
    closed={"event.outcome": ("success", "failure")},
    aliases={"event.action": "azure.platformlogs.operation_name"},
    constants={"data_stream.dataset": "azure.platformlogs"},
    defaults={"azure.platformlogs.category": "Q7Logs", "azure.resource.id": CLUSTER},
    writes=platform_writes,
    texts=("properties.log",),
)

GATEWAY = Stream("azure.application_gateway", {})
"""A log of which only documents are read."""
STREAMS = (ACTIVITY, SIGN_IN, AUDIT, RISK, GRAPH, AAD_GRAPH, PLATFORM)
NUMBERS = {
    "source.as.number",
    "http.response.status_code",
    "azure.signinlogs.properties.status.error_code",
    "azure.graphactivitylogs.properties.client_auth_method",
    "azure.platformlogs.statusCode",
    "azure.platformlogs.properties.log.responseStatus.code",
}
FLAGS = {
    "azure.signinlogs.properties.is_interactive",
    "azure.signinlogs.properties.device_detail.is_managed",
}
