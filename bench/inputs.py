"""Bench inputs: deterministic, as many events as asked for, with the lengths of real ones.

`mix` and `process` enlarge real captures (NDJSON of Windows events, plain or gz) so that what is
distinct in production is distinct here: identifiers, times, ports and logon ids are unique per
event, and so are the tails of command lines, file names and script blocks. `azure` writes the demo
scenario's kinds of records with identities, addresses and correlation ids of their own.
"""

import csv
import gzip
import io
import itertools
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from tocsin.content.demo import intrusion_records, ordinary_records
from tocsin.times import format_time, parse_time

Event = dict[str, Any]

DISTINCT_TAILS = (
    "CommandLine",
    "ParentCommandLine",
    "TargetFilename",
    "ScriptBlockText",
    "Payload",
)
DISTINCT_NUMBERS = (
    "ProcessId", "ParentProcessId", "SourceProcessId", "TargetProcessId", "SourceThreadId",
    "ThreadID", "ExecutionProcessID", "SourcePort", "HandleId", "NewProcessId",
)  # fmt: skip
DISTINCT_HEX = (
    "ProcessGuid", "ParentProcessGuid", "SourceProcessGUID", "TargetProcessGUID", "LogonGuid",
    "LogonId", "SubjectLogonId", "TargetLogonId", "ActivityID",
)  # fmt: skip
TIMES = (
    "@timestamp",
    "UtcTime",
    "EventTime",
    "EventReceivedTime",
    "TimeCreated",
    "CreationUtcTime",
)
SCRIPT_SHARE = 200
"""One event in so many is a script block."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAIL = 6


def read_captures(folder: Path) -> list[Event]:
    """Return the events of every capture in a folder, in order."""
    lines: list[bytes] = []
    for file in sorted(folder.glob("*.ndjson*")):
        data = file.read_bytes()
        lines += (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines()
    return [orjson.loads(line) for line in lines if line.strip()]


def mix(captures: list[Event], events: int) -> Iterator[bytes]:
    """Yield JSON lines: the captures in order, again and again, each event made its own."""
    scripts = [event for event in captures if event.get("EventID") == 4103] or captures
    for number, event in zip(range(events), itertools.cycle(captures), strict=False):
        if number % SCRIPT_SHARE == SCRIPT_SHARE - 1:
            event = _script_block(scripts[number % len(scripts)])
        yield orjson.dumps(_own(event, number), option=orjson.OPT_APPEND_NEWLINE)


def process(captures: list[Event], events: int) -> Iterator[bytes]:
    """Yield JSON lines: process creations only, one in a hundred as captured, the rest ordinary."""
    created = [event for event in captures if event.get("EventID") in {1, 4688}]
    for number, event in zip(range(events), itertools.cycle(created), strict=False):
        own = event if number % 100 == 99 else _ordinary_process(event, number)
        yield orjson.dumps(_own(own, number), option=orjson.OPT_APPEND_NEWLINE)


_PROGRAMS = (
    (r"C:\Program Files\Google\Chrome\Application\chrome.exe",
     "--type=renderer --field-trial-handle={n},{h},262144 --renderer-client-id={n}"),
    (r"C:\Windows\System32\svchost.exe", "-k netsvcs -p -s Schedule{n}"),
    (r"C:\Windows\System32\backgroundTaskHost.exe", "-ServerName:App.{h}.mca"),
    (r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
     r'/n "C:\Users\ana\Documents\report {n} {h}.docx" /o ""'),
    (r"C:\Program Files\Microsoft VS Code\Code.exe",
     "--type=utility --utility-sub-type=node.mojom.NodeService --user-data-dir={h} --mojo={n}"),
    (r"C:\Windows\System32\SearchProtocolHost.exe",
     r"Global\UsGthrFltPipeMssGthrPipe{n}_ Global\UsGthrCtrlFltPipe{h} 1 -2147483646"),
    (r"C:\Program Files\Git\mingw64\bin\git.exe", "log --format=%H -n 20 --skip={n} {h}"),
    (r"C:\Program Files\Mozilla Firefox\firefox.exe", "-contentproc --channel={n}.{h} tab"),
)  # fmt: skip

_PARENTS = {
    "svchost.exe": r"C:\Windows\System32\services.exe",
    "backgroundTaskHost.exe": r"C:\Windows\System32\svchost.exe",
    "SearchProtocolHost.exe": r"C:\Windows\System32\SearchIndexer.exe",
}


def _ordinary_process(event: Event, number: int) -> Event:
    """Return a process creation of an ordinary program, in the form of a captured one."""
    image, arguments = _PROGRAMS[number % len(_PROGRAMS)]
    parent = _PARENTS.get(image.rsplit("\\", 1)[-1], r"C:\Windows\explorer.exe")
    line = f'"{image}" ' + arguments.format(n=number, h=_hex("0" * 16, number))
    own = dict(event) | {"CommandLine": line}
    if event["EventID"] == 1:
        names = {"Image": image, "ParentImage": parent, "OriginalFileName": image.split("\\")[-1]}
        names |= {"Description": "", "Product": "", "Company": "", "ParentCommandLine": parent}
        names |= {"CurrentDirectory": "C:\\Windows\\system32\\", "IntegrityLevel": "Medium"}
    else:
        names = {"NewProcessName": image, "ParentProcessName": parent}
    own |= {key: value for key, value in names.items() if key in event}
    own["User"] = f"CORP\\user{number % 500}"
    if message := event.get("Message"):
        own["Message"] = f"Process Create: {line} {message}"[: len(message)]
    return own


def script_blocks(captures: list[Event], events: int, size: int = 5_000) -> Iterator[bytes]:
    """Yield JSON lines: script blocks of about `size` characters, all distinct."""
    scripts = [event for event in captures if event.get("EventID") == 4103] or captures
    for number, event in zip(range(events), itertools.cycle(scripts), strict=False):
        own = _script_block(event)
        own["ScriptBlockText"] = (own["ScriptBlockText"] * 50)[:size]
        yield orjson.dumps(_own(own, number), option=orjson.OPT_APPEND_NEWLINE)


def azure(events: int) -> Iterator[bytes]:
    """Yield JSON lines: activity-log and Key Vault records, one in a hundred of the intrusion."""
    quiet = itertools.cycle(list(ordinary_records()))
    loud = itertools.cycle(list(intrusion_records()))
    for number in range(events):
        record = orjson.loads(orjson.dumps(next(loud if number % 100 == 99 else quiet)))
        yield orjson.dumps(_own_azure(record, number), option=orjson.OPT_APPEND_NEWLINE)


def _script_block(event: Event) -> Event:
    text = str(event.get("Payload") or event.get("Message") or "")
    own = {key: value for key, value in event.items() if key not in {"Payload", "ContextInfo"}}
    return own | {
        "EventID": 4104,
        "Channel": "Microsoft-Windows-PowerShell/Operational",
        "ScriptBlockText": text,
        "ScriptBlockId": "00000000-0000-0000-0000-000000000000",
        "Message": f"Creating Scriptblock text (1 of 1):\r\n{text}",
    }


def _own(event: Event, number: int) -> Event:
    """Return an event with identifiers of its own, of the same lengths, in its message too."""
    own = dict(event)
    message = own.get("Message")
    for keys, change in _CHANGES:
        for key in keys:
            value = own.get(key)
            if value is None or value in {"", "-"}:
                continue
            changed = change(str(value), number)
            own[key] = int(changed) if isinstance(value, int) else changed
            if message and len(str(value)) > 3:
                message = message.replace(str(value), changed)
    if message:
        own["Message"] = message
    for key in ("RecordNumber", "EventRecordID"):
        if key in own:
            own[key] = number
    return own


def _tail(text: str, number: int) -> str:
    """Write the event's number over the last letters and digits of a text."""
    places = [at for at, char in enumerate(text) if char.isalnum()][-_TAIL:]
    chars = list(text)
    for place in reversed(places):
        number, digit = divmod(number, len(_ALPHABET))
        chars[place] = _ALPHABET[digit]
    return "".join(chars)


def _digits(text: str, number: int) -> str:
    if text.startswith("0x"):
        return "0x" + _hex(text[2:], number)
    width = max(len(text), 1)
    return str(number * 7919 % 10**width).rjust(width, "1") if text.isdigit() else text


def _hex(text: str, number: int) -> str:
    digits = iter(f"{(number + 1) * 0x9E3779B97F4A7C15 % 16**32:032x}")
    return re.sub(r"[0-9a-fA-F]", lambda _: next(digits, "0"), text)


def _braced_hex(text: str, number: int) -> str:
    return "0x" + _hex(text[2:], number) if text.startswith("0x") else _hex(text, number)


def _later(text: str, number: int) -> str:
    when = parse_time(text)
    if when is None:
        return text
    shifted = format_time(when + timedelta(milliseconds=number * 13))
    return shifted if "T" in text else shifted[:-1].replace("T", " ")


_CHANGES: tuple[tuple[tuple[str, ...], Callable[[str, int], str]], ...] = (
    (DISTINCT_TAILS, _tail),
    (DISTINCT_NUMBERS, _digits),
    (DISTINCT_HEX, _braced_hex),
    (TIMES, _later),
)


def activity_rows(events: int) -> Iterator[bytes]:
    """Yield lines of CSV: the activity log as the portal exports it, nested values as JSON."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*ACTIVITY_COLUMNS, "Type"])
    for record in itertools.islice(_activity_records(), events):
        cells = (_cell(record.get(key)) for key in ACTIVITY_COLUMNS.values())
        writer.writerow([*cells, "AzureActivity"])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _activity_records() -> Iterator[Event]:
    everything = map(orjson.loads, azure(sys.maxsize))
    return (record for record in everything if record["category"] == "Administrative")


ACTIVITY_COLUMNS = {
    "TimeGenerated [UTC]": "time",
    "OperationNameValue": "operationName",
    "Level": "level",
    "ActivityStatusValue": "resultType",
    "ActivitySubstatusValue": "resultSignature",
    "CategoryValue": "category",
    "CallerIpAddress": "callerIpAddress",
    "CorrelationId": "correlationId",
    "Claims_d": "identity",
    "Properties": "properties",
    "_ResourceId": "resourceId",
}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _own_azure(record: Event, number: int) -> Event:
    source = random.Random(number)
    record["correlationId"] = str(_guid(source))
    record["time"] = _later(record["time"], number)
    if "callerIpAddress" in record:
        record["callerIpAddress"] = (
            f"10.{source.randrange(256)}.{source.randrange(256)}.{number % 250}"
        )
    claims = record.get("identity", {}).get("claim") or record.get("identity", {}).get("claims", {})
    for key in claims:
        if key.endswith(("objectidentifier", "oid")):
            claims[key] = str(_guid(source))
        elif key.endswith("upn"):
            claims[key] = f"user{number}@" + claims[key].split("@")[-1]
    return record


def _guid(source: random.Random) -> str:
    text = f"{source.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def write(lines: Iterable[bytes], path: Path) -> Path:
    """Write lines to a file, once: a file that is there is taken as it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.writelines(lines)
        temporary.rename(path)
    return path
