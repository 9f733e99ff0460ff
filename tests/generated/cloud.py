"""Events of clouds and services for rules, raw, in the shapes that their logs are met in.

A slot is the path, with dots, at which a value stands in a record of the source's own form. Where
the fields of rules stand there is written down from the documentation of the sources.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from generated.azure import dotted, put
from generated.generator import Values, World, fold

TIME = "2026-03-04T05:06:07.891Z"
Record = dict[str, object]
Writer = Callable[[Values], Record | None]
"""Writes an event in one shape; none where the shape cannot say it."""


@dataclass(frozen=True)
class Source:
    """The log of one Sigma service: what its events hold, and how they are written."""

    base: Record
    slots: Mapping[str, str] = field(default_factory=dict)
    """Folded name in rules → slot, where it is not the name itself."""
    finish: Callable[[Record], None] = lambda _: None
    """Puts what stands at a slot into the form that the source gives it."""
    defaults: Values = field(default_factory=dict)
    gate: Values = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    free: tuple[str, ...] = ()
    elsewhere: Sequence[Values] = ()
    shapes: Mapping[str, Callable[["Source"], Writer]] = field(default_factory=dict)

    def world(self) -> World:
        return World(
            slot=lambda name: self.slots.get(fold(name), name),
            gates=[self.gate],
            defaults=self.defaults,
            free=self.free,
            always=self.always | self.gate.keys(),
            elsewhere=self.elsewhere,
        )

    def record(self, values: Values) -> Record:
        """Write an event in the source's own form."""
        record = json.loads(json.dumps(self.base))
        for slot, value in values.items():
            put(record, dotted(at=slot)["at"], value)
        self.finish(record)
        return record

    def writers(self) -> dict[str, Writer]:
        return {name: make(self) for name, make in self.shapes.items()}


def plain(source: Source) -> Writer:
    return source.record


def within(wrapper: Record, key: str, *, text: bool = False) -> Callable[[Source], Writer]:
    """Return what writes a record under a key of another, as an object or as its text."""

    def write(source: Source, values: Values) -> Record:
        record = source.record(values)
        whole = json.loads(json.dumps(wrapper))
        put(whole, dotted(at=key)["at"], json.dumps(record) if text else record)
        return whole

    return lambda source: partial(write, source)


def of(write: Callable[[Source, Values], Record | None]) -> Callable[[Source], Writer]:
    return lambda source: partial(write, source)


LABELLED = within({"label": "q7"}, "event")
EVENTBRIDGE = within(
    {"version": "0", "detail-type": "Some Log", "source": "some.source", "time": TIME}, "detail"
)
LOG_GROUP = within({"id": "37", "timestamp": 1_772_600_767_891}, "message", text=True)


def write_error(record: Record) -> None:
    """Write what CloudTrail says of an outcome: an error, or nothing."""
    if fold(str(record.pop("status", "success"))) != "success":
        record["errorCode"] = "AccessDenied"


CLOUDTRAIL = Source(
    base={
        "eventVersion": "1.11",
        "eventTime": TIME,
        "awsRegion": "eu-central-1",
        "eventID": "11111111-aaaa-4bbb-8ccc-000000000001",
        "recipientAccountId": "123456789012",
    },
    finish=write_error,
    defaults={"eventName": "DescribeThings", "eventSource": "things.amazonaws.com"},
    always=frozenset({"eventName", "eventSource", "status"}),
    shapes={
        "record": plain,
        "event": LABELLED,
        "eventbridge": EVENTBRIDGE,
        "cloudwatch": LOG_GROUP,
        "lookup": within({"EventId": "1", "Username": "ann"}, "CloudTrailEvent", text=True),
    },
)

OKTA = Source(
    base={"uuid": "22222222-aaaa", "published": TIME, "version": "0", "severity": "INFO"},
    slots={"target.displayname": "target.0.displayName"},
    defaults={"eventType": "some.event"},
    always=frozenset({"eventType"}),
    shapes={"record": plain, "event": LABELLED, "eventbridge": EVENTBRIDGE},
)

GITHUB = Source(
    base={
        "@timestamp": 1_772_600_767_891,
        "_document_id": "x7",
        "actor": "mira",
        "org": "contoso",
        "created_at": 1_772_600_767_891,
    },
    shapes={"record": plain, "event": LABELLED},
)

NOT_IN_ROWS = {"ApplicationId", "Directionality", "DeliveryAction"}
"""Fields of the audit log that the table OfficeActivity has no column for."""


def office_row(source: Source, values: Values) -> Record | None:
    if NOT_IN_ROWS & values.keys():
        return None
    record = source.record(values)
    names = {"Workload": "OfficeWorkload", "ObjectId": "OfficeObjectId", "Id": "OfficeId"}
    row = {names.get(key, key): as_cell(value) for key, value in record.items()}
    del row["CreationTime"]
    return {"Type": "OfficeActivity", "TimeGenerated": TIME, **row, "UserType": "Regular"}


def as_cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


WORDS = {"success": "Succeeded", "failure": "Failed"}


def write_office(record: Record) -> None:
    """Write lists of names and values, the words for an outcome, and an alert under its name."""
    for key in {"Parameters", "OperationProperties"} & record.keys():
        record[key] = [{"Name": "Identity", "Value": "q7"}, {"Name": record[key], "Value": "x"}]
    if "RequestType" in record:
        record["ExtendedProperties"] = [{"Name": "RequestType", "Value": record.pop("RequestType")}]
    outcome = record.get("ResultStatus")
    if isinstance(outcome, str):
        words = WORDS | ({"success": "True"} if record["Workload"] == "Exchange" else {})
        record["ResultStatus"] = words.get(fold(outcome), outcome)
    if record["Workload"] == COMPLIANCE_CENTER:
        name = record["Operation"]
        record |= {"Operation": "AlertTriggered", "Name": name, "Status": "Active"}


COMPLIANCE_CENTER = "SecurityComplianceCenter"
OFFICE = Source(
    base={
        "CreationTime": "2026-03-04T05:06:07",
        "Id": "33333333-aaaa-4bbb-8ccc-000000000003",
        "OrganizationId": "44444444-aaaa",
        "RecordType": 1,
        "UserKey": "q7",
        "UserType": 0,
        "UserId": "mira@contoso.example",
        "Version": 1,
    },
    slots={
        "eventsource": "Workload",
        "eventname": "Operation",
        "status": "ResultStatus",
    },
    finish=write_office,
    defaults={"Operation": "Something", "Workload": "SharePoint"},
    always=frozenset({"Operation", "Workload"}),
    shapes={
        "record": plain,
        "event": LABELLED,
        "audit_data": within({"Identity": "q7", "Operations": "x"}, "AuditData", text=True),
        "cloud_app_events": within(
            {"Timestamp": TIME, "ActionType": "x", "ReportId": "7"}, "RawEventData"
        ),
        "log_analytics": of(office_row),
    },
)
ALERTS = replace(
    OFFICE, gate={"Workload": COMPLIANCE_CENTER}, elsewhere=[{"Workload": "Elsewhere"}]
)
MAIL = replace(OFFICE, gate={"Workload": "Exchange"}, elsewhere=[{"Workload": "Elsewhere"}])
