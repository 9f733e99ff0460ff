import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.pipelines.common import windows_logsource_mapping

from tocsin.condition.evaluate import holds
from tocsin.condition.tree import Call, Field
from tocsin.jsontext import read
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import EVERY_EVENT, LogType, Shape, Variant
from tocsin.logs.view import RecordView, identify
from tocsin.times import format_time

SYSMON = "Microsoft-Windows-Sysmon/Operational"
DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
TIME = "2026-03-04T05:06:07.891Z"


@cache
def windows() -> LogType:
    return next(log_type for log_type in shipped_log_types() if log_type.name == "windows")


def shape_of(record: dict[str, Any]) -> Shape:
    found = identify(record, [windows()])
    assert found, "not identified"
    return found[1]


def view(record: dict[str, Any], variant: Variant | None = None) -> RecordView:
    """See a record, given as plain values, as the reader of JSON would deliver it."""
    parsed = read(json.dumps(record)).value
    return RecordView(parsed, shape_of(parsed), variant=variant)


def texts(seen: RecordView, name: str) -> list[str] | None:
    values = seen.read(Field((name,), (Call("text"),)))
    return None if values is None else [str(value) for value in values]


def variants_of(record: dict[str, Any], category: str) -> list[Variant]:
    """Return the variants of a category that a record answers to."""
    return [
        variant
        for variant in windows().categories[category]
        if holds(variant.condition, view(record).read)
    ]


def categories_of(record: dict[str, Any]) -> set[str]:
    return {category for category in windows().categories if variants_of(record, category)}


def services_of(record: dict[str, Any]) -> set[str]:
    seen = view(record)
    return {
        name
        for name, variants in windows().services.items()
        if any(holds(variant.condition, seen.read) for variant in variants)
    }


def flat(channel: str, event_id: int, provider: str, data: dict[str, Any]) -> dict[str, Any]:
    """Write an event as NXLog does."""
    return {
        "@timestamp": TIME,
        "EventTime": "2026-03-04 00:06:07",
        "Hostname": "pc1.example.org",
        "Channel": channel,
        "EventID": event_id,
        "SourceName": provider,
        "ProviderGuid": "{11}",
        "RecordNumber": 77,
        "SeverityValue": 2,
        "Severity": "INFO",
        "EventType": "INFO",
        "Keywords": -9214364837600034816,
        "ExecutionProcessID": 500,
        "ThreadID": 600,
        "UserID": "S-1-5-18",
        **data,
    }


def evtx(channel: str, event_id: int, provider: str, data: dict[str, Any]) -> dict[str, Any]:
    """Write an event as a reader of EVTX files does."""
    return {
        "Event": {
            "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {
                "Provider": {"#attributes": {"Name": provider, "Guid": "{11}"}},
                "EventID": {"#attributes": {"Qualifiers": 0}, "#text": event_id},
                "Level": 4,
                "Keywords": "0x8020000000000000",
                "TimeCreated": {"#attributes": {"SystemTime": TIME}},
                "EventRecordID": 77,
                "Execution": {"#attributes": {"ProcessID": 500, "ThreadID": 600}},
                "Channel": channel,
                "Computer": "pc1.example.org",
                "Security": {"#attributes": {"UserID": "S-1-5-18"}},
            },
            "EventData": data,
        }
    }


def winlogbeat(channel: str, event_id: int, provider: str, data: dict[str, Any]) -> dict[str, Any]:
    """Write an event as Winlogbeat does without its modules."""
    return {
        "@timestamp": TIME,
        "event": {"code": str(event_id), "provider": provider},
        "host": {"name": "collector.example.org"},
        "log": {"level": "information"},
        "message": "as the event viewer shows it",
        "winlog": {
            "channel": channel,
            "event_id": str(event_id),
            "provider_name": provider,
            "provider_guid": "{11}",
            "computer_name": "pc1.example.org",
            "record_id": 77,
            "keywords": ["Audit Success"],
            "process": {"pid": 500, "thread": {"id": 600}},
            "user": {"identifier": "S-1-5-18"},
            "event_data": data,
        },
    }


SHAPES = {"flat": flat, "evtx": evtx, "winlogbeat": winlogbeat}

SYSTEM = {
    "Computer": "pc1.example.org",
    "EventRecordID": "77",
    "Keywords": "0x8020000000000000",
    "Provider_Guid": "{11}",
    "Execution_ProcessID": "500",
    "Execution_ThreadID": "600",
    "Security_UserID": "S-1-5-18",
}
EVENTS: dict[str, tuple[str, int, str, dict[str, str]]] = {
    "process creation": (
        SYSMON,
        1,
        "Microsoft-Windows-Sysmon",
        {
            "Image": r"C:\Windows\System32\whoami.exe",
            "CommandLine": "whoami /all",
            "ParentImage": r"C:\Windows\System32\cmd.exe",
            "OriginalFileName": "whoami.exe",
            "Hashes": "MD5=00,IMPHASH=11",
            "IntegrityLevel": "High",
            "User": r"CORP\ann",
            "ProcessId": "4660",
        },
    ),
    "registry value": (
        SYSMON,
        13,
        "Microsoft-Windows-Sysmon",
        {
            "EventType": "SetValue",
            "TargetObject": r"HKLM\SOFTWARE\Run\x",
            "Details": "DWORD (0x00000001)",
            "Image": r"C:\Windows\regedit.exe",
        },
    ),
    "4688": (
        "Security",
        4688,
        "Microsoft-Windows-Security-Auditing",
        {
            "NewProcessName": r"C:\Windows\System32\whoami.exe",
            "NewProcessId": "0x1234",
            "ParentProcessName": r"C:\Windows\System32\cmd.exe",
            "ProcessId": "0x99",
            "SubjectLogonId": "0x3e7",
            "SubjectUserName": "PC1$",
            "SubjectUserSid": "S-1-5-18",
            "TargetUserName": "-",
            "TargetUserSid": "S-1-0-0",
            "MandatoryLabel": "S-1-16-12288",
            "CommandLine": "whoami /all",
        },
    ),
    "4657": (
        "Security",
        4657,
        "Microsoft-Windows-Security-Auditing",
        {
            "ProcessName": r"C:\Windows\regedit.exe",
            "ObjectName": r"\REGISTRY\MACHINE\SOFTWARE\Run",
            "NewValue": "1",
            "OperationType": "%%1904",
        },
    ),
    "5156": (
        "Security",
        5156,
        "Microsoft-Windows-Security-Auditing",
        {
            "Application": r"\device\harddiskvolume2\windows\system32\svchost.exe",
            "ProcessID": "3304",
            "Direction": "%%14593",
            "SourceAddress": "192.0.2.1",
            "SourcePort": "50000",
            "DestAddress": "198.51.100.2",
            "DestPort": "443",
            "Protocol": "6",
        },
    ),
    "logon": (
        "Security",
        4624,
        "Microsoft-Windows-Security-Auditing",
        {"TargetUserName": "ann", "IpAddress": "192.0.2.9", "LogonType": "3", "Status": "0x0"},
    ),
}
SPACED = {
    "Threat Name": "EICAR_Test_File",
    "Source Name": "AMSI",
    "Detection User": r"CORP\ann",
    "Process Name": r"C:\a.exe",
    "Path": r"file:_C:\b.txt",
    "New Value": "0x1",
    "Feature Name": "%%886",
}


def each_shape(name: str) -> Iterator[dict[str, Any]]:
    return (make(*EVENTS[name]) for make in SHAPES.values())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_reads_the_same_in_every_shape(name: str, shape: str) -> None:
    channel, event_id, provider, data = EVENTS[name]
    seen = view(SHAPES[shape](channel, event_id, provider, data))
    expected = {
        **SYSTEM,
        **data,
        "Channel": channel,
        "EventID": str(event_id),
        "Provider_Name": provider,
    }
    assert {key: texts(seen, key) for key in expected} == {
        key: [value] for key, value in expected.items()
    }
    assert texts(seen, "Level") == ["4", "Information"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EVENTS)
def test_one_shape_accepts_a_record(name: str, shape: str) -> None:
    record = SHAPES[shape](*EVENTS[name])
    accepted = [
        known.name
        for known in windows().shapes
        if holds(known.identify, RecordView(record, known).exact)
    ]
    assert accepted == [shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_time_identity_and_entities_are_the_same_in_every_shape(shape: str) -> None:
    channel, event_id, provider, data = EVENTS["process creation"]
    seen = view(SHAPES[shape](channel, event_id, provider, data))
    time = seen.time()
    assert time is not None
    assert format_time(time) == TIME
    unique = [seen.evaluate(expr) for expr in seen.shape.unique]
    assert [str(getattr(value, "text", value)) for [value] in unique] == [  # type: ignore[misc]
        "pc1.example.org",
        channel,
        "77",
    ]
    assert set(seen.entities()) == {
        ("user", "ann"),
        ("host", "pc1.example.org"),
        ("application", data["Image"]),
    }


@pytest.mark.parametrize(
    "event_id",
    [4688, "4688", {"#text": 4688, "#attributes": {"Qualifiers": ""}}, {"#text": "4688"}],
    ids=["number", "text", "number with attributes", "text in an element"],
)
def test_an_event_id_may_be_written_in_any_way(event_id: object) -> None:
    record = evtx(*EVENTS["4688"])
    record["Event"]["System"]["EventID"] = event_id
    assert texts(view(record), "EventID") == ["4688"]
    assert categories_of(record) == {"process_creation"}


@pytest.mark.parametrize(
    "provider",
    [
        {"Provider": {"#attributes": {"Name": "P"}}},
        {"Provider_attributes": {"Name": "P"}},
        {"Provider": {"@Name": "P"}},
        {"Provider": {"Name": "P"}},
    ],
    ids=["attributes", "beside", "at sign", "child"],
)
def test_attributes_may_be_written_in_any_way(provider: dict[str, Any]) -> None:
    system = {"EventID": 1, "Channel": "Application", **provider}
    assert texts(view({"Event": {"System": system}}), "Provider_Name") == ["P"]


def test_user_data_is_read_whatever_its_wrapper_is_called() -> None:
    record = evtx("Security", 1102, "Microsoft-Windows-Eventlog", {})
    data = {"SubjectUserName": "ann", "#attributes": {"xmlns": "x"}}
    del record["Event"]["EventData"]
    record["Event"]["UserData"] = {"LogFileCleared": data}
    other = winlogbeat("Security", 1102, "Microsoft-Windows-Eventlog", {})
    other["winlog"]["user_data"] = {"xml_name": "LogFileCleared", "SubjectUserName": "ann"}
    for seen in (view(record), view(other)):
        assert texts(seen, "SubjectUserName") == ["ann"]
        assert ("user", "ann") in set(seen.entities())


def cleared(channel: str) -> list[dict[str, Any]]:
    """Write in every shape that a log was cleared."""
    event = ("System", 104, "Microsoft-Windows-Eventlog", {})
    nxlog = {**flat(*event), "Message": f"The {channel} log file was cleared."}
    data = {"SubjectUserName": "ann", "Channel": channel, "BackupPath": ""}
    xml = evtx(*event)
    xml["Event"]["UserData"] = {"LogFileCleared": data}
    beat = winlogbeat(*event)
    beat["winlog"]["user_data"] = {"xml_name": "LogFileCleared", **data}
    return [nxlog, xml, beat]


def channels_of_system(record: dict[str, Any]) -> list[list[str] | None]:
    """Return what rules for the service `system` read as the channel of an event."""
    return [
        texts(view(record, variant), "Channel")
        for variant in windows().services["system"]
        if holds(variant.condition, view(record).read)
    ]


@pytest.mark.parametrize("number", range(3), ids=SHAPES)
def test_the_channel_of_a_cleared_log_is_that_log(number: int) -> None:
    assert channels_of_system(cleared("Application")[number]) == [["Application"]]
    assert channels_of_system(cleared("Windows PowerShell")[number]) == [["Windows PowerShell"]]


def test_a_cleared_log_is_not_named_where_the_message_does_not_tell() -> None:
    record = flat("System", 104, "Microsoft-Windows-Eventlog", {"Message": "Es wurde gelöscht."})
    assert channels_of_system(record) == [None]


@pytest.mark.parametrize("shape", SHAPES)
def test_other_events_of_the_system_log_keep_their_channel(shape: str) -> None:
    for event in ((104, "Some-Provider"), (7045, "Microsoft-Windows-Eventlog")):
        assert channels_of_system(SHAPES[shape]("System", *event, {})) == [["System"]]


def test_names_are_looked_up_ignoring_case() -> None:
    assert [texts(view(record), "processid") for record in each_shape("5156")] == [["3304"]] * 3


@pytest.mark.parametrize(
    ("wrapped", "expected"),
    [
        ({"#text": ["Available", "None"]}, ["Available", "None"]),
        (["Available", "None"], ["Available", "None"]),
        ("Available", ["Available"]),
    ],
    ids=["element", "list", "text"],
)
def test_event_data_without_names(wrapped: object, expected: list[str]) -> None:
    record = evtx("Windows PowerShell", 400, "PowerShell", {"Data": wrapped, "Binary": None})
    assert texts(view(record), "Data") == expected
    assert categories_of(record) == {"ps_classic_start"}


def test_event_data_without_names_is_in_the_message_or_numbered_elsewhere() -> None:
    event = ("Windows PowerShell", 400, "PowerShell")
    nxlog = flat(*event, {"Message": "Engine state is changed: EngineVersion=2.0"})
    assert texts(view(nxlog), "Data") == ["Engine state is changed: EngineVersion=2.0"]
    beat = winlogbeat(*event, {"param1": "Available", "param3": "EngineVersion=2.0"})
    assert texts(view(beat), "Data") == [
        "Available",
        "EngineVersion=2.0",
        "as the event viewer shows it",
    ]


ECS = {
    "process": {
        "executable": r"C:\a.exe",
        "command_line": "a.exe -x",
        "working_directory": "C:\\",
        "pid": 4660,
        "pe": {"original_file_name": "A.EXE", "company": "Acme"},
        "parent": {"executable": r"C:\b.exe", "command_line": "b.exe", "pid": 17},
    },
    "file": {"path": r"C:\c.dll"},
    "dns": {"question": {"name": "example.org"}},
    "registry": {
        "path": r"HKLM\SOFTWARE\x",
        "data": {"type": "SZ_DWORD", "strings": ["1"]},
    },
    "source": {"ip": "192.0.2.1", "port": 50000},
    "destination": {"ip": "198.51.100.2", "port": 443, "domain": "example.org"},
    "network": {"direction": "egress", "type": "ipv6", "transport": "tcp"},
    "user": {"domain": "NT AUTHORITY", "name": "SYSTEM"},
    "powershell": {"file": {"script_block_text": "iex $x"}},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "Image": [r"C:\a.exe"],
        "SourceImage": [r"C:\a.exe"],
        "NewProcessName": [r"C:\a.exe"],
        "CommandLine": ["a.exe -x"],
        "CurrentDirectory": ["C:\\"],
        "ProcessId": ["4660"],
        "OriginalFileName": ["A.EXE"],
        "Company": ["Acme"],
        "ParentImage": [r"C:\b.exe"],
        "ParentCommandLine": ["b.exe"],
        "ParentProcessId": ["17"],
        "TargetFilename": [r"C:\c.dll"],
        "ImageLoaded": [r"C:\c.dll"],
        "QueryName": ["example.org"],
        "TargetObject": [r"HKLM\SOFTWARE\x"],
        "Details": ["DWORD (0x00000001)"],
        "SourceIp": ["192.0.2.1"],
        "DestinationIp": ["198.51.100.2"],
        "DestinationPort": ["443"],
        "DestinationHostname": ["example.org"],
        "Initiated": ["true"],
        "DestinationIsIpv6": ["true"],
        "Protocol": ["tcp"],
        "User": ["NT AUTHORITY", "SYSTEM"],
        "ScriptBlockText": ["iex $x"],
    }.items(),
)
def test_what_winlogbeat_modules_move_is_still_read(name: str, expected: list[str]) -> None:
    record = {**winlogbeat(SYSMON, 1, "Microsoft-Windows-Sysmon", {}), **ECS}
    assert texts(view(record), name) == expected
    record["winlog"]["event_data"][name] = "as it was"
    assert texts(view(record), name) == ["as it was"]


@pytest.mark.parametrize(
    ("channel", "event_id", "data", "expected"),
    [
        (SYSMON, 1, {}, {"process_creation"}),
        ("Security", 4688, {}, {"process_creation"}),
        ("Security", 1, {}, set()),
        (SYSMON, 4688, {}, set()),
        (SYSMON, 12, {"EventType": "CreateKey"}, {"registry_event", "registry_add"}),
        (SYSMON, 12, {"EventType": "DeleteKey"}, {"registry_event", "registry_delete"}),
        (SYSMON, 12, {"EventType": "DeleteValue"}, {"registry_event", "registry_delete"}),
        (SYSMON, 13, {"EventType": "SetValue"}, {"registry_event", "registry_set"}),
        (SYSMON, 14, {"EventType": "RenameKey"}, {"registry_event", "registry_rename"}),
        ("Security", 4657, {"OperationType": "%%1904"}, {"registry_event", "registry_add"}),
        ("Security", 4657, {"OperationType": "%%1905"}, {"registry_event", "registry_set"}),
        (
            "Security",
            4657,
            {"OperationType": "New registry value created"},
            {"registry_event", "registry_add"},
        ),
        ("Security", 4657, {"OperationType": "%%1906"}, set()),
        (SYSMON, 3, {}, {"network_connection"}),
        ("Security", 5156, {}, {"network_connection"}),
        (SYSMON, 18, {}, {"pipe_created"}),
        (SYSMON, 24, {}, {"clipboard_capture", "clipboard_change"}),
        ("PowerShellCore/Operational", 4104, {}, {"ps_script"}),
        ("Microsoft-Windows-PowerShell/Operational", 4103, {}, {"ps_module"}),
        ("windows powershell", 600, {}, {"ps_classic_provider_start"}),
        (DEFENDER, 1116, {}, {"antivirus"}),
        (DEFENDER, 5007, {}, set()),
    ],
)
def test_events_answer_to_their_categories_in_every_shape(
    channel: str, event_id: int, data: dict[str, str], expected: set[str]
) -> None:
    for make in SHAPES.values():
        assert categories_of(make(channel, event_id, "P", data)) == expected


def test_traces_of_the_file_provider_are_told_by_their_provider() -> None:
    record = evtx("", 12, "Microsoft-Windows-Kernel-File", {"FileName": r"C:\a"})
    del record["Event"]["System"]["Channel"]
    assert categories_of(record) == {"file_access", "file_rename"}


@pytest.mark.parametrize(
    ("event", "category", "expected"),
    [
        (
            "4688",
            "process_creation",
            {
                "Image": [r"C:\Windows\System32\whoami.exe"],
                "ParentImage": [r"C:\Windows\System32\cmd.exe"],
                "ProcessId": ["0x1234"],
                "ParentProcessId": ["0x99"],
                "LogonId": ["0x3e7"],
                "IntegrityLevel": ["High"],
                "User": ["PC1$", r"NT AUTHORITY\SYSTEM"],
                "ParentUser": ["PC1$", r"NT AUTHORITY\SYSTEM"],
                "CommandLine": ["whoami /all"],
                "Hashes": None,
            },
        ),
        (
            "4657",
            "registry_event",
            {
                "Image": [r"C:\Windows\regedit.exe"],
                "TargetObject": [r"\REGISTRY\MACHINE\SOFTWARE\Run"],
                "Details": ["1"],
            },
        ),
        (
            "5156",
            "network_connection",
            {
                "Image": [r"C:\windows\system32\svchost.exe"],
                "ProcessId": ["3304"],
                "Initiated": ["true"],
                "Protocol": ["tcp"],
                "SourceIp": ["192.0.2.1"],
                "SourcePort": ["50000"],
                "DestinationIp": ["198.51.100.2"],
                "DestinationPort": ["443"],
            },
        ),
    ],
    ids=["4688", "4657", "5156"],
)
def test_security_events_read_under_the_names_of_sysmon(
    event: str, category: str, expected: dict[str, list[str] | None]
) -> None:
    for record in each_shape(event):
        [variant] = variants_of(record, category)
        seen = view(record, variant)
        assert {name: texts(seen, name) for name in expected} == expected


def test_a_process_started_for_someone_else_is_theirs() -> None:
    channel, event_id, provider, data = EVENTS["4688"]
    target = {"TargetUserName": "ann", "TargetUserSid": "S-1-5-21-1"}
    record = evtx(channel, event_id, provider, {**data, **target})
    seen = view(record, *variants_of(record, "process_creation"))
    assert texts(seen, "User") == ["ann", "S-1-5-21-1"]
    assert texts(seen, "ParentUser") == ["PC1$", r"NT AUTHORITY\SYSTEM"]


def test_what_security_events_lack_is_unmapped() -> None:
    registry = windows().categories["registry_set"][1].unmapped
    network = windows().categories["network_connection"][1].unmapped
    assert {"eventtype", "newname", "user"} == registry
    assert {"destinationhostname", "user"} <= network
    assert not {"initiated", "image", "destinationip"} & network


@pytest.mark.parametrize(
    ("event_id", "data", "expected"),
    [
        (12, {"EventType": "DeleteKey", "EventTypeOrignal": "INFO"}, ["DeleteKey"]),
        (
            12,
            {"EventType": "INFO", "Message": "Registry:\r\nEventType: CreateKey\r\nImage: x"},
            ["CreateKey"],
        ),
        (12, {"EventType": "INFO", "Message": "Registry object added or deleted"}, None),
        (13, {"EventType": "INFO"}, ["SetValue"]),
        (1, {"EventType": "INFO", "Message": "Process Create"}, None),
    ],
    ids=["restored", "in the message", "lost", "implied", "never there"],
)
def test_the_event_type_of_nxlog_does_not_pass_for_sysmons(
    event_id: int, data: dict[str, str], expected: list[str] | None
) -> None:
    record = flat(SYSMON, event_id, "Microsoft-Windows-Sysmon", data)
    assert texts(view(record), "EventType") == expected


def test_the_event_type_of_nxlog_stands_elsewhere() -> None:
    record = flat("Security", 4625, "P", {"EventType": "AUDIT_FAILURE"})
    assert texts(view(record), "EventType") == ["AUDIT_FAILURE"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"Level": "2"}, ["2", "Error"]),
        ({"Level": "Error"}, ["2", "Error"]),
        ({"Level": 0}, ["0"]),
        ({"SeverityValue": 4}, ["2", "Error"]),
        ({}, None),
    ],
)
def test_a_level_reads_as_number_and_name(
    record: dict[str, Any], expected: list[str] | None
) -> None:
    assert texts(view({"Channel": "System", "EventID": 1, **record}), "Level") == expected


def test_keywords_read_as_the_hexadecimal_that_rules_write() -> None:
    failure = ["0x8010000000000000"]
    nxlog = flat("Security", 4625, "P", {"Keywords": -9218868437227405312})
    beat = winlogbeat("Security", 4625, "P", {})
    beat["winlog"]["keywords"] = ["Audit Failure"]
    assert texts(view(nxlog), "Keywords") == failure
    assert texts(view(beat), "Keywords") == failure


@pytest.mark.parametrize("shape", SHAPES)
def test_names_read_without_their_spaces(shape: str) -> None:
    record = SHAPES[shape](DEFENDER, 1116, "Microsoft-Windows-Windows Defender", SPACED)
    seen = view(record)
    assert {name: texts(seen, name.replace(" ", "")) for name in SPACED} == {
        name: [value] for name, value in SPACED.items()
    }
    assert texts(seen, "Feature_Name") == ["%%886"]
    assert texts(seen, "Provider_Name") == ["Microsoft-Windows-Windows Defender"]
    alarm = view(record, *variants_of(record, "antivirus"))
    assert texts(alarm, "Signature") == ["EICAR_Test_File"]
    assert texts(alarm, "Filename") == [r"file:_C:\b.txt"]


def test_a_channel_compares_ignoring_case() -> None:
    for make in SHAPES.values():
        assert services_of(make("security", 4624, "P", {})) == {"security"}
        assert services_of(make("MICROSOFT-WINDOWS-SYSMON/OPERATIONAL", 1, "P", {})) == {"sysmon"}


@pytest.mark.parametrize("service", windows_logsource_mapping)
def test_every_service_that_pysigma_knows_is_known(service: str) -> None:
    channels = windows_logsource_mapping[service]
    for channel in [channels] if isinstance(channels, str) else channels:
        assert service in services_of(flat(channel, 1, "P", {}))


def test_log_sources_select() -> None:
    assert windows().select("windows", None, None) == (EVERY_EVENT,)
    assert windows().select(None, "antivirus", None)
    assert not windows().select("linux", "process_creation", None)
    assert not windows().select("windows", "process_creation", "no such service")
    assert len(windows().select("Windows", "Process_Creation", None)) == 2


def sources(corpus: Path) -> Counter[tuple[str | None, str | None, str | None]]:
    found: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for file in corpus.rglob("*.yml"):
        for rule in yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader):
            source = (rule or {}).get("logsource") or {}
            triple = (source.get("product"), source.get("category"), source.get("service"))
            if triple[0] == "windows" or triple[:2] == (None, "antivirus"):
                found[triple] += 1
    return found


def test_every_windows_log_source_of_the_corpus_selects(sigma_corpus: Path) -> None:
    found = sources(sigma_corpus)
    assert found
    assert [source for source in found if not windows().select(*source)] == []


@cache
def captured(folder: tuple[Path, ...]) -> list[dict[str, Any]]:
    lines = (line for file in folder for line in gzip.decompress(file.read_bytes()).splitlines())
    return [read(line).value for line in lines]


def test_every_captured_record_is_one_flat_windows_event(windows_captures: list[Path]) -> None:
    records = captured(tuple(windows_captures))
    found = Counter(
        (log_type.name, shape.name)
        for record in records
        for log_type, shape in [identify(record, shipped_log_types()) or (windows(), None)]
        if shape
    )
    assert records
    assert found == {("windows", "flat"): len(records)}
    flat_shape = windows().shapes[0]
    assert all(RecordView(record, flat_shape).time() for record in records)


def test_captured_registry_events_tell_what_happened(windows_captures: list[Path]) -> None:
    flat_shape = windows().shapes[0]
    seen = Counter(
        (str(record["EventID"].text), *(texts(RecordView(record, flat_shape), "EventType") or [""]))
        for record in captured(tuple(windows_captures))
        if record["Channel"] == SYSMON and record["EventID"].text in {"12", "13"}
    )
    assert set(seen) == {
        ("12", "CreateKey"),
        ("12", "DeleteKey"),
        ("12", "DeleteValue"),
        ("12", ""),
        ("13", "SetValue"),
    }
