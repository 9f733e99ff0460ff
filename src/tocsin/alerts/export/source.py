"""The event of an alert as a document of the Elastic Common Schema (ECS)."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from tocsin.alerts.model import Event
from tocsin.jsontext import Json, read
from tocsin.logs.document import document
from tocsin.logs.load import shipped_log_types

_PARTS = ("event", "data_stream", "ecs")
"""Objects of which a document in ECS has at least one."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "user": ("user.name", "related.user"),
    "address": ("source.address",),
    "ip": ("source.ip", "related.ip"),
    "host": ("host.name", "related.hosts"),
    "tenant": ("cloud.account.id",),
    "application": ("labels.application",),
    "resource": ("labels.resource",),
}
"""The fields in which entities of each type are written."""

Entities = Iterable[tuple[str, str]]


def event_document(event: Event, entities: Entities = ()) -> dict[str, Json]:
    """Return an event that is in ECS as it is, another one under the names that ECS has for it.

    Where its log type has no such names, that is its text with its entities.
    """
    record = read(event.raw).value
    if is_ecs(record):
        return record
    said: dict[str, Json] = {"event.original": event.raw, "log.file.path": event.source}
    own = [one for one in shipped_log_types() if one.name == event.log_type]
    known = document(record, own)
    if known is record:
        return nested(said | dict(_entity_fields(entities)))
    return nested({**known, **said})


def is_ecs(record: Mapping[str, Json]) -> bool:
    """Say whether a record is a document in ECS, nested or with dotted keys."""
    if "@timestamp" not in record or not isinstance(record.get("event", {}), dict):
        return False
    return any(isinstance(record.get(part), dict) for part in _PARTS) or any(
        key.startswith(tuple(f"{part}." for part in _PARTS)) for key in record
    )


def nested(fields: Mapping[str, Json]) -> dict[str, Json]:
    """Return dotted names as objects; a name below one that is no object stays dotted."""
    document: dict[str, Json] = {}
    for name, value in fields.items():
        *above, last = name.split(".")
        within = _within(document, above)
        if within is None or last in within:
            document[name] = value
        else:
            within[last] = value
    return document


def _within(document: dict[str, Json], path: Iterable[str]) -> dict[str, Json] | None:
    for key in path:
        found = document.setdefault(key, {})
        if not isinstance(found, dict):
            return None
        document = found
    return document


def is_ip(text: str) -> bool:
    """Say whether a text is an IP address, without port, zone or length."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _entity_fields(entities: Entities) -> Iterator[tuple[str, Json]]:
    values: dict[str, list[Json]] = {}
    for kind, value in entities:
        kinds = (kind, "ip") if kind == "address" and is_ip(value) else (kind,)
        for name in (name for one in kinds for name in _FIELDS.get(one, ())):
            values.setdefault(name, []).append(value)
    for name, found in values.items():
        yield name, found if len(found) > 1 or name.startswith("related.") else found[0]
