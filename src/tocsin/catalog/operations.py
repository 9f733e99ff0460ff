"""API operations and event ids that rules name, and services whose operations are documented."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from tocsin.logs.bridges import Bridge, bridge_names, load_bridge
from tocsin.rules.model import LogSource, Rule

if TYPE_CHECKING:
    from tocsin.catalog.entries import Entry
    from tocsin.catalog.indicators import Indicator

FIELDS: Mapping[str, str] = {
    "operationname": "azure",
    "operationname.value": "azure",
    "operationnamevalue": "azure",
    "properties.message": "azure",
    "azure.activitylogs.operation_name": "azure",
    "azure.platformlogs.operation_name": "azure",
    "azure.auditlogs.operation_name": "azure",
    "azure.signinlogs.operation_name": "azure",
    "activitydisplayname": "azure",
    "eventname": "aws",
    "event.action": "",
    "event.code": "windows",
    "eventid": "windows",
    "winlog.event_id": "windows",
    "methodname": "gcp",
    "protopayload.methodname": "gcp",
    "gcp.audit.method_name": "gcp",
    "data.protopayload.methodname": "gcp",
    "eventtype": "okta",
    "okta.event_type": "okta",
    "operation": "m365",
    "o365.audit.operation": "m365",
    "action": "github",
    "github.action": "github",
    "kubernetes.audit.verb": "kubernetes",
    "eventsource": "aws",
}
"""Fields that name what was done, folded, and the platform whose they are; empty: the rule's."""

_PARTS: Mapping[str, str] = {
    "equals": "{}",
    "glob": "{}",
    "startswith": "{}*",
    "endswith": "*{}",
    "contains": "*{}*",
}
"""Operators that name an operation, and what they say of the rest of it."""

_PROVIDER = re.compile(r"(microsoft\.[a-z0-9.]+)/", re.IGNORECASE)
_CHANNELS: Mapping[str, str] = {
    "security": "Windows Security",
    "system": "Windows System",
    "application": "Windows Application",
    "sysmon": "Windows Sysmon",
    "powershell": "Windows PowerShell",
}
_NAMES: Mapping[str, str] = {
    "aws": "AWS CloudTrail",
    "azure": "Azure and Entra ID",
    "gcp": "Google Cloud audit",
    "github": "GitHub audit",
    "google_workspace": "Google Workspace",
    "kubernetes": "Kubernetes audit",
    "m365": "Microsoft 365 audit",
    "okta": "Okta System Log",
    "windows": "Windows, other channels",
}
BRIDGED: Mapping[str, str] = {"keyvault": "Microsoft.KeyVault"}
"""The service whose operations a bridge documents."""


@dataclass(slots=True)
class Operation:
    """One operation of a service, the rules that name it, and those that name its twin."""

    name: str
    entries: list["Entry"] = field(default_factory=list)
    twins: tuple[str, ...] = ()
    documented: bool = False
    written: bool = True
    """Whether a log has it under this name; what is not is seen over a bridge only."""
    through_twins: list["Entry"] = field(default_factory=list)

    @property
    def watched(self) -> bool:
        """Say whether any rule names it, under either name."""
        return bool(self.entries or self.through_twins)

    @property
    def bridged(self) -> bool:
        """Say whether the rules that watch it see it over a bridge only."""
        return self.watched and not (self.written and self.entries)


@dataclass(slots=True)
class Service:
    """A service, and its operations that rules name or that are documented."""

    name: str
    operations: dict[str, Operation] = field(default_factory=dict)
    bridge: str = ""
    """The name of the bridge that documents its operations."""

    def operation(self, name: str) -> Operation:
        """Return an operation by its name, ignoring case; it is added if it is not there."""
        return self.operations.setdefault(name.lower(), Operation(name))

    @property
    def unwatched(self) -> list[Operation]:
        """Return the documented operations that no rule sees."""
        return [one for one in self._documented() if not one.watched]

    @property
    def bridged(self) -> list[Operation]:
        """Return the documented operations that rules see over a bridge only."""
        return [one for one in self._documented() if one.written and one.bridged]

    def _documented(self) -> list[Operation]:
        return [one for one in self.operations.values() if one.documented]


def operations_of(rule: Rule, indicators: Sequence["Indicator"]) -> tuple[str, ...]:
    """Return `service: operation` for what a rule names in fields that say what was done.

    Where it names only a part of the operation, `*` stands for the rest.
    """
    found = (
        f"{service}: {_PARTS[one.op].format(value)}"
        for one in indicators
        if one.op in _PARTS and not one.negated
        for value in one.values
        for service in [_service(rule, one.field, value)]
        if service
    )
    return tuple(dict.fromkeys(found))


def _service(rule: Rule, field: str, value: str) -> str:
    folded = field.partition(" (")[0].lower()
    platform = FIELDS.get(folded)
    if platform is None or folded == "eventsource":
        return ""
    if found := _PROVIDER.match(value):
        return _provider_name(found[1])
    if value.lower() in _documented():
        return _documented()[value.lower()]
    if platform == "windows" or (not platform and value.isdigit()):
        return _channel(rule) if value.isdigit() else ""
    if not platform:
        platform = _platform(rule)
    return _NAMES.get(platform, "")


def _channel(rule: Rule) -> str:
    for one in rule.inputs:
        if isinstance(one.scope, LogSource):
            if one.scope.product not in {"windows", None}:
                return ""
            name = (one.scope.service or "").partition("-")[0]
            return _CHANNELS.get(name, _NAMES["windows"])
    return _NAMES["windows"]


def _platform(rule: Rule) -> str:
    from tocsin.rules.traits import platforms

    return next((one for one in platforms(rule) if one in _NAMES and one != "windows"), "")


@cache
def _documented() -> Mapping[str, str]:
    """Return the service of every operation that a bridge documents, by its folded name."""
    return {
        operation.lower(): BRIDGED.get(name, name)
        for name in bridge_names()
        for operation in load_bridge(name).operations
    }


@cache
def _provider_name(text: str) -> str:
    """Spell a provider as Azure does, where that is known: it compares ignoring case."""
    known = {one.lower(): one for one in BRIDGED.values()}
    return known.get(text.lower()) or "Microsoft." + text.partition(".")[2].lower()


@cache
def twins_of(name: str) -> tuple[str, ...]:
    """Return what an operation is called in another log, in either direction."""
    bridges = [load_bridge(one) for one in bridge_names()]
    found: list[str] = []
    for bridge in bridges:
        for operation, actions in bridge.operations.items():
            if operation.lower() == name.lower():
                found += actions
        found += bridge.events_of(name)
    return tuple(dict.fromkeys(found))


def services(entries: Iterable["Entry"]) -> list[Service]:
    """Return every service that rules name operations of, the most watched first."""
    found: dict[str, Service] = {}
    for entry in entries:
        for text in entry.operations:
            name, _, operation = text.partition(": ")
            service = found.setdefault(name.lower(), Service(name))
            service.operation(operation).entries.append(entry)
    for name in bridge_names():
        service_name = BRIDGED.get(name, name)
        _document(found.setdefault(service_name.lower(), Service(service_name)), load_bridge(name))
    return sorted(found.values(), key=lambda one: (-_watched(one), one.name))


def _watched(service: Service) -> int:
    return sum(bool(one.entries) for one in service.operations.values())


def _document(service: Service, bridge: Bridge) -> None:
    """Add the operations of a bridge on both of its sides, each with its twins on the other."""
    service.bridge = bridge.name
    for operation, actions in bridge.operations.items():
        one = service.operation(operation)
        one.documented, one.twins = True, actions
    for action in dict.fromkeys(action for of in bridge.operations.values() for action in of):
        one = service.operation(action)
        one.documented, one.twins = True, bridge.events_of(action)
        one.written = action in bridge.written
    _spread(service)
    for one in list(service.operations.values()):
        one.through_twins = list(_of_twins(service, one))


def _spread(service: Service) -> None:
    """Show rules that name a part of operations under each documented one that has it."""
    patterns = [one for one in service.operations.values() if "*" in one.name]
    for pattern in patterns:
        for one in service.operations.values():
            if one.documented and fnmatchcase(one.name.lower(), pattern.name.lower()):
                one.entries += [entry for entry in pattern.entries if entry not in one.entries]


def _of_twins(service: Service, one: Operation) -> Iterator["Entry"]:
    own = {id(entry) for entry in one.entries}
    for twin in one.twins:
        for entry in service.operation(twin).entries:
            if id(entry) not in own:
                own.add(id(entry))
                yield entry
