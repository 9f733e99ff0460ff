"""The same input gives the same bytes, however it is cut into batches and shared out to workers."""

import json
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from cli.calling import PACKS, jsonl, rule, scan
from tocsin.content.demo import intrusion_records, ordinary_records
from tocsin.logs.formats import blocks
from tocsin.logs.formats import lines as ndjson
from tocsin.logs.formats import open as opening

BATCHES = (1, 997, 20_000)
WORKERS = (1, 2, 4)

WINDOWS = [
    {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventID": 1,
        "UtcTime": f"2026-01-18 22:00:{at:02}.000",
        "EventTime": f"2026-01-18 22:00:{at:02}",
        "Hostname": "ws1",
        "Image": f"C:\\Windows\\{name}.exe",
        "CommandLine": f"{name} needle {at}",
    }
    for at, name in enumerate(["cmd", "whoami", "powershell", "cmd"] * 5)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules, and records of three log types, of none, and of no JSON at all."""
    folder = tmp_path_factory.mktemp("several")
    (folder / "rules").mkdir()
    for file in (PACKS / "azure-keyvault").glob("*.yml"):
        (folder / "rules" / file.name).write_bytes(file.read_bytes())
    windows = "{product: windows, category: process_creation}"
    for name, level in (("First", "high"), ("Second", "low")):
        text = rule(name, "{s: {CommandLine|contains: needle}, condition: s}", level=level)
        text = text.replace("{product: acme, service: web}", windows)
        (folder / "rules" / f"{name}.yml").write_text(text)
    (folder / "logs").mkdir()
    for name, lines in types().items():
        (folder / "logs" / f"{name}.ndjson").write_bytes(b"".join(lines))
    (folder / "mixed.ndjson").write_bytes(b"".join(interleave(list(types().values()))))
    return folder


def types() -> dict[str, list[bytes]]:
    """Return lines of each log type, with lines between them that are no record of it."""
    records = [*islice(ordinary_records(), 60), *intrusion_records()]
    found = {
        "audit": [record for record in records if record["category"] == "AuditEvent"],
        "activity": [record for record in records if record["category"] == "Administrative"],
        "windows": WINDOWS,
    }
    lines = {name: [jsonl([record]) for record in of] for name, of in found.items()}
    lines["audit"][3:3] = [b"\n", b'{"a": 1}\n', b"{cut off\n", b"\xff\n"]
    wrapped = b",".join(line.strip() for line in lines["activity"][:3])
    lines["activity"][:3] = [b'{"records": [' + wrapped + b"]}\n"]
    return lines


def interleave(several: list[list[bytes]]) -> list[bytes]:
    longest = max(map(len, several))
    return [lines[at] for at in range(longest) for lines in several if at < len(lines)]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut files into many blocks, as only large ones are otherwise."""
    monkeypatch.setattr(ndjson, "line_blocks", partial(blocks.line_blocks, size=8000))
    monkeypatch.setattr(opening, "READ_BYTES", 1000)


def run(folder: Path, form: str, batch: int, workers: int) -> tuple[bytes, bytes]:
    """Scan everything; return what was written and what was kept in quarantine."""
    result = scan(
        folder / "logs",
        folder / "mixed.ndjson",
        rules=folder / "rules",
        log_type="",
        form=form,
        bridge="keyvault",
        batch=batch,
        workers=workers,
        quarantine=folder / "quarantine",
    )
    assert result.status == 0
    return result.out, (folder / "quarantine").read_bytes()


CUTS = {
    "ndjson": [*((batch, 1) for batch in BATCHES), *((997, workers) for workers in WORKERS)],
    "table": [(1, 1), (997, 2)],
    "csv": [(1, 1), (997, 2)],
    "ecs": [(997, 2)],
    "ocsf": [(997, 2)],
}


@pytest.mark.parametrize("form", CUTS)
def test_output_does_not_depend_on_batches_or_workers(
    form: str, folder: Path, small_blocks: None
) -> None:
    expected = run(folder, form, 20_000, 1)
    for batch, workers in CUTS[form]:
        assert run(folder, form, batch, workers) == expected, (batch, workers)


def test_the_scanned_files_hold_alerts_of_every_log_type_and_bad_records(folder: Path) -> None:
    out, quarantine = run(folder, "ndjson", 997, 1)
    found = {json.loads(line)["events"][0]["log_type"] for line in out.splitlines()}
    assert found == {"azure.activity", "azure.keyvault", "windows"}
    assert len(quarantine.splitlines()) == 4


def test_output_does_not_depend_on_blocks(folder: Path, request: pytest.FixtureRequest) -> None:
    whole = run(folder, "ndjson", 997, 1)
    request.getfixturevalue("small_blocks")
    assert run(folder, "ndjson", 997, 2) == whole


def test_an_interleaved_file_gives_the_alerts_of_the_separate_ones(folder: Path) -> None:
    def alerts(path: Path) -> list[str]:
        result = scan(path, rules=folder / "rules", log_type="", bridge="keyvault")
        records = result.records
        for record in records:
            del record["events"][0]["line"], record["events"][0]["source"]
        return sorted(json.dumps(record) for record in records)

    separate, mixed = alerts(folder / "logs"), alerts(folder / "mixed.ndjson")
    assert len(separate) > 80
    assert mixed == separate


def test_the_line_of_an_event_is_exact_with_any_number_of_workers(
    folder: Path, small_blocks: None
) -> None:
    lines = (folder / "mixed.ndjson").read_bytes().splitlines()
    for workers in (1, 2):
        result = scan(folder / "mixed.ndjson", rules=folder / "rules", log_type="", workers=workers)
        assert len(result.records) > 60
        for record in result.records:
            [event] = record["events"]
            inside = json.loads(lines[event["line"] - 1])
            assert event["raw"] in (inside, *inside.get("records", []))
