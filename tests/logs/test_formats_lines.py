"""Lines: cut into blocks and batches without losing a byte, a line number or an offset."""

import json
import random

import pytest

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import KEPT_BYTES, Lines, Records, batches, line_blocks, line_ends

Row = tuple[int, int, bytes]


def rows(data: bytes, chunk: int = 1 << 20, size: int = 1 << 24, most: int | None = None) -> list:
    """Return line, offset and text of each record, or line, offset and reason."""
    found: list[tuple[int, int, bytes | str]] = []
    for block in line_blocks([data[at : at + chunk] for at in range(0, len(data), chunk)], size):
        if not isinstance(block, Lines):
            assert data[block.offset : block.offset + block.length][:KEPT_BYTES] == block.start
            found.append((block.line, block.offset, block.reason))
            continue
        for batch in batches(block, most):
            for text, line, offset in zip(batch.raw, batch.lines, batch.offsets, strict=True):
                raw = text.as_buffer().to_pybytes()
                assert data[offset : offset + len(raw)] == raw
                found.append((int(line), int(offset), raw))
    return found


def texts(found: list[Row]) -> list[tuple[int, str]]:
    return [(line, text.decode().strip()) for line, _, text in found]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        ("\n", []),
        (" \t\r\n\n", []),
        ("a", [(1, "a")]),
        ("a\n", [(1, "a")]),
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\r\nb\r\n", [(1, "a"), (2, "b")]),
        ("\n\na\n\n b\n\n", [(3, "a"), (5, "b")]),
        ('{"records":[{"a":1},{"a":2}]}\nb\n', [(1, '{"a":1}'), (1, '{"a":2}'), (2, "b")]),
        ('a\n  { "Records" : [{"a":1}] }\r\n', [(1, "a"), (2, '{"a":1}')]),
        ('{"records":[]}\nb\n', [(2, "b")]),
        ('{"records":[]}', []),
        ('{"records":[{"a":1},{"b', [(1, '{"a":1}'), (1, '{"b')]),
        ('{"records":[{"a":1}\n{"records":[{"a":2}]}\n', [(1, '{"a":1}'), (2, '{"a":2}')]),
        ("\ufeffa\n\ufeffb\n\ufeff\n\ufeff", [(1, "a"), (2, "b")]),
        ('{"records":7}\n', [(1, '{"records":7}')]),
        ('{"recorded":[1]}\n', [(1, '{"recorded":[1]}')]),
    ],
)
@pytest.mark.parametrize("most", [None, 1, 2])
@pytest.mark.parametrize(("chunk", "size"), [(1 << 20, 1 << 24), (1, 1), (5, 12)])
def test_each_line_is_a_record_and_wrappers_are_undone(
    data: str, expected: list, chunk: int, size: int, most: int | None
) -> None:
    assert texts(rows(data.encode(), chunk, size, most)) == expected


def test_a_wrapper_is_undone_beside_bytes_that_are_no_text() -> None:
    assert texts(rows(b'{"records":[{"a":1}]}\n'))
    assert [row[:2] for row in rows(b'\xff\xfe\n{"records":[{"a":1}]}\n')] == [(1, 0), (2, 15)]


@pytest.mark.parametrize("seed", range(60))
def test_random_lines_are_cut_alike_in_any_pieces(seed: int) -> None:
    chance = random.Random(seed)
    lines = []
    for _ in range(chance.randrange(1, 12)):
        record = {"a": chance.choice(["x", "},{", "\\", 1, {"b": [1, 2]}])}
        wrapper = {"records": [record] * chance.randrange(3)}
        lines.append(chance.choice(["", " ", json.dumps(record), " " + json.dumps(wrapper)]))
    data = chance.choice(["\n", "\r\n"]).join(lines).encode()
    whole = rows(data)
    assert rows(data, chance.randrange(1, 9), chance.randrange(1, 50), 1) == whole
    assert rows(data, chance.randrange(1, 99), chance.randrange(1, 500), 3) == whole


LONG = MAX_BYTES + (1 << 20)


@pytest.mark.parametrize("long", [LONG, 3 * LONG])
@pytest.mark.parametrize("size", [1 << 20, MAX_BYTES, 2 * MAX_BYTES])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b"a\n\n", b"b\nc\n"), (b"a\n", b"b")])
def test_a_line_that_is_too_long_is_passed_over_or_left_to_be_refused(
    long: int, size: int, before: bytes, after: bytes
) -> None:
    line = b"x" * long + b"\n" * bool(after)
    found = rows(before + line + after, chunk=1 << 20, size=size)
    others = [row for row in found if len(row[2]) < 10]
    [(number, offset, kept)] = [row for row in found if row not in others]
    assert kept in (TOO_LONG, line)
    assert (number, offset) == (1 + before.count(b"\n"), len(before))
    assert [row[2].strip() for row in others] == (before + after).split()


def test_line_ends_count_the_last_line_without_a_newline() -> None:
    assert line_ends(b"a\nbb\n").tolist() == [2, 5]
    assert line_ends(b"a\nbb").tolist() == [2, 4]


def test_a_block_of_nothing_has_no_batches() -> None:
    assert list(batches(Lines(b"", 1))) == list(batches(Lines(b"\n", 1))) == []


def test_records_of_a_document_keep_their_lines() -> None:
    from tocsin.logs.formats.documents import document_blocks

    [block] = document_blocks([b'{"records": [\n {"a":1},\n\n {"a":2}\n]}'])
    assert isinstance(block, Records)
    [first, second] = batches(block, 1)
    assert (first.lines.tolist(), second.lines.tolist()) == ([2], [4])
    assert (first.offsets.tolist(), second.offsets.tolist()) == ([15], [26])
