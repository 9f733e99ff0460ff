"""Documents of many records: cut as a plain reading of the whole would cut them."""

import json
import random
import textwrap
from collections.abc import Iterable, Iterator

import pytest

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import KEPT_BYTES, Records, Unreadable
from tocsin.logs.formats.documents import CUT_OFF, NO_REST, document_blocks, find_layout

Piece = tuple[int, object]
"""The line of a record and its value, or the reason why there is none."""


def cut(data: bytes, chunk: int = 1 << 20, size: int = 1 << 24) -> list[Piece]:
    """Cut data that comes in chunks; check that every piece stands where it is said to."""
    return [(line, value) for line, _, value in pieces(data, chunk, size)]


def pieces(data: bytes, chunk: int, size: int) -> Iterator[tuple[int, int, object]]:
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    for block in document_blocks(chunks, size):
        if not isinstance(block, Records):
            whole = data[block.offset : block.offset + block.length]
            assert whole[:KEPT_BYTES] == block.start
            assert block.line == 1 + data.count(b"\n", 0, block.offset)
            yield block.line, block.offset, block.reason
            continue
        for (start, end), line in zip(block.bounds.tolist(), block.lines.tolist(), strict=True):
            text, at = block.data[start:end], block.offset + start
            assert data[at : at + len(text)] == text
            assert line == 1 + data.count(b"\n", 0, at)
            yield line, at, value_of(text)


def value_of(text: bytes) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"records":[{"a":1},{"a":2}]}', [(1, {"a": 1}), (1, {"a": 2})]),
        ('{"Records": [ {"a":1} ]}', [(1, {"a": 1})]),
        ('{"records":[]}', []),
        ('{"records":[\n]}\n', []),
        ('{\n  "records": [\n    {\n      "a": 1\n    },\n    {"a": 2}\n  ]\n}\n',
         [(3, {"a": 1}), (6, {"a": 2})]),
        ('{"records":[{"a":1}],"next":{"b":[1,2],"c":"]}"}}{"records":[{"a":2}]}',
         [(1, {"a": 1}), (1, {"a": 2})]),
        ('{"records":[{"a":1}]}\n\n{"records":[{"a":2}]}\r\n', [(1, {"a": 1}), (3, {"a": 2})]),
        ('{"records":[{"a":1}]},{"records":[{"a":2}]}', [(1, {"a": 1}), (1, {"a": 2})]),
        ('{"records":[{"a":1}]}{"plain":{"records":[1]}}\n{"b":2}',
         [(1, {"a": 1}), (1, {"plain": {"records": [1]}}), (2, {"b": 2})]),
        ('{"records":[1,"x",null,[2,[3]],{"a":{"b":[{"c":4}]}}]}',
         [(1, 1), (1, "x"), (1, None), (1, [2, [3]]), (1, {"a": {"b": [{"c": 4}]}})]),
        ('{"records":[{"a":"},{\\"records\\":["},{"a":"\\\\"},{"a":"\\\\\\""}]}',
         [(1, {"a": '},{"records":['}), (1, {"a": "\\"}), (1, {"a": '\\"'})]),
        ('{"records":[{"a":1},]}', [(1, {"a": 1})]),
        ('{"records":[{"a":"Ω"},{"b":"\\u03a9"}]}', [(1, {"a": "Ω"}), (1, {"b": "Ω"})]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("chunk", "size"), [(1 << 20, 1 << 24), (1, 1), (7, 20)])
def test_members_of_wrappers_and_whole_documents_are_records(
    data: str, expected: list[Piece], chunk: int, size: int
) -> None:
    assert cut(data.encode(), chunk, size) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"records":[', [(1, CUT_OFF)]),
        ('{"records":[{"a":1}', [(1, {"a": 1}), (1, CUT_OFF)]),
        ('{"records":[{"a":1},', [(1, {"a": 1}), (1, CUT_OFF)]),
        ('{"records":[{"a":1}]', [(1, {"a": 1}), (1, CUT_OFF)]),
        ('{"records":[{"a":1}],"next":{', [(1, {"a": 1}), (1, CUT_OFF)]),
        ('{"records":[{"a":1},\n{"a":"b', [(1, {"a": 1}), (2, CUT_OFF)]),
        ('{"records":[{"a":1}\n,\n{"b":{"c":[1,2', [(1, {"a": 1}), (3, CUT_OFF)]),
        ('{"records":[{"a":1}]}{"b', [(1, {"a": 1}), (1, CUT_OFF)]),
        ('{"records":[{"a":"b\n{"records":[{"a":2}]}\n', [(1, CUT_OFF), (2, {"a": 2})]),
        ('{"records":[{"a":1},{"a":\n{"records":[{"a":2}]}', [(1, {"a": 1}), (1, CUT_OFF),
                                                             (2, {"a": 2})]),
        ('{"records":[{"a":1}\n{\n "records": [{"a":2}]}', [(1, {"a": 1}), (2, CUT_OFF),
                                                           (3, {"a": 2})]),
        ('{"records":[{"a":1}]}}}\n{"records":[{"a":2}]}', [(1, {"a": 1}), (1, CUT_OFF),
                                                           (2, {"a": 2})]),
        ('{"records":[{"a":1}]} junk {"records":[{"a":2}]}', [(1, {"a": 1}), (1, "junk "),
                                                              (1, {"a": 2})]),
        ('{"records":[{"a":1},no,{"a":2}]}', [(1, {"a": 1}), (1, "no"), (1, {"a": 2})]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("chunk", "size"), [(1 << 20, 1 << 24), (1, 1), (7, 20)])
def test_what_is_complete_is_kept_and_what_is_broken_is_named(
    data: str, expected: list[Piece], chunk: int, size: int
) -> None:
    assert cut(data.encode(), chunk, size) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('[{"a":1},{"a":2}]', [(1, {"a": 1}), (1, {"a": 2})]),
        ('[\n{"a":1},\n{"a":2}\n]\n', [(2, {"a": 1}), (3, {"a": 2})]),
        ('[{"a":1}]\n[{"a":2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        ("[]", []),
        ('[{"a":[{"b":1},{"c":"],["}]},7,null]', [(1, {"a": [{"b": 1}, {"c": "],["}]}), (1, 7),
                                                 (1, None)]),
        ('{"a":1}{"a":2}\n{\n"a":3}', [(1, {"a": 1}), (1, {"a": 2}), (2, {"a": 3})]),
        ('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', [(1, {"a": 1}), (4, {"a": 2})]),
        ('{"@odata.context":"c","value":[{"a":1},\n{"a":2}]}', [(1, {"a": 1}), (2, {"a": 2})]),
        ('{"@odata.context":"c","@odata.count":2,"@odata.nextLink":"n","value":[{"a":1}]}',
         [(1, {"a": 1})]),
        ('{"value":[{"a":1}],"nextLink":"n"}\n{"value":[]}\n{"value":[{"a":2}]}',
         [(1, {"a": 1}), (3, {"a": 2})]),
        ('{"b":{"c":[1]},"Records":[{"a":1}]}', [(1, {"b": {"c": [1]}, "Records": [{"a": 1}]})]),
        ('{"a":"x,\\"]","b":{"c":"d"},"e":[1,"]"],"f":null,"Records":[{"a":1}]}', [(1, {"a": 1})]),
        ('{"Records":[{"a":1}],"n":{"o":1},"Records":[{"a":2}]}', [(1, {"a": 1}), (1, {"a": 2})]),
        ('{"value":[1,2]}', [(1, {"value": [1, 2]})]),
        ('{"value":"x","b":[{}]}', [(1, {"value": "x", "b": [{}]})]),
        ('{"a":1,"value":[{"b":1}]}', [(1, {"a": 1, "value": [{"b": 1}]})]),
        ('{"a":1,"records":["b"]}', [(1, {"a": 1, "records": ["b"]})]),
        ('{"records":[{"records":[{"a":1}]}]}', [(1, {"records": [{"a": 1}]})]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("chunk", "size"), [(1 << 20, 1 << 24), (1, 1), (7, 20)])
def test_arrays_pages_and_objects_one_after_the_other_are_records(
    data: str, expected: list[Piece], chunk: int, size: int
) -> None:
    assert cut(data.encode(), chunk, size) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"records":[{"a":1}],{"a":2},{"a":3}]}', [(1, {"a": 1}), (1, NO_REST), (1, CUT_OFF)]),
        ('{"records":[{"a":1}],"b":{"c":[{}]},"records":[{}]}', [(1, {"a": 1}), (1, NO_REST)]),
        ('{"records":[{"a":1}] "b":2}', [(1, {"a": 1}), (1, NO_REST)]),
        ('{"records":[{"a":1}},"b":2}{"a":3}', [(1, {"a": 1}), (1, NO_REST), (1, {"a": 3})]),
        ('{"records":[{"a":1}],"b":2]{"a":3}', [(1, {"a": 1}), (1, NO_REST), (1, {"a": 3})]),
    ],
)
def test_what_stands_behind_records_is_read_past_only_if_it_is_keys_and_values(
    data: str, expected: list[Piece]
) -> None:
    found = cut(data.encode())
    assert found[: len(expected)] == expected or [
        piece for piece in found if piece[1] != CUT_OFF
    ] == [piece for piece in expected if piece[1] != CUT_OFF]


LAYOUTS = {
    "array, indented": lambda texts: "[\n" + ",\n".join(texts) + "\n]\n",
    "array, a line each": lambda texts: "[\n" + ",\n".join(map(one_line, texts)) + "\n]\n",
    "wrapper, indented": lambda texts: (
        '{\n  "records": [\n' + ",\n".join(texts) + '\n  ],\n  "n": 1\n}\n'
    ),
    "objects, indented": lambda texts: "\n".join(map(textwrap.dedent, texts)) + "\n",
}


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("damage", ['"a": {{', '"a": "b', '"a": [[[', "{{{{"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chunk", [1 << 20, 7])
def test_behind_a_broken_record_reading_begins_anew_where_the_next_one_stands(
    layout: str, damage: str, chunk: int
) -> None:
    texts = [
        f'    {{\n      "a": {{\n        "b": {number}\n      }}\n    }}' for number in range(6)
    ]
    broken = texts[3].replace('"a": {', damage)
    data = LAYOUTS[layout]([*texts[:3], broken, *texts[4:]]).encode()
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    found = list(found_in(document_blocks(chunks, chunk, layout=find_layout(data))))
    assert [value for value in found if isinstance(value, dict)] == [
        {"a": {"b": number}} for number in (0, 1, 2, 4, 5)
    ]
    assert CUT_OFF in found


def found_in(blocks: Iterable[object]) -> Iterator[object]:
    for block in blocks:
        if isinstance(block, Records):
            yield from (value_of(block.data[start:end]) for start, end in block.bounds.tolist())
        else:
            assert isinstance(block, Unreadable)
            yield block.reason


@pytest.mark.parametrize(
    "data",
    [
        b'{\n"a": [\n{\n"b": 1\n}\n]\n}',
        b'[\n{\n"a": 1\n}\n]',
        b'[{"a": 1},\n{"a": 2}]',
        b'{"a": [\n{"b": 1}\n]}',
        b'  {\n"a": 1}',
        b"[]",
        b"",
    ],
)
def test_where_records_need_not_stand_alike_no_line_begins_anew(data: bytes) -> None:
    assert not any(pattern.search(b"\n{}") for pattern, _ in find_layout(data).starts)


@pytest.mark.parametrize("indent", [0, 1, 4])
@pytest.mark.parametrize("seed", range(20))
def test_an_indented_document_is_cut_the_same_with_its_layout(seed: int, indent: int) -> None:
    chance = random.Random(seed)
    members = [one for one in chance.choices(MEMBERS, k=5) if isinstance(one, dict)]
    members = [one for one in members if "records" not in one]
    for value in (members, {"records": members, "next": [{"a": 1}]}):
        data = json.dumps(value, indent=indent).encode()
        blocks = document_blocks([data], layout=find_layout(data))
        assert list(found_in(blocks)) == members


MEMBERS = [
    {"a": 1}, {}, 7, None, "s,]}", {"a": '},{"records":['}, {"b": [1, 2, {"c": [3, "x,y"]}]},
    {"t": '\\"'}, {"records": [1, 2]}, [1, [2]], {"é": "\u2028"},
]  # fmt: skip


def documents(chance: random.Random) -> Iterator[tuple[str, list[object]]]:
    """Yield documents and the records in each."""
    for _ in range(chance.randrange(1, 4)):
        members = chance.choices(MEMBERS, k=chance.randrange(4))
        indent = chance.choice([None, None, 1, 2])
        rest = chance.choice([{}, {"next": [1, {"a": 2}], "s": "]}"}])
        wrapper = {chance.choice(["records", "Records"]): members, **rest}
        yield json.dumps(wrapper, indent=indent), members
        if chance.random() < 0.2:
            plain = {"plain": chance.choice(MEMBERS)}
            yield json.dumps(plain, indent=indent), [plain]


@pytest.mark.parametrize("seed", range(80))
def test_random_documents_are_cut_alike_in_any_pieces(seed: int) -> None:
    chance = random.Random(seed)
    texts, expected = zip(*documents(chance), strict=True)
    data = chance.choice(["\n", "\n\n", " ", ""]).join(texts).encode()
    whole = list(pieces(data, len(data), 1 << 24))
    assert [value for _, _, value in whole] == [one for members in expected for one in members]
    short = data[: chance.randrange(1, len(data))]
    for text in (data, short):
        assert list(pieces(text, chance.randrange(1, 9), chance.randrange(1, 99))) == list(
            pieces(text, len(text), 1 << 24)
        )
    kept = [piece for piece in pieces(short, 5, 50) if piece[2] != CUT_OFF]
    assert kept == whole[: len(kept)]


LONG = 3 * MAX_BYTES


@pytest.mark.parametrize(
    ("long", "after"),
    [
        pytest.param(b'{"x": "' + b"x" * LONG + b'"}', [(4, {"a": 2})], id="text"),
        pytest.param(b'{"x": "' + b'\\"' * (LONG // 2) + b'"}', [(4, {"a": 2})], id="escapes"),
        pytest.param(b'{"x": [' + b"[]," * (LONG // 3) + b"1]}", [(4, {"a": 2})], id="brackets"),
        pytest.param(b"[" * 9 + b"1," * (LONG // 2) + b"1" + b"]" * 9, [(4, {"a": 2})], id="deep"),
        pytest.param(b'{"x": "' + b"x" * LONG, [], id="without end"),
    ],
)
def test_a_member_that_is_too_long_is_passed_over_in_bounded_memory(
    long: bytes, after: list[Piece]
) -> None:
    data = b'{"records": [\n{"a": 1},\n' + long + b',\n{"a": 2}]}'
    found = cut(data, chunk=1 << 20, size=MAX_BYTES)
    assert found == [(2, {"a": 1}), (3, TOO_LONG), *after]


def test_what_follows_a_long_member_without_end_is_read_from_the_next_wrapper_on() -> None:
    data = b'{"records": [{"x": "' + b"x" * LONG + b'\n{"records": [{"a": 2}]}'
    assert cut(data, chunk=1 << 20, size=MAX_BYTES) == [(1, TOO_LONG), (2, {"a": 2})]


def test_many_small_documents_take_time_that_grows_with_their_number_alone() -> None:
    """Each is found without another look at those around it: a million steps, not a billion."""
    data = b'{"records": [{"a": 1}, {"a": 2}]}\n' * 20_000

    def counted(chunks: Iterable[bytes]) -> int:
        return sum(len(block.bounds) for block in document_blocks(chunks) if block.bounds.size)

    assert counted([data]) == 40_000
