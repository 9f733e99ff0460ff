"""Every alert names the line of its record in the decompressed file, every refusal its place."""

import gzip
import json
from pathlib import Path

import pytest

from cli.calling import scan

GOOD = '{"mark": "needle"}'
PRETTY = (
    '{\n  "records": [\n    {\n      "mark": "needle"\n    },\n    {"mark": "straw"},\n    '
    f'{GOOD}\n  ],\n  "next": {{"page": [1, 2]}}\n}}\n'
)

FILES = {
    "lines": (f"{GOOD}\n{{}}\n{GOOD}\n", [1, 3], []),
    "blank lines": (f"\n\n{GOOD}\n\r\n \n{GOOD}", [3, 6], []),
    "a wrapper on one line": (f'{{"records":[{GOOD},{{}},{GOOD}]}}', [1, 1], []),
    "a wrapper per line": (f'{{"records":[{GOOD}]}}\n\n{{"records":[{{}},{GOOD}]}}\n', [1, 3], []),
    "wrappers among lines": (f'{GOOD}\n{{"Records":[{GOOD},{GOOD}]}}\n{GOOD}\n', [1, 2, 2, 3], []),
    "a wrapper over many lines": (PRETTY, [3, 7], []),
    "several documents": (f"{PRETTY}\n{PRETTY}{PRETTY}", [3, 7, 14, 18, 24, 28], []),
    "documents without a break": (f'{{"records":[{GOOD}]}}{{"records":[\n{GOOD}]}}', [1, 2], []),
    "an empty wrapper": (f'{{"records":[]}}\n{{"records":[{GOOD}]}}', [2], []),
    "a wrapper that is cut off": (
        f'{{"records": [\n{GOOD},\n{GOOD},\n{{"mark": "nee',
        [2, 3],
        [(4, "cut off: the document does not end", '{"mark": "nee')],
    ),
    "a wrapper that is cut off after a member": (
        f'{{"records": [\n{GOOD},\n{GOOD}',
        [2, 3],
        [(3, "cut off: the document does not end", "")],
    ),
    "a wrapper that is cut off before another": (
        f'{{"records": [{GOOD},{{"mark\n{{"records": [{GOOD}]}}\n',
        [1, 2],
        [(1, "cut off: the document does not end", '{"mark\n')],
    ),
    "a wrapper line that is cut off": (
        f'{GOOD}\n{{"records": [{GOOD},{{"mark\n{GOOD}\n',
        [1, 2, 3],
        [(2, "not JSON", '{"mark')],
    ),
    "a line that is cut off": (f'{GOOD}\n{{"mark": "nee', [1], [(2, "not JSON", '{"mark": "nee')]),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("workers", "packed"), [(1, False), (1, True), (2, False)])
def test_lines_are_exact(
    name: str, workers: int, packed: bool, rules: Path, tmp_path: Path
) -> None:
    text, lines, refused = FILES[name]
    data = text.encode()
    (tmp_path / "log").write_bytes(gzip.compress(data) if packed else data)
    result = scan(
        tmp_path / "log", rules=rules, workers=workers, quarantine=tmp_path / "quarantine"
    )
    assert result.lines == lines
    kept = [json.loads(line) for line in (tmp_path / "quarantine").read_bytes().splitlines()]
    assert [(item["line"], item["reason"].split(": E")[0].split(": U")[0], item["raw"])
            for item in kept] == refused  # fmt: skip
    for item in kept:
        raw = data[item["offset"] : item["offset"] + item["length"]]
        assert raw.decode() == item["raw"]
