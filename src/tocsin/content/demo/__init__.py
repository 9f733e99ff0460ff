"""The demo scenario: two weeks of ordinary Azure Key Vault traffic, and an intrusion in it.

Records are raw Azure diagnostic records. They come from fixed seeds and fixed dates, so every run
on every machine writes the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from heapq import merge
from pathlib import Path

from tocsin.content.demo.intrusion import intrusion
from tocsin.content.demo.ordinary import ordinary_days
from tocsin.content.demo.records import Record

__all__ = ["Record", "intrusion_records", "ordinary_records", "write_demo"]

_FILES = {"AuditEvent": "keyvault-audit.ndjson", "Administrative": "activity.ndjson"}


def ordinary_records() -> Iterator[Record]:
    """Yield two weeks of ordinary records, 5 to 18 January 2026, in time order."""
    return ordinary_days()


def intrusion_records() -> Iterator[Record]:
    """Yield the records of the intrusion on the evening of the last day, in time order."""
    return intrusion()


def write_demo(folder: Path) -> list[Path]:
    """Write the scenario into a folder, one record per line and one file per log; return the files.

    The folder is made if need be; files of the same names are written over.
    """
    records = list(merge(ordinary_records(), intrusion_records(), key=_time))
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for category, name in _FILES.items():
        path = folder / name
        path.write_bytes(_lines(record for record in records if record["category"] == category))
        paths.append(path)
    return paths


def _time(record: Record) -> str:
    return str(record["time"])


def _lines(records: Iterable[Record]) -> bytes:
    lines = (json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()
