"""CSV: every row becomes one record on its line, or is named."""

import csv
import io
import json
import random
import time

import pytest

from logs.reading import only, read
from tocsin.logs.formats.blocks import Rows, Unreadable
from tocsin.logs.formats.content import Content
from tocsin.logs.formats.delimited import NO_ROW, OTHER_CELLS, blocks
from tocsin.logs.formats.rowbounds import Grammar, find_rows


def rows(text: str) -> list[tuple[int, object]]:
    """Return each row as a record, or the kind of what is none, with its line."""
    return [(line, _value(str(found))) for line, found in read(text.encode())]


def _value(text: str) -> object:
    return text.split(":")[0] if text.startswith("!") else json.loads(text)


OTHER, NONE = f"! {OTHER_CELLS}", f"! {NO_ROW.split(':')[0]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", [(2, {"a": "1", "b": "2"})]),
        ("a,b\n1,2", [(2, {"a": "1", "b": "2"})]),
        ("a,b\r\n1,2\r\n", [(2, {"a": "1", "b": "2"})]),
        ("a,b\r\n1,2\n3,4\r\n", [(2, {"a": "1", "b": "2"}), (3, {"a": "3", "b": "4"})]),
        ("a;b\n1,5;2\n", [(2, {"a": "1,5", "b": "2"})]),
        ("a\tb\n1\t2\n", [(2, {"a": "1", "b": "2"})]),
        ("a|b\n1|2\n", [(2, {"a": "1", "b": "2"})]),
        ("\na,b\n\n1,2\n\n\n3,4\n", [(4, {"a": "1", "b": "2"}), (7, {"a": "3", "b": "4"})]),
        ('a,b\n"1\n2\r\n3",4\n5,6\n', [(2, {"a": "1\n2\r\n3", "b": "4"}),
                                      (5, {"a": "5", "b": "6"})]),
        ('a,b\n"x,""y""",z\n', [(2, {"a": 'x,"y"', "b": "z"})]),
        ('"a","b"\n"1","2"\n', [(2, {"a": "1", "b": "2"})]),
        ('a,b\n,""\n"",\n', [(2, {"b": ""}), (3, {"a": ""})]),
        ('a,b\nNULL,nan\n" ",N/A\n', [(2, {"a": "NULL", "b": "nan"}), (3, {"a": " ", "b": "N/A"})]),
        ('a,b\n5" disk,x\n', [(2, {"a": '5" disk', "b": "x"})]),
        ('a,b\n"{""k"":[1,2]}",x\n', [(2, {"a": '{"k":[1,2]}', "b": "x"})]),
        ("a,b\n", []),
        ("a,b", []),
        ("a,b\n,\n", [(2, {})]),
        ("a,b\n1,", [(2, {"a": "1"})]),
        ("a,ü b,c.d/e (f)\n1,2,3\n", [(2, {"a": "1", "ü b": "2", "c.d/e (f)": "3"})]),
        ('#TYPE System.Object\n"a","b"\n"1","2"\n', [(3, {"a": "1", "b": "2"})]),
    ],
)  # fmt: skip
def test_rows_are_records_of_texts(text: str, expected: list[tuple[int, object]]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3\n4,5\n", [(2, {"a": "1", "b": "2"}), (4, {"a": "4", "b": "5"}), (3, OTHER)]),
        ("a,b\n1,2,3\n4,5\n", [(3, {"a": "4", "b": "5"}), (2, OTHER)]),
        ('a,b\n1,"2\n3,4\n', [(3, {"a": "3", "b": "4"}), (2, NONE)]),
        ('a,b\n1,"2\n3,4\n5,"6"\n', [(3, {"a": "3", "b": "4"}), (4, {"a": "5", "b": "6"}),
                                     (2, NONE)]),
        ('a,b\n1,"2"x\n3,4\n', [(3, {"a": "3", "b": "4"}), (2, NONE)]),
        ('a,b\n"x "y" z",2\n3,4\n', [(3, {"a": "3", "b": "4"}), (2, NONE)]),
        ("a,b\n1,2\r3,4\n5,6\n", [(3, {"a": "5", "b": "6"}), (2, NONE)]),
        ("a,b\n  \n1,2\n", [(3, {"a": "1", "b": "2"})]),
        ('a,b\n1,2\n3,"4', [(2, {"a": "1", "b": "2"}), (3, NONE)]),
    ],
)  # fmt: skip
def test_what_is_no_row_is_named_and_the_others_are_read(
    text: str, expected: list[tuple[int, object]]
) -> None:
    assert rows(text) == expected


def test_a_row_that_is_none_is_kept_with_its_place_and_text() -> None:
    data = b"\xef\xbb\xbfa,b\n1,2\n3,4,5\n6,7\n"
    [_, bad] = only(data).blocks()
    assert isinstance(bad, Unreadable)
    assert bad.reason == f"{OTHER_CELLS}: 3 instead of 2"
    assert (bad.line, bad.start) == (3, b"3,4,5")
    assert data[bad.offset : bad.offset + bad.length] == b"3,4,5\n"


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,a,a,b", ["a", "a_2", "a_3", "b"]),
        ("a,a_2,a", ["a", "a_2", "a_3"]),
        (",a,b", ["column_1", "a", "b"]),
        ("a,b,", ["a", "b", "column_3"]),
        ("A,a,b", ["A", "a", "b"]),
        ("TimeGenerated [UTC],a,b", ["TimeGenerated", "a", "b"]),
        ("When [Local Time],When [UTC],b", ["When", "When_2", "b"]),
        ("size [MB],time [Europe/Berlin],c [UTC+02:00]", ["size [MB]", "time", "c"]),
    ],
)  # fmt: skip
def test_every_column_has_a_name_of_its_own(header: str, names: list[str]) -> None:
    cells = ["x"] * len(names)
    [(_, record)] = rows(f"{header}\n{','.join(cells)}\n")
    assert record == dict(zip(names, cells, strict=True))


@pytest.mark.parametrize(
    ("zone", "written", "read"),
    [
        ("UTC", "1/18/2026, 10:17:38.510 PM", "1/18/2026, 10:17:38.510 PM UTC"),
        ("UTC", "2026-01-18T22:17:38Z", "2026-01-18T22:17:38Z"),
        ("UTC", "2026-01-18 22:17:38 +02:00", "2026-01-18 22:17:38 +02:00"),
        ("UTC", "yesterday", "yesterday"),
        ("UTC+05:30", "1/18/2026 10:17:38 AM", "1/18/2026 10:17:38 AM +05:30"),
        ("-3", "2026-01-18 10:17", "2026-01-18 10:17 -03:00"),
        ("Europe/Berlin", "2026-01-18 10:17:38", "2026-01-18 10:17:38 +01:00"),
        ("Europe/Berlin", "2026-07-18 10:17:38", "2026-07-18 10:17:38 +02:00"),
        ("Local Time", "2026-01-18 10:17:38", "2026-01-18 10:17:38"),
    ],
)
def test_the_zone_of_a_header_is_written_behind_times_without_one(
    zone: str, written: str, read: str
) -> None:
    assert rows(f'when [{zone}],x\n"{written}",y\n,z\n') == [
        (2, {"when": read, "x": "y"}),
        (3, {"x": "z"}),
    ]


@pytest.mark.parametrize("first", ["1,2,3", "2026-01-02T03:04:05Z,a,b", '"{""a"":1}",b,c', ",,"])
def test_a_first_row_of_data_is_refused_with_what_to_do(first: str) -> None:
    [said] = read(f"{first}\n{first}\n{first}\n".encode())
    assert isinstance(said, str)
    assert said.startswith("log: has no header: its first row looks like data (")
    assert said.endswith("put the names of the columns there")


def test_text_that_is_no_utf8_is_replaced_in_its_cell() -> None:
    assert read(b"a,b\n\xff\xfe,x\n1,\xc3,2\n")[:1] == [(2, '{"a":"\ufffd\ufffd","b":"x"}')]


def test_a_table_has_one_column_of_text_for_each_name() -> None:
    [block] = only(b"a,b,c\n1,,x\n2,,y\n").blocks()
    assert isinstance(block, Rows)
    assert block.table.schema.names == ["a", "b", "c"]
    assert {str(kind) for kind in block.table.schema.types} == {"string"}
    assert block.table.column("b").null_count == 2
    assert block.lines.tolist() == [2, 3]


def reference(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


@pytest.mark.parametrize("seed", range(60))
def test_random_rows_are_those_of_another_reader_in_any_pieces(seed: int) -> None:
    chance = random.Random(seed)
    cells = ["", "x", "a,b", 'q"', "l\nm", "\r\n", "ü", " ", '""', ",", "7"]
    table = [[chance.choice(cells) for _ in range(3)] for _ in range(chance.randrange(1, 30))]
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        lineterminator=chance.choice(["\n", "\r\n"]),
        quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    writer.writerows([["a", "b", "c"], *table])
    data = text.getvalue().encode()
    expected = [[cell or None for cell in row] for row in reference(data.decode())[1:]]
    for chunk, size in ((len(data), 1 << 20), (1, 1), (chance.randrange(1, 40), 60)):
        content = Content(data[at : at + chunk] for at in range(0, len(data), chunk))
        cut = data.index(b"\n") + 1
        content.head, rest = data[:cut], data[cut:]
        content._chunks = (rest[at : at + chunk] for at in range(0, len(rest), chunk))
        found, lines = [], []
        for block in blocks(content, size):
            assert isinstance(block, Rows)
            found += [[cell or None for cell in row.values()] for row in block.table.to_pylist()]
            lines += block.lines.tolist()
        assert found == expected
        starts = [data.count(b"\n", 0, at) + 1 for at, _ in _spans(data)[1:]]
        assert lines == starts


def _spans(data: bytes) -> list[tuple[int, int]]:
    spans = find_rows(data, Grammar(b","), final=True).rows.tolist()
    return [(start, end) for start, end in spans if data[start:end].strip(b"\r\n")]


@pytest.mark.parametrize("seed", range(40))
def test_rows_found_with_arrays_are_those_of_the_grammar(seed: int) -> None:
    """Broken text too: whatever the arrays leave open is decided by the expression."""
    chance = random.Random(seed)
    data = "".join(chance.choices('a,"\n\r', [4, 3, 3, 3, 1], k=chance.randrange(1, 80))).encode()
    grammar = Grammar(b",")
    at, expected, bad = 0, [], []
    while at < len(data):
        row = grammar.row.match(data, at)
        end = row.end() if row else data.find(b"\n", at) + 1 or len(data)
        (expected if row else bad).append((at, end))
        at = end
    found = find_rows(data, grammar, final=True)
    assert ([tuple(row) for row in found.rows.tolist()], found.bad) == (expected, bad)


def test_quotes_in_every_row_take_time_that_grows_with_the_rows_alone() -> None:
    data = b"a,b\n" + b'5" disk,"open\n' * 200_000
    started = time.process_time()
    assert len(read(data)) == 200_000
    assert time.process_time() - started < 30


def test_a_line_without_end_is_passed_over_in_bounded_memory() -> None:
    def chunks():
        yield b"a,b\n1,2\n"
        for _ in range(40):
            yield b"x" * (1 << 20)
        yield b"\n3,4\n"

    content = Content(chunks())
    content._chunks = iter([content.head[8:], *content._chunks])
    content.head = content.head[:8]
    found = list(blocks(content, 1 << 20))
    lines = [block.lines.tolist() for block in found if isinstance(block, Rows)]
    [bad] = [block for block in found if isinstance(block, Unreadable)]
    assert lines == [[2], [4]]
    assert (bad.line, bad.offset, bad.length) == (3, 8, (40 << 20) + 1)
    assert len(bad.start) == 64 << 10
