"""Writes what Azure writes: Key Vault `AuditEvent` and activity-log diagnostic records.

The shapes follow https://learn.microsoft.com/azure/key-vault/general/logging and
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema. As in real records,
a refused call still has the result type `Success`: its signature and status code tell.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias, TypeVar
from uuid import UUID

from tocsin.content.demo.cast import (
    SUBSCRIPTION,
    TENANT,
    Person,
    Principal,
    Role,
    Session,
    Vault,
    group_path,
    guid,
)

Record: TypeAlias = dict[str, object]
T = TypeVar("T")

_MICROSOFT = "http://schemas.microsoft.com/identity/claims"
_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_DATA_API = "7.4"
_VAULT_API = "2023-07-01"


class Clock:
    """Moves through time by random steps; the same seed always makes the same steps."""

    def __init__(self, start: datetime, seed: str) -> None:
        self.now = start
        self._random = Random(f"tocsin demo/{seed}/{start:%Y-%m-%d}")

    def set(self, hour: int, minute: int) -> None:
        """Go to a random moment of that minute of the day."""
        self.now = self.now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self.wait(0, 59)

    def wait(self, shortest: float, longest: float) -> None:
        """Let some seconds pass."""
        micros = self._random.randrange(int(shortest * 1_000_000), int(longest * 1_000_000))
        self.now += timedelta(microseconds=micros)

    def number(self, lowest: int, highest: int) -> int:
        """Return a number between two, both included."""
        return self._random.randrange(lowest, highest + 1)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self._random.randrange(len(options))]

    def guid(self) -> str:
        """Return a new id."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def text(self) -> str:
        """Write the time as Azure does, in ticks of 100 ns."""
        return f"{self.now:%Y-%m-%dT%H:%M:%S}.{self.now:%f}{self.now.microsecond * 7 % 10}Z"


@dataclass(frozen=True, slots=True)
class Result:
    """How a vault answered a call."""

    status: int
    signature: str
    description: str = ""

    @property
    def granted(self) -> bool:
        """Whether the caller was let through."""
        return self.status < 400


OK = Result(200, "OK")
GONE = Result(204, "No Content")
NO_TOKEN = Result(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")


def refused(description: str) -> Result:
    """Return the answer to a caller who may not do that."""
    return Result(403, "Forbidden", description)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the data plane of a vault; `name` is that of a secret, key or certificate."""

    operation: str
    vault: Vault
    name: str = ""
    result: Result = OK
    version: str = "1"


_OPERATION = re.compile(r"(Secret|Key|Certificate)(\w+)")
_VERBS = {
    "Get": ("{items}/{name}/", "{items}/{name}/{version}"),
    "Set": ("{items}/{name}", "{items}/{name}/{version}"),
    "Sign": ("{items}/{name}/{version}/sign", "{items}/{name}/{version}"),
    "List": ("{items}", ""),
    "ListVersions": ("{items}/{name}/versions", "{items}/{name}"),
    "ListDeleted": ("deleted{items}", ""),
    "Delete": ("{items}/{name}", "{items}/{name}"),
    "Purge": ("deleted{items}/{name}", "deleted{items}/{name}"),
    "Backup": ("{items}/{name}/backup", "{items}/{name}"),
}
_DETAILS: Mapping[str, Mapping[str, object]] = {
    "SecretSet": {"secretProperties": {"attributes": {"enabled": True}}},
    "KeySign": {"keyProperties": {"type": "EC"}, "algorithm": "ES256"},
    "KeyBackup": {"keyProperties": {"type": "EC"}},
}


def data_record(session: Session, call: Call, clock: Clock) -> Record:
    """Write the `AuditEvent` of a call for secrets, keys or certificates."""
    claim = {} if call.result.status == NO_TOKEN.status else _data_claim(session)
    properties = _data_properties(session, call)
    event = _Event(call.operation, call.vault, _DATA_API, claim, properties, call.result)
    return _audit_record(session, event, clock)


def challenge(session: Session, vault: Vault, name: str, clock: Clock) -> Record:
    """Write what precedes the first call of a client: one without token, which is turned away."""
    return data_record(session, Call("Authentication", vault, name, NO_TOKEN), clock)


def vault_record(
    session: Session,
    operation: str,
    vault: Vault,
    clock: Clock,
    *,
    policy: Record | None = None,
    network: str | None = None,
) -> Record:
    """Write the `AuditEvent` of a call about a vault itself.

    `policy` is an `added_policy`, `network` the firewall's new default action.
    """
    properties = _vault_properties(session, operation, vault, network or vault.network)
    properties |= policy or {}
    event = _Event(operation, vault, _VAULT_API, _vault_claim(session), properties)
    return _audit_record(session, event, clock)


def added_policy(principal: Principal, secrets: Sequence[str]) -> Record:
    """Write the property that names a new access policy: whose it is and what it allows."""
    permissions = {"keys": [], "secrets": list(secrets), "certificates": [], "storage": []}
    policy = {
        "TenantId": TENANT,
        "ObjectId": principal.oid,
        "Permissions": permissions,
        "ApplicationId": None,
    }
    return {"addedAccessPolicy": policy}


@dataclass(frozen=True, slots=True)
class _Event:
    operation: str
    vault: Vault
    version: str
    claim: Record
    properties: Record
    result: Result = OK


def _audit_record(session: Session, event: _Event, clock: Clock) -> Record:
    description = event.result.description
    return {
        "time": clock.text(),
        "category": "AuditEvent",
        "operationName": event.operation,
        "resultType": "Success",
        **({"resultDescription": description} if description else {}),
        "correlationId": clock.guid(),
        "callerIpAddress": session.address,
        "identity": {"claim": event.claim},
        "properties": event.properties,
        "resourceId": event.vault.path.upper(),
        "operationVersion": event.version,
        "resultSignature": event.result.signature,
        "durationMs": str(clock.number(8, 95)),
    }


def _vault_properties(
    session: Session, operation: str, vault: Vault, network: str | None
) -> Record:
    listing = operation.startswith("VaultList")
    path = vault.path.rpartition("/")[0] if listing else vault.path
    about = {"id": f"{vault.url}/", "properties": _settings(vault, network)}
    return {
        "clientInfo": session.client,
        "requestUri": f"https://management.azure.com{path}?api-version={_VAULT_API}",
        "httpStatusCode": 200,
        **({} if listing else about),
    }


def _data_properties(session: Session, call: Call) -> Record:
    request, item = _addresses(call)
    return {
        **({"id": f"{call.vault.url}/{item}"} if item else {}),
        "clientInfo": session.client,
        "httpStatusCode": call.result.status,
        "requestUri": f"{call.vault.url}/{request}?api-version={_DATA_API}",
        **_authorization(session, call),
        **_DETAILS.get(call.operation, {}),
        "tlsVersion": "TLS1_3",
    }


def _addresses(call: Call) -> tuple[str, str]:
    """Return the path of the request, and of the object it is about."""
    match = _OPERATION.fullmatch(call.operation)
    kind, verb = match.groups() if match else ("Secret", "Get")
    request, item = _VERBS[verb]
    names = {
        "items": f"{kind.lower()}s",
        "name": call.name,
        "version": guid(f"{call.vault.name}/{call.name}/{call.version}").replace("-", ""),
    }
    if not call.result.granted:
        item = item.removesuffix("/{version}")
    return request.format_map(names), item.format_map(names)


def _authorization(session: Session, call: Call) -> Record:
    granted = call.result.granted
    if call.result.status == NO_TOKEN.status:
        return {}
    if not call.vault.by_roles:
        return {"isAccessPolicyMatch": granted}
    if not granted:
        return {"isRbacAuthorized": False}
    applied = guid(f"assignment {session.who.oid} {call.vault.name}").replace("-", "")
    return {"isRbacAuthorized": True, "appliedAssignmentId": applied}


def _data_claim(session: Session) -> Record:
    who = session.who
    claim: Record = {"oid": who.oid, "appid": session.app}
    if isinstance(who, Person):
        return {
            **claim,
            "scp": "user_impersonation",
            "appidacr": "0",
            "xms_az_nwperimid": [],
            "upn": who.upn,
            "ipaddr": session.address,
            "unique_name": who.upn,
            "amr": session.methods,
        }
    if who.resource is None:
        return {**claim, "appidacr": "1", "xms_az_nwperimid": []}
    return {**claim, "appidacr": "2", "xms_mirid": who.resource, "xms_az_nwperimid": []}


def _vault_claim(session: Session) -> Record:
    claim: Record = {f"{_MICROSOFT}/objectidentifier": session.who.oid}
    if isinstance(session.who, Person):
        claim |= {f"{_SOAP}/upn": session.who.upn, f"{_SOAP}/name": session.who.upn}
    return {**claim, "appid": session.app}


def _settings(vault: Vault, network: str | None) -> Record:
    firewall = {"bypass": "AzureServices", "defaultAction": network} if network else None
    return {
        "sku": {"Family": "A", "Name": "Standard", "Capacity": None},
        "tenantId": TENANT,
        "networkAcls": firewall,
        "enabledForDeployment": False,
        "enabledForDiskEncryption": False,
        "enabledForTemplateDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": vault.by_roles,
        "enablePurgeProtection": None,
    }


@dataclass(frozen=True, slots=True)
class Action:
    """A change of a resource, as the activity log names it."""

    name: str
    target: str
    role: Role
    status: str = "OK"
    request: str = ""
    """The body of the request, where Azure logs it."""


def activity_records(session: Session, action: Action, clock: Clock) -> list[Record]:
    """Write the two activity-log records of an action: its start and its success."""
    shared = {"correlationId": clock.guid(), "callerIpAddress": session.address}
    body: Record = {"requestbody": action.request} if action.request else {}
    start = {"resultType": "Start", "resultSignature": "Started.", "durationMs": "0", **shared}
    first = _activity_record(session, action, clock, start, body)
    clock.wait(0.4, 4)
    duration = str(clock.number(300, 3000))
    signature = f"Succeeded.{action.status}"
    end = {"resultType": "Success", "resultSignature": signature, "durationMs": duration, **shared}
    answer: Record = {"statusCode": action.status, "serviceRequestId": clock.guid()}
    return [first, _activity_record(session, action, clock, end, answer)]


def _activity_record(
    session: Session, action: Action, clock: Clock, result: Mapping[str, str], properties: Record
) -> Record:
    return {
        "time": clock.text(),
        "resourceId": action.target.upper(),
        "operationName": action.name.upper(),
        "category": "Administrative",
        **result,
        "identity": _identity(session, action, clock),
        "level": "Information",
        "location": "global",
        "properties": properties | _what_happened(action),
        "tenantId": TENANT,
    }


def _what_happened(action: Action) -> Record:
    return {
        "eventCategory": "Administrative",
        "entity": action.target,
        "message": action.name,
        "hierarchy": f"{TENANT}/{SUBSCRIPTION}",
    }


def _identity(session: Session, action: Action, clock: Clock) -> Record:
    authorization = {
        "scope": action.target,
        "action": action.name,
        "evidence": _evidence(session, action.role),
    }
    return {"authorization": authorization, "claims": _management_claims(session, clock)}


def _evidence(session: Session, role: Role) -> Record:
    person = isinstance(session.who, Person)
    return {
        "role": role.name,
        "roleAssignmentScope": role.scope,
        "roleAssignmentId": guid(f"{session.who.oid} {role.name}").replace("-", ""),
        "roleDefinitionId": role.id.replace("-", ""),
        "principalId": session.who.oid.replace("-", ""),
        "principalType": "User" if person else "ServicePrincipal",
    }


def _management_claims(session: Session, clock: Clock) -> Record:
    issued = int(clock.now.replace(minute=0, second=0, microsecond=0).timestamp())
    return {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 4800),
        "appid": session.app,
        **_own_claims(session),
        f"{_MICROSOFT}/objectidentifier": session.who.oid,
        f"{_MICROSOFT}/tenantid": TENANT,
        "uti": guid(f"token {session.who.oid} {issued}").replace("-", "")[:22],
        "ver": "1.0",
    }


def _own_claims(session: Session) -> Record:
    who = session.who
    if not isinstance(who, Person):
        return {"appidacr": "1" if who.resource is None else "2", "idtyp": "app"}
    return {
        "appidacr": "0",
        "http://schemas.microsoft.com/claims/authnclassreference": "1",
        "http://schemas.microsoft.com/claims/authnmethodsreferences": session.methods,
        f"{_SOAP}/surname": who.surname,
        f"{_SOAP}/givenname": who.given_name,
        f"{_SOAP}/name": who.upn,
        f"{_SOAP}/upn": who.upn,
        "ipaddr": session.address,
        "name": f"{who.given_name} {who.surname}",
        f"{_MICROSOFT}/scope": "user_impersonation",
    }


def vault_action(name: str, vault: Vault, role: Role) -> Action:
    """Return an action on a vault: `name` is what follows `Microsoft.KeyVault/vaults/`."""
    suffix = "/accessPolicies/add" if name.startswith("accessPolicies/") else ""
    return Action(f"Microsoft.KeyVault/vaults/{name}", f"{vault.path}{suffix}", role)


def deployment(group: str, name: str, role: Role) -> Action:
    """Return the start of a template deployment."""
    target = f"{group_path(group)}/providers/Microsoft.Resources/deployments/{name}"
    return Action("Microsoft.Resources/deployments/write", target, role, "Created")


def diagnostics(verb: str, vault: Vault, role: Role) -> Action:
    """Return an action on the diagnostic settings that make a vault write its log."""
    target = f"{vault.path}/providers/Microsoft.Insights/diagnosticSettings/audit-to-workspace"
    return Action(f"Microsoft.Insights/diagnosticSettings/{verb}", target, role)


def assignment(name: str, who: Principal, role_id: str, scope: str, held: Role) -> Action:
    """Return the assignment of a role on a scope; `held` is what allows to assign it."""
    definitions = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    properties = {
        "roleDefinitionId": f"{definitions}/{role_id}",
        "principalId": who.oid,
        "principalType": "User" if isinstance(who, Person) else "ServicePrincipal",
    }
    return Action(
        "Microsoft.Authorization/roleAssignments/write",
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid(name)}",
        held,
        "Created",
        request=json.dumps({"properties": properties}),
    )
