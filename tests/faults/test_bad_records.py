"""A record that cannot be read is kept with its place and reason, and the others are scanned.

What can be repaired is repaired, and still matched: who writes an event must not be able to hide.
"""

import gzip
import json
from pathlib import Path

import pytest

from cli.calling import Result, scan

GOOD = b'{"mark": "needle"}'
DEEP = b'{"mark": "needle", "x": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001


def strictly(text: bytes) -> object:
    """Read JSON as the standard has it: no NaN."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


REFUSED = {
    "no JSON": (b"oops", "not JSON"),
    "cut off": (b'{"mark": "needle"', "not JSON"),
    "cut off in a text": (b'{"mark": "needle', "not JSON"),
    "two on a line": (b'{"a": 1} {"mark": "needle"}', "not JSON"),
    "nested 10,000 deep": (DEEP, "nested deeper than 512"),
    "brackets without end": (b"[" * 5000, "nested deeper than 512"),
    "an array": (b'["needle"]', "the top level is an array, not an object"),
    "a number": (b"17", "the top level is a number, not an object"),
    "a text": (b'"needle"', "the top level is a string, not an object"),
    "null": (b"null", "the top level is null, not an object"),
    "true": (b"true", "the top level is a bool, not an object"),
    "a bare word": (b"NaN", "the top level is a number, not an object"),
    "zero bytes": (b"\0\0\0\0", "not JSON"),
    "no UTF-8": (b"\xff\xfe\xfd", "not JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("batch", [1, 997])
def test_a_record_that_cannot_be_read_is_quarantined(
    name: str, batch: int, rules: Path, tmp_path: Path
) -> None:
    text, reason = REFUSED[name]
    (tmp_path / "bad.ndjson").write_bytes(GOOD + b"\n\n" + text + b"\r\n" + GOOD)
    file = tmp_path / "bad.ndjson"
    result = scan(file, rules=rules, quarantine=tmp_path / "quarantine", batch=batch)
    assert result.status == 0
    assert result.lines == [1, 4]
    [kept] = [json.loads(line) for line in (tmp_path / "quarantine").read_bytes().splitlines()]
    assert kept.pop("reason").startswith(reason)
    assert kept == {
        "schema": 1,
        "source": str(file),
        "line": 3,
        "offset": 20,
        "length": len(text.decode(errors="replace").encode()),
        "raw": text.decode(errors="replace")[: 64 << 10],
    }
    assert "1 records could not be read (--quarantine FILE keeps them):" in result.err
    assert f"first at {file}:3" in result.err
    assert scan(file, rules=rules, strict=True).status == 3


@pytest.mark.parametrize(
    "name", [name for name in REFUSED if name not in {"two on a line", "brackets without end"}]
)
def test_a_member_of_a_wrapper_that_cannot_be_read_is_quarantined(
    name: str, rules: Path, tmp_path: Path
) -> None:
    text, reason = REFUSED[name]
    (tmp_path / "bad.json").write_bytes(
        b'{"records": [' + GOOD + b",\n" + text + b"\n," + GOOD + b"]}\n"
        b'{"records": [' + GOOD + b"]}\n"
    )
    result = scan(tmp_path / "bad.json", rules=rules, quarantine=tmp_path / "quarantine")
    assert result.lines == ([1, 4] if name.startswith("cut off") else [1, 3, 4])
    kept = [json.loads(line) for line in (tmp_path / "quarantine").read_bytes().splitlines()]
    assert kept[0]["line"] == 2
    assert kept[0]["reason"].startswith("cut off" if name == "cut off in a text" else reason)
    assert len(kept) == 1 or name == "cut off"


REPAIRED = {
    "a lone surrogate": (rb'{"mark": "needle \ud800"}', {"mark": "needle \ufffd"}),
    "a lone low surrogate": (rb'{"mark": "\udc00needle"}', {"mark": "\ufffdneedle"}),
    "a surrogate in a key": (rb'{"mark": "needle", "\ud800": 1}', {"mark": "needle", "\ufffd": 1}),
    "control characters": (b'{"mark": "\x01needle\x1b[2J\x7f"}', {"mark": "\x01needle\x1b[2J\x7f"}),
    "a zero byte": (b'{"mark": "needle\x00"}', {"mark": "needle\0"}),
    "a tab": (b'{"mark": "needle\t"}', {"mark": "needle\t"}),
    "invalid UTF-8": (b'{"mark": "needle \xff\xc3"}', {"mark": "needle \ufffd\ufffd"}),
    "an overlong code": (b'{"mark": "needle \xc0\xaf"}', {"mark": "needle \ufffd\ufffd"}),
    "an unknown escape": (rb'{"mark": "needle \x41"}', {"mark": "needle \\x41"}),
    "a trailing comma": (b'{"mark": "needle", "a": [1,],}', {"mark": "needle", "a": [1]}),
    "NaN": (b'{"mark": "needle", "n": NaN}', {"mark": "needle", "n": "NaN"}),
    "an infinity": (b'{"mark": "needle", "n": -Infinity}', {"mark": "needle", "n": "-Infinity"}),
}  # fmt: skip


COUNTED = {
    "a lone surrogate",
    "a lone low surrogate",
    "a surrogate in a key",
    "control characters",
    "a zero byte",
    "a tab",
    "invalid UTF-8",
    "an overlong code",
    "an unknown escape",
}
"""The others are read as they are."""


@pytest.mark.parametrize("name", REPAIRED)
@pytest.mark.parametrize("wrapped", [False, True], ids=["line", "wrapper"])
@pytest.mark.parametrize("batch", [1, 997])
def test_a_record_that_can_be_repaired_is_matched(
    name: str, wrapped: bool, batch: int, rules: Path
) -> None:
    text, value = REPAIRED[name]
    lines = [b"{}", b'{"records": [' + text + b"]}" if wrapped else text, GOOD]
    result = scan("-", rules=rules, stdin=b"\n".join(lines), batch=batch, strict=True)
    assert result.status == 0, result.err
    assert result.lines == [2, 3]
    first = strictly(result.out.splitlines()[0])
    assert first["events"][0]["raw"] == value
    assert "needle" in first["matched"][0]["found"]
    assert ("1 records were repaired to be read, and matched" in result.err) is (name in COUNTED)


def test_a_byte_order_mark_inside_a_file_is_passed_over(rules: Path) -> None:
    marked = [b"\xef\xbb\xbf" + text for text in (GOOD, GOOD, b'{"records": [' + GOOD + b"]}")]
    for data in (marked, marked[::-1]):
        result = scan("-", rules=rules, stdin=b"\n".join(data), strict=True)
        assert result.lines == [1, 2, 3]
        assert result.status == 0


@pytest.mark.parametrize(
    "marks",
    [
        b'"mark": "needle", "mark": "straw"',
        b'"mark": "straw", "mark": "needle"',
        b'"mark": ["straw", "needle"]',
        b'"mark": "straw", "mark": ["x", "needle"], "mark": null',
    ],
)
def test_of_a_repeated_key_any_value_matches(marks: bytes, rules: Path) -> None:
    result = scan("-", rules=rules, stdin=b"{" + marks + b"}\n" + GOOD)
    assert result.lines == [1, 2]
    assert all(map(strictly, result.out.splitlines()))


@pytest.mark.parametrize(
    "number",
    ["1e999999", "-1e999999", "1e-999999", "123456789012345678901234567890", "1" * 5000, "0.1" * 1
     + "0" * 400 + "1", "18446744073709551616", "-9223372036854775809", "1E+2", "-0", "1.0"],
    ids=lambda number: number[:24],
)  # fmt: skip
def test_a_number_of_any_size_is_kept_as_it_was_written(number: str, rules: Path) -> None:
    text = f'{{"mark":"needle","n":{number}}}'
    result = scan("-", rules=rules, stdin=text.encode())
    assert text in result.text
    assert result.status == 0


def test_a_million_brackets_in_a_text_are_text(rules: Path) -> None:
    data = b'{"mark": "needle", "x": "' + b"[{" * 500_000 + b'"}\n' + GOOD
    assert scan("-", rules=rules, stdin=data).lines == [1, 2]


@pytest.fixture(scope="module")
def long_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of 17 and 50 MB among short ones: as lines and in a wrapper, plain and packed."""
    folder = tmp_path_factory.mktemp("long")
    long = [b'{"mark": "needle", "x": "' + b"x" * size + b'"}' for size in (17 << 20, 50 << 20)]
    records = [GOOD, long[0], GOOD, long[1], GOOD]
    lines, document = b"\n".join(records), b'{"records": [' + b",\n".join(records) + b"]}"
    for name, data in (("lines", lines), ("document", document)):
        (folder / name).write_bytes(data)
        (folder / f"{name}.gz").write_bytes(gzip.compress(data, 1))
    return folder


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["lines", "lines.gz", "document", "document.gz"])
def test_records_that_are_too_long_are_passed_over(
    name: str, workers: int, rules: Path, long_logs: Path, tmp_path: Path
) -> None:
    result: Result = scan(
        long_logs / name, rules=rules, workers=workers, quarantine=tmp_path / "quarantine"
    )
    assert result.lines == [1, 3, 5]
    kept = [json.loads(line) for line in (tmp_path / "quarantine").read_bytes().splitlines()]
    assert [(item["line"], item["reason"]) for item in kept] == [
        (2, "longer than 16 MiB"),
        (4, "longer than 16 MiB"),
    ]
    assert [item["length"] >> 20 for item in kept] == [17, 50]
    assert all(len(item["raw"]) == 64 << 10 for item in kept)
