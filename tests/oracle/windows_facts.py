"""Which Sigma rules are meant for a flat Windows record, and under which names they see it.

Written from the documentation of Sigma, Sysmon and NXLog, and from pySigma's table of services; the
log type of Tocsin is not asked.
"""

from dataclasses import dataclass, field

from sigma.pipelines.common import windows_logsource_mapping

SYSMON = "Microsoft-Windows-Sysmon/Operational"
DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
POWERSHELL = windows_logsource_mapping["powershell"]
SERVICES = windows_logsource_mapping | {
    "smbclient-connectivity": "Microsoft-Windows-SmbClient/Connectivity",
    "smbserver-connectivity": "Microsoft-Windows-SMBServer/Connectivity",
}


@dataclass(frozen=True)
class Variant:
    """Events that answer to a category, and how its fields are named there."""

    channels: tuple
    event_ids: frozenset
    where: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    without: frozenset = frozenset()


def sysmon(*event_ids, **where):
    return Variant((SYSMON,), frozenset(map(str, event_ids)), where)


def events_of(channels, *event_ids, **more):
    channels = (channels,) if isinstance(channels, str) else tuple(channels)
    return Variant(channels, frozenset(map(str, event_ids)), **more)


CREATOR = ("SubjectUserName", "SubjectUserSid")
ACCOUNTS = {
    "S-1-0-0": None,
    "S-1-5-7": "NT AUTHORITY\\ANONYMOUS LOGON",
    "S-1-5-18": "NT AUTHORITY\\SYSTEM",
    "S-1-5-19": "NT AUTHORITY\\LOCAL SERVICE",
    "S-1-5-20": "NT AUTHORITY\\NETWORK SERVICE",
}
LABELS = {"S-1-16-0": "Untrusted", "S-1-16-4096": "Low", "S-1-16-8192": "Medium"}
LABELS |= {"S-1-16-12288": "High", "S-1-16-16384": "System"}


def accounts(record, *keys):
    found = [text(record[key]) for key in keys if key in record]
    return [ACCOUNTS.get(one, one) for one in found if ACCOUNTS.get(one, one) not in {None, "-"}]


class DevicePath(str):
    """A field whose paths name the device, where rules name the drive."""

    __slots__ = ()


def on_drive(path):
    device, _, rest = path[1:].partition("\\")
    volume, _, inside = rest.partition("\\")
    is_volume = device.lower() == "device" and volume.lower().startswith("harddiskvolume")
    return f"C:\\{inside}" if path.startswith("\\") and is_volume else path


def user_of_4688(record):
    return accounts(record, "TargetUserName", "TargetUserSid") or accounts(record, *CREATOR)


REGISTRY = {"Image": "ProcessName", "TargetObject": "ObjectName", "Details": "NewValue"}
CREATED = frozenset({"%%1904", "New registry value created"})
MODIFIED = frozenset({"%%1905", "Existing registry value modified"})


def audited(operations):
    return events_of(
        "Security",
        4657,
        where={"OperationType": operations},
        names=REGISTRY,
        without=frozenset({"EventType", "NewName", "User"}),
    )


PROCESS_4688 = events_of(
    "Security",
    4688,
    names={
        "Image": "NewProcessName",
        "ParentImage": "ParentProcessName",
        "ProcessId": "NewProcessId",
        "ParentProcessId": "ProcessId",
        "LogonId": "SubjectLogonId",
        "IntegrityLevel": ("MandatoryLabel", LABELS),
        "User": user_of_4688,
        "ParentUser": lambda record: accounts(record, *CREATOR),
    },
)
CONNECTION_5156 = events_of(
    "Security",
    5156,
    names={
        "Image": DevicePath("Application"),
        "SourceIp": "SourceAddress",
        "DestinationIp": "DestAddress",
        "DestinationPort": "DestPort",
        "Initiated": (
            "Direction",
            {"%%14592": "false", "Inbound": "false", "%%14593": "true", "Outbound": "true"},
        ),
        "Protocol": ("Protocol", {"6": "tcp", "17": "udp"}),
    },
    without=frozenset(
        [
            "DestinationHostname",
            "DestinationIsIpv6",
            "DestinationPortName",
            "ProcessGuid",
            "RuleName",
            "SourceHostname",
            "SourceIsIpv6",
            "SourcePortName",
            "User",
        ]
    ),
)
KERNEL_FILE = Variant((), frozenset(), {"Provider_Name": {"Microsoft-Windows-Kernel-File"}})
ANTIVIRUS = events_of(
    DEFENDER,
    *[*range(1006, 1013), 1017, 1018, 1019, 1115, 1116],
    names={"Signature": "ThreatName", "Filename": "Path"},
)

ANY_EVENT = Variant((), frozenset())
EVENTLOG = "Microsoft-Windows-Eventlog"


def cleared_channel(record):
    """Return which log was cleared, as the event that says so tells in its message."""
    before, found, _ = text(record.get("Message") or "").partition(" log file was cleared")
    return before.partition("The ")[2] if found else None


CLEARED = events_of(
    "System",
    104,
    where={"Provider_Name": {EVENTLOG}},
    names={"Channel": cleared_channel},
)
CATEGORIES = {
    "process_creation": [sysmon(1), PROCESS_4688],
    "file_change": [sysmon(2)],
    "network_connection": [sysmon(3), CONNECTION_5156],
    "sysmon_status": [sysmon(4, 16)],
    "process_termination": [sysmon(5)],
    "driver_load": [sysmon(6)],
    "image_load": [sysmon(7)],
    "create_remote_thread": [sysmon(8)],
    "raw_access_thread": [sysmon(9)],
    "process_access": [sysmon(10)],
    "file_event": [sysmon(11)],
    "registry_event": [sysmon(12, 13, 14), audited(CREATED | MODIFIED)],
    "registry_add": [sysmon(12, EventType={"CreateKey"}), audited(CREATED)],
    "registry_delete": [sysmon(12, EventType={"DeleteKey", "DeleteValue"})],
    "registry_set": [sysmon(13), audited(MODIFIED)],
    "registry_rename": [sysmon(14)],
    "create_stream_hash": [sysmon(15)],
    "pipe_created": [sysmon(17, 18)],
    "wmi_event": [sysmon(19, 20, 21)],
    "dns_query": [sysmon(22)],
    "file_delete": [sysmon(23)],
    "clipboard_capture": [sysmon(24)],
    "clipboard_change": [sysmon(24)],
    "process_tampering": [sysmon(25)],
    "file_delete_detected": [sysmon(26)],
    "file_block_executable": [sysmon(27)],
    "file_block_shredding": [sysmon(28)],
    "file_executable_detected": [sysmon(29)],
    "sysmon_error": [sysmon(255)],
    "ps_module": [events_of(POWERSHELL, 4103)],
    "ps_script": [events_of(POWERSHELL, 4104)],
    "ps_classic_start": [events_of("Windows PowerShell", 400)],
    "ps_classic_provider_start": [events_of("Windows PowerShell", 600)],
    "ps_classic_script": [events_of("Windows PowerShell", 800)],
    "file_access": [KERNEL_FILE],
    "file_rename": [KERNEL_FILE],
    "antivirus": [ANTIVIRUS],
}


def variants_for(source, record):
    """Return the variants under which a log source wants a record; a record is `as_named`."""
    if source.product not in {None, "windows"} or not any(
        (source.product, source.category, source.service)
    ):
        return []
    if source.service is not None:
        channels = SERVICES.get(source.service, ())
        channels = (channels,) if isinstance(channels, str) else channels
        if text(record["Channel"]).lower() not in [channel.lower() for channel in channels]:
            return []
    if source.category is None:
        cleared = source.service == "system" and answers(CLEARED, record)
        return [CLEARED if cleared else ANY_EVENT]
    return [one for one in CATEGORIES.get(source.category, ()) if answers(one, record)]


def answers(variant, record):
    """Say whether a record is one of the events of a variant."""
    channels = [channel.lower() for channel in variant.channels]
    if channels and text(record["Channel"]).lower() not in channels:
        return False
    if variant.event_ids and text(record["EventID"]) not in variant.event_ids:
        return False
    return all(text(record.get(key)) in wanted for key, wanted in variant.where.items())


def text(value):
    """Return the text of a value, whichever oracle read it."""
    return getattr(value, "text", value)


def as_named(record):
    """Return a flat record under the names of Sigma: what NXLog calls otherwise is added."""
    named = dict(record)
    host = first(record, "Computer", "Hostname", "ComputerName")
    named |= {"Computer": host, "ComputerName": host}
    named["Provider_Name"] = first(record, "Provider_Name", "SourceName", "ProviderName")
    named["Level"] = level(record)
    named["Keywords"] = KEYWORDS.get(text(record.get("Keywords")), record.get("Keywords"))
    named["Data"] = [record[key] for key in ("Data", "Message") if key in record] or None
    if record["Channel"] == SYSMON:
        named["EventType"] = sysmon_event_type(record)
    return {key: one for key, one in named.items() if one is not None or record.get(key, 0) is None}


def first(record, *keys):
    return next((record[key] for key in keys if record.get(key) not in (None, "")), None)


LEVELS = ["", "Critical", "Error", "Warning", "Information", "Verbose"]
LEVEL_OF_SEVERITY = {"1": 5, "2": 4, "3": 3, "4": 2, "5": 1}
KEYWORDS = {
    "-9223372036854775808": "0x8000000000000000",
    "-9218868437227405312": "0x8010000000000000",
    "-9214364837600034816": "0x8020000000000000",
    "-9187343239835811840": "0x8080000000000000",
    "36028797018963968": "0x80000000000000",
    "4611686018427387904": "0x4000000000000000",
}


def level(record):
    """Return the number and the name of an event's level; NXLog has a severity instead."""
    if "Level" in record:
        number = text(record["Level"])
        return [number, LEVELS[int(number)]] if number in set("12345") else number
    number = LEVEL_OF_SEVERITY.get(text(record.get("SeverityValue")))
    return number and [str(number), LEVELS[number]]


def sysmon_event_type(record):
    """Return Sysmon's event type where NXLog put its severity in its place."""
    own = record.get("EventType")
    if own is not None and own not in {"INFO", "WARNING", "ERROR", "CRITICAL", "VERBOSE"}:
        return own
    said = record.get("Message", "").partition("EventType: ")[2].partition("\n")[0].strip()
    return said or ("SetValue" if text(record["EventID"]) == "13" else None)


def view(record, variant):
    """Return a record, `as_named`, under the names of a variant."""
    seen = {key: value for key, value in record.items() if key not in variant.names}
    found = {name: told_by(record, origin) for name, origin in variant.names.items()}
    return seen | {name: value for name, value in found.items() if value is not None}


def told_by(record, origin):
    if callable(origin):
        return origin(record) or None
    if isinstance(origin, DevicePath):
        path = text(record.get(origin))
        return path and on_drive(path)
    key, table = origin if isinstance(origin, tuple) else (origin, {})
    return table.get(text(record.get(key)), record.get(key))
