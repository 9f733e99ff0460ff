"""Windows events for rules, raw: flat as NXLog writes them, as EVTX readers do, as Winlogbeat does.

Which events answer to a rule is what `oracle.windows_facts` says.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from generated.corpus import CorpusRule
from generated.generator import Values, World, fold, share
from oracle import sigma_oracle
from oracle.windows_facts import (
    ANY_EVENT,
    CATEGORIES,
    CLEARED,
    EVENTLOG,
    SERVICES,
    Variant,
    as_named,
    variants_for,
    view,
)

TIME = "2026-03-04T05:06:07.891Z"
HOST = "ws-17.corp.example"
NAMES = ("Channel", "EventID", "EventType", "OperationType", "Provider_Name", "Message")
RECORDED_BESIDES = {"4688": {"commandline"}, "4657": set(), "5156": {"sourceport"}}
"""Event id → folded names that such events hold under Sigma's own name."""
OTHER_CHANNEL = "Microsoft-Windows-Elsewhere/Operational"


def worlds(rule: CorpusRule) -> Iterator[tuple[Variant, World]]:
    """Yield the ways in which events answer to a rule's log source."""
    if rule.service == "system" and EVENTLOG in rule.texts:
        yield CLEARED, CLEARED_WORLD
        return
    channels = channels_of(rule.service)
    variants = CATEGORIES[rule.category] if rule.category else [ANY_EVENT]
    for variant in variants:
        if variant.without.isdisjoint(rule.fields):
            yield variant, make_world(variant, channels or variant.channels)


def channels_of(service: str | None) -> tuple[str, ...]:
    found = SERVICES[service] if service else ()
    return (found,) if isinstance(found, str) else tuple(found)


def make_world(variant: Variant, channels: tuple[str, ...]) -> World:
    where = {fold(key): sorted(value) for key, value in variant.where.items()}
    identifiers = [int(one) for one in sorted(variant.event_ids, key=int)]
    fixed = {"channel": list(channels), "eventid": identifiers, **where}
    fixed = {name: options for name, options in fixed.items() if options}
    gates = [dict(zip(fixed, values, strict=True)) for values in product(*fixed.values())]
    elsewhere = [{name: OTHER_CHANNEL} for name in ("channel",) if channels]
    elsewhere += [{"eventid": 9999}] if identifiers else []
    elsewhere += [{name: "Elsewhere"} for name in where]
    return World(
        gates=gates,
        recorded=recorded_by(variant),
        defaults={"channel": "System", "eventid": 9001},
        free=("message",),
        always=frozenset({"eventid"}),
        elsewhere=elsewhere,
    )


CLEARED_WORLD = World(
    gates=[{"eventid": 104, "provider_name": EVENTLOG}],
    always=frozenset({"eventid"}),
    elsewhere=[{"eventid": 9999}, {"provider_name": "Elsewhere"}],
)
"""Events of the System log that say that a log was cleared: its channel is a rule's `Channel`."""


def recorded_by(variant: Variant):
    """Return the test for what an audit event records; others record whatever a rule names."""
    (identifier, *more) = variant.event_ids or ("",)
    besides = RECORDED_BESIDES.get(identifier)
    if besides is None or more:
        return lambda _: True
    recorded = besides | {fold(name) for name in (*variant.names, "message")}
    return lambda slot: slot in recorded


def named(rule: CorpusRule, variant: Variant, values: Values) -> Values:
    """Return values under the names that an event of a variant has for them."""
    spelled = {fold(name): name for name in (*NAMES, *rule.fields)}
    event: Values = {}
    for slot, value in values.items():
        origin = variant.names.get(spelled[slot], spelled[slot])
        if variant is CLEARED:
            origin = spelled[slot]
        if callable(origin):
            origin = ACCOUNT_OF[spelled[slot]]
        if isinstance(origin, tuple):
            origin, table = origin
            event[origin] = written_as(value, table)
        else:
            event[origin] = value
    return event


ACCOUNT_OF = {"User": "TargetUserName", "ParentUser": "SubjectUserName"}


def reader(record: dict) -> Callable[[CorpusRule], bool]:
    """Return what says of any rule whether it matches a flat record."""
    parsed = sigma_oracle.parse_event(json.dumps(record))
    words = sigma_oracle.words_of(parsed)
    named = as_named({name.replace(" ", ""): value for name, value in parsed.items()})

    def matches(rule: CorpusRule) -> bool:
        return any(
            rule.matches(view(named, variant), words)
            for variant in variants_for(rule, named)
            if variant.without.isdisjoint(rule.fields)
        )

    return matches


def written_as(value: object, table: Mapping[str, str]) -> object:
    """Return what an event writes for a value that a table makes of it."""
    back = {fold(shown): written for written, shown in table.items()}
    return back.get(fold(str(value)), value)


NXLOG = {
    "Provider_Name": "SourceName",
    "Computer": "Hostname",
    "ComputerName": "Hostname",
    "Security_UserID": "UserID",
}
DEFENDER_NAMES = {
    "Feature_Name": "Feature Name",
    "NewValue": "New Value",
    "OldValue": "Old Value",
    "ProcessName": "Process Name",
    "SourceName": "Source Name",
    "ThreatName": "Threat Name",
}
"""Names with spaces, which rules leave out."""


def flat_record(rule: CorpusRule, variant: Variant, values: Values) -> dict:
    """Write an event as NXLog does: everything at the top."""
    event = named(rule, variant, values)
    if variant is CLEARED:
        event = {**event, "Channel": "System"}
        if values.get("channel") is not None:
            event["Message"] = f"The {values['channel']} log file was cleared."
    names = NXLOG | (DEFENDER_NAMES if rule.service == "windefend" else {})
    record = {"EventTime": "2026-03-04 05:06:07", "@timestamp": TIME, "Hostname": HOST}
    record |= {names.get(name, name): value for name, value in event.items()}
    if "Data" in record and "Message" not in record:
        record["Message"] = record.pop("Data")
    if "Sysmon" in str(record["Channel"]) and "EventType" in record and share(rule.id, 2):
        said = f"Registry:\nEventType: {record['EventType']}\nRuleName: -"
        record |= {"EventType": "INFO", "Message": said}
    return record


OF_USER = {"applocker", "printservice-operational", "terminalservices-localsessionmanager", "wmi"}
"""Services whose events hold user data instead of event data."""
SYSTEM = {"Channel", "EventID", "Computer", "Level", "Keywords", "Opcode", "Task", "Version"}


def evtx_record(rule: CorpusRule, variant: Variant, values: Values) -> dict:
    """Write an event as tools that read EVTX files do: the XML as JSON."""
    event = named(rule, variant, values)
    cleared = {"Channel": event.pop("Channel", None)} if variant is CLEARED else {}
    event = {"Channel": "System", **event} if variant is CLEARED else event
    provider = {"Name": event.pop("Provider_Name", "Some-Provider")}
    system: dict = {"Provider": {"#attributes": provider}, "Computer": HOST}
    system["TimeCreated"] = {"#attributes": {"SystemTime": TIME}}
    system |= {name: event.pop(name) for name in SYSTEM & event.keys()}
    if share(rule.id, 2):
        system["EventID"] = {"#text": system["EventID"], "#attributes": {"Qualifiers": 0}}
    if "Data" in event:
        event["Data"] = {"#text": [event["Data"], "more"]}
    rendered = {"Message": event.pop("Message")} if "Message" in event else {}
    if rule.service == "windefend":
        event = {DEFENDER_NAMES.get(name, name): value for name, value in event.items()}
    if variant is CLEARED:
        return {"Event": {"System": system, "UserData": {"LogFileCleared": cleared}}}
    held = {"UserData": {"EventXML": event}} if rule.service in OF_USER else {"EventData": event}
    return {"Event": {"System": system, **held, "RenderingInfo": rendered}}


WINLOG = {
    "Channel": "channel",
    "EventID": "event_id",
    "Computer": "computer_name",
    "Provider_Name": "provider_name",
}
ECS_OF_SYSMON = {
    "Image": "process.executable",
    "CommandLine": "process.command_line",
    "CurrentDirectory": "process.working_directory",
    "ParentImage": "process.parent.executable",
    "ParentCommandLine": "process.parent.command_line",
    "OriginalFileName": "process.pe.original_file_name",
    "Company": "process.pe.company",
    "Description": "process.pe.description",
    "FileVersion": "process.pe.file_version",
    "Product": "process.pe.product",
}
"""Where Winlogbeat's Sysmon module puts what Sysmon says of a new process."""
WINLOG_KEYWORDS = {"0x8010000000000000": "Audit Failure", "0x8020000000000000": "Audit Success"}
LEVELS = ("", "critical", "error", "warning", "information", "verbose")


def winlogbeat_record(rule: CorpusRule, variant: Variant, values: Values) -> dict:
    """Write an event as Winlogbeat does: all event data is text, or moved to ECS by its module."""
    event = named(rule, variant, values)
    winlog: dict = {"computer_name": HOST}
    if variant is CLEARED:
        winlog["user_data"] = {"xml_name": "LogFileCleared", "Channel": event.get("Channel")}
        event["Channel"] = "System"
    winlog |= {WINLOG[name]: event.pop(name) for name in WINLOG.keys() & event.keys()}
    record: dict = {"@timestamp": TIME, "winlog": winlog}
    if "Message" in event:
        record["message"] = event.pop("Message")
    if "Level" in event:
        record["log"] = {"level": level_name(event.pop("Level"))}
    if "Keywords" in event:
        winlog["keywords"] = [WINLOG_KEYWORDS.get(event["Keywords"], event.pop("Keywords"))]
    if "Data" in event:
        event["param1"] = event.pop("Data")
    if rule.category == "process_creation" and share(rule.id, 2):
        for name in ECS_OF_SYSMON.keys() & event.keys():
            put(record, ECS_OF_SYSMON[name].split("."), event.pop(name))
    if rule.service == "windefend":
        event = {DEFENDER_NAMES.get(name, name): value for name, value in event.items()}
    winlog["event_data"] = {name: as_text(value) for name, value in event.items()}
    return record


def level_name(value: object) -> object:
    number = str(value)
    return LEVELS[int(number)] if number in set("12345") else value


def as_text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def put(record: dict, path: list[str], value: object) -> None:
    *outer, last = path
    for key in outer:
        record = record.setdefault(key, {})
    record[last] = value
