"""The same records give the same alerts, in whatever form, packing and pieces they come."""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from bench.evtx_file import write_evtx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.calling import jsonl, rule, scan
from tocsin.logs.formats import open as opening
from tocsin.logs.formats import packing

Record = dict[str, str]

RULES = {
    "plain": rule("Plain", "{s: {mark|contains: needle}, condition: s}"),
    "both": rule("Both", "{s: {mark|endswith: x}, f: {other: ''}, condition: s and not f}"),
    "absent": rule("Absent", "{s: {other: null}, condition: s}"),
    "anywhere": rule("Anywhere", "{keywords: ['hay'], condition: keywords}"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alike")
    (folder / "rules").mkdir()
    for name, text in RULES.items():
        (folder / "rules" / f"{name}.yml").write_text(text)
    return folder


def ids(folder: Path, data: bytes, **options: object) -> list[tuple[str, str]]:
    """Scan some bytes; return the alert's id and the event's, in order."""
    (folder / "log").write_bytes(data)
    result = scan(folder / "log", rules=folder / "rules", **options)
    assert result.status == 0, result.err
    return [(record["id"], record["events"][0]["id"]) for record in result.records]


def to_csv(records: Sequence[Record], delimiter: str = ",", **form: object) -> bytes:
    """Write records as rows: what a record does not have as nothing, an empty text in quotes."""
    names = list(dict.fromkeys(["time", "mark", "other", *(key for one in records for key in one)]))
    lines = [delimiter.join(names)]
    for record in records:
        cells = (_cell(record[name]) if name in record else "" for name in names)
        lines.append(delimiter.join(cells))
    return "\r\n".join(lines).encode()


def _cell(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def documents(records: Sequence[Record]) -> Mapping[str, bytes]:
    return {
        "lines": jsonl(records),
        "lines, CRLF": jsonl(records).replace(b"\n", b"\r\n"),
        "array": json.dumps(records).encode(),
        "array, indented": json.dumps(records, indent=2).encode(),
        "objects, indented": "\n".join(json.dumps(one, indent=4) for one in records).encode(),
        "wrapper": json.dumps({"records": records}).encode(),
        "CloudTrail": json.dumps({"x": 1, "Records": records}).encode(),
        "page": json.dumps({"@odata.context": "c", "value": records}, indent=1).encode(),
        "UTF-16": jsonl(records).decode().encode("utf-16"),
        "csv": to_csv(records),
        "csv, tabs": to_csv(records, "\t"),
        "csv, semicolons, UTF-16": to_csv(records, ";").decode().encode("utf-16"),
    }


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inside.log", data)
    return packed.getvalue()


PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
    "zip": zipped,
    "gzip in zip": lambda data: zipped(gzip.compress(data)),
}

TEXTS = st.one_of(
    st.sampled_from(
        ["needle", "x", "", "hay, needle\r\nx", '"needle" x', "needle}", "[needle", " "]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
RECORDS = st.lists(
    st.fixed_dictionaries({"mark": TEXTS}, optional={"other": TEXTS, "third": TEXTS}),
    min_size=1,
    max_size=12,
)


@given(records=RECORDS, chance=st.randoms(use_true_random=False))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_form_packing_and_cut_gives_the_same_ids(
    records: list[Record], chance: random.Random, folder: Path
) -> None:
    records = [{"time": "2026-01-02T03:04:05Z", **record} for record in records]
    expected = ids(folder, jsonl(records))
    for data in documents(records).values():
        assert ids(folder, data) == expected
    name, data = chance.choice(list(documents(records).items()))
    pack = PACKERS[chance.choice(list(PACKERS))]
    batch = chance.choice([1, 2, 1000])
    with pytest.MonkeyPatch.context() as patch:
        size = chance.choice([1, 7, 100, 1 << 20])
        patch.setattr(opening, "READ_BYTES", size)
        patch.setattr(packing, "READ_BYTES", size)
        assert ids(folder, pack(data), batch=batch) == expected, name
        assert ids(folder, data, batch=batch) == expected, name


def test_rows_and_lines_give_the_same_ids_with_several_workers(folder: Path) -> None:
    records = [{"time": "x", "mark": f"needle {at}\n", "other": "hay"} for at in range(2500)]
    expected = ids(folder, jsonl(records))
    assert len(expected) == 5000
    forms = documents(records)
    for name in ("lines", "array, indented", "UTF-16", "csv"):
        assert ids(folder, forms[name], workers=2, batch=997) == expected


WINDOWS = """title: Whoami
id: 6a1b6a2e-5b0e-4a5c-9a53-0b8d8a1f3f10
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: whoami.exe}, condition: s}
"""


def test_events_of_the_windows_log_give_the_same_ids_as_evtx_and_as_json(tmp_path: Path) -> None:
    namespace = "http://schemas.microsoft.com/win/2004/08/events/event"
    events = [
        {
            "Event": {
                "#attributes": {"xmlns": namespace},
                "System": {
                    "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}},
                    "EventID": "1",
                    "TimeCreated": {"#attributes": {"SystemTime": f"2026-01-02T03:04:{at:02}Z"}},
                    "Channel": "Microsoft-Windows-Sysmon/Operational",
                    "Computer": "ws1.example",
                },
                "EventData": {"Image": f"C:\\{'whoami' if at % 3 else 'cmd'}.exe", "User": "A\\b"},
            }
        }
        for at in range(60)
    ]
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "whoami.yml").write_text(WINDOWS)
    (tmp_path / "folder").mkdir()
    expected = ids(tmp_path, jsonl(events), log_type="")
    assert len(expected) == 40
    evtx = write_evtx(events, per_chunk=7)
    for data in (evtx, gzip.compress(evtx), zipped(evtx)):
        for batch in (1, 1000):
            assert ids(tmp_path, data, log_type="", batch=batch) == expected
    assert ids(tmp_path, evtx, log_type="", workers=2) == expected


def test_the_reference_rows_are_those_of_another_writer() -> None:
    records = [{"time": "t", "mark": 'a"b,\r\nc', "other": ""}, {"time": "t", "mark": " "}]
    rows = list(csv.reader(io.StringIO(to_csv(records).decode(), newline="")))
    assert rows == [["time", "mark", "other"], ["t", 'a"b,\r\nc', ""], ["t", " ", ""]]
