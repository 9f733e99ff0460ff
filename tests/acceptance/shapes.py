"""The shapes in which each log is met, those of `azure_records` and what exports make of them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from logs.azure_records import (
    APP,
    OBJECT,
    OID_CLAIM,
    UPN_CLAIM,
    US_TIME,
    USER,
    VAULT,
    Record,
    activity_shapes,
    change_shapes,
    detection_shapes,
    sign_in_shapes,
    vault_shapes,
)

Shapes = dict[str, Record]

TABLES = {
    "SignInLogs": ("SigninLogs", "interactiveUser"),
    "NonInteractiveUserSignInLogs": ("AADNonInteractiveUserSignInLogs", "nonInteractiveUser"),
    "ServicePrincipalSignInLogs": ("AADServicePrincipalSignInLogs", "servicePrincipal"),
    "ManagedIdentitySignInLogs": ("AADManagedIdentitySignInLogs", "managedIdentity"),
}
"""Category of a sign-in → its table, and its kind in Microsoft Graph."""

NESTED_IN_SIGN_INS = ("ConditionalAccessPolicies", "DeviceDetail", "LocationDetails", "Status")
NESTED_IN_CHANGES = ("AdditionalDetails", "InitiatedBy", "TargetResources")


def activity(operation: str, resource: str = VAULT) -> Shapes:
    shapes = activity_shapes(operation, resource)
    row = shapes["log_analytics"]
    texts, values = ("Authorization", "Claims", "Properties"), ("Authorization_d", "Claims_d")
    return {
        **shapes,
        "log_analytics, values": with_values(row),
        "log_analytics, texts alone": without(row, *values, "Properties_d"),
        "log_analytics, values alone": with_values(without(row, *texts)),
        "log_analytics, exported": exported(row),
        "hit": as_hit(shapes["ecs"]),
    }


def as_hit(document: Record) -> Record:
    """Return a document as a search in Elasticsearch finds it."""
    return {"_index": "logs", "_id": "1", "_source": document}


def with_evidence(shapes: Shapes, evidence: Record) -> Shapes:
    """Add why the action was allowed; keep the shapes that tell it."""
    texts = ("Authorization", "Authorization_d")
    kept = {shape: record for shape, record in shapes.items() if shape not in {"api", "sdk", "hit"}}
    for shape, record in kept.items():
        if shape == "ecs":
            inner = record["azure"]["activitylogs"]["identity"]
            snake = {
                re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in evidence.items()
            }
            inner["authorization"] = {**inner["authorization"], "evidence": snake}
        elif "identity" in record:
            record["identity"]["authorization"]["evidence"] = evidence
        else:
            for column in set(texts) & record.keys():
                whole = {**_value(record[column]), "evidence": evidence}
                as_text = isinstance(record[column], str)
                record[column] = json.dumps(whole) if as_text else whole
    return kept


def sign_in(category: str, changes: Record) -> Shapes:
    table, kind = TABLES[category]
    shapes = sign_in_shapes(changes, category)
    row = {**shapes["log_analytics"], "Type": table}
    agent = {"user_agent": {"original": shapes["graph"]["userAgent"]}}
    return {
        **shapes,
        "graph": {**shapes["graph"], "signInEventTypes": [kind]},
        "log_analytics": row,
        "log_analytics, values": with_values(row),
        "log_analytics, exported": exported(row),
        "log_analytics, union of texts": suffixed(row, "string", *NESTED_IN_SIGN_INS),
        "log_analytics, union of values": with_values(
            suffixed(row, "dynamic", *NESTED_IN_SIGN_INS)
        ),
        "log_analytics, no category": without(row, "Category"),
        "ecs": {**shapes["ecs"], **agent},
        "hit": as_hit({**shapes["ecs"], **agent}),
    }


def change(changes: Record) -> Shapes:
    shapes = change_shapes(changes)
    row = shapes["log_analytics"]
    return {
        **shapes,
        "log_analytics, values": with_values(row),
        "log_analytics, exported": exported(row),
        "log_analytics, union": exported(suffixed(row, "dynamic", *NESTED_IN_CHANGES)),
        "hit": as_hit(shapes["ecs"]),
    }


def detection(changes: Record) -> Shapes:
    shapes = detection_shapes(changes)
    row = shapes["log_analytics"]
    return {
        **shapes,
        "log_analytics, values": with_values(row),
        "log_analytics, exported": exported(row),
        "hit": as_hit(shapes["ecs"]),
    }


def request(operation: str) -> Shapes:
    """Make a request for what a vault holds."""
    shapes = vault_shapes(operation)
    return {
        **shapes,
        "hit": as_hit(shapes["ecs"]),
        "log_analytics, exported": exported(shapes["log_analytics"]),
        "log_analytics in its own table, values": with_values(
            shapes["log_analytics in its own table"]
        ),
    }


def vault_request(operation: str, added: Mapping[str, Record] | None = None) -> Shapes:
    """Make a request for a vault itself, which names its claims at length.

    `added` holds properties to add, by shape.
    """
    shapes = request(operation)
    del shapes["diagnostic of a managed HSM"]
    claim = {UPN_CLAIM: USER, OID_CLAIM: OBJECT, "appid": APP, "ipaddr": "192.0.2.7"}
    own = {"Identity": json.dumps({"claim": claim})}
    row = {
        f"identity_claim_{_column(UPN_CLAIM)}_s": USER,
        f"identity_claim_{_column(OID_CLAIM)}_g": OBJECT,
    }
    more = added or {}
    diagnostic = shapes["diagnostic"]
    diagnostic["identity"] = {"claim": claim}
    diagnostic["properties"] |= more.get("diagnostic", {})
    logs = shapes["ecs"]["azure"]["platformlogs"]
    logs["identity"] = {"claim": {key.replace(".", "_"): text for key, text in claim.items()}}
    logs["properties"] |= more.get("diagnostic", {})
    for shape in ("log_analytics", "log_analytics, exported"):
        kept = without(shapes[shape], "identity_claim_upn_s", "identity_claim_oid_g")
        shapes[shape] = {**kept, **row, **more.get("log_analytics", {})}
    table = "log_analytics in its own table"
    shapes[table] |= own | more.get(table, {})
    shapes[f"{table}, values"] = with_values(shapes[table])
    return shapes


def _column(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name)


def replaced(shapes: Shapes, *changes: tuple[str, str]) -> Shapes:
    """Change a text wherever it stands, be it inside of other text."""

    def change_one(record: Record) -> Record:
        text = json.dumps(record)
        for old, new in changes:
            text = text.replace(old, new)
        changed: Record = json.loads(text)
        return changed

    return {shape: change_one(record) for shape, record in shapes.items()}


def exported(row: Record) -> Record:
    """Write a table row as the portal exports it: zone in the name, times as in the US."""
    return {**without(row, "TimeGenerated"), "TimeGenerated [UTC]": US_TIME}


def with_values(row: Record) -> Record:
    """Write a table row as queries return it: dynamic columns hold values, not text."""
    return {key: _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value


def suffixed(row: Record, suffix: str, *columns: str) -> Record:
    """Write a row of a union of tables that give a column different types."""
    other = {"dynamic": "string", "string": "dynamic"}[suffix]
    texts = {f"{name}_{suffix}": row[name] for name in columns}
    return {**without(row, *columns), **texts, **{f"{name}_{other}": "" for name in columns}}


def without(row: Record, *columns: str) -> Record:
    return {key: value for key, value in row.items() if key not in columns}
