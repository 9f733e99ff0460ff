"""Content: text is decoded, its beginning is seen, and its bytes can be read anywhere."""

from pathlib import Path

import pytest

from logs.reading import read
from tocsin.logs.formats.content import HEAD_BYTES, MOST_HEAD_BYTES, Content
from tocsin.logs.formats.packing import PackingError

TEXT = '{"a":"ü€😀"}\r\n{"b":1}\n'
FOUND = [(1, '{"a":"ü€😀"}'), (2, '{"b":1}')]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_decoded_as_its_byte_order_mark_says(codec: str) -> None:
    assert read(TEXT.encode(codec)) == FOUND


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_json_in_utf16_is_seen_without_a_mark(codec: str) -> None:
    assert read(TEXT.encode(codec)) == FOUND


def test_text_that_is_cut_in_a_character_is_read() -> None:
    assert read(TEXT.encode("utf-16")[:-1])[0] == FOUND[0]


def test_half_of_a_pair_is_replaced() -> None:
    data = '{"a":"'.encode("utf-16") + b"\x00\xd8" + '"}'.encode("utf-16-le")
    assert read(data) == [(1, '{"a":"\ufffd"}')]


def pieces(data: bytes, size: int = 1000) -> Content:
    return Content(data[at : at + size] for at in range(0, len(data), size))


def test_the_beginning_reaches_to_the_end_of_the_first_line_if_that_is_near() -> None:
    assert len(pieces(b"x" * 10 + b"\n" + b"y" * 2 * HEAD_BYTES).head) < HEAD_BYTES + 1000
    assert b"\n" in pieces(b"x" * 2 * HEAD_BYTES + b"\n" + b"y" * HEAD_BYTES).head
    assert len(pieces(b"x" * 2 * MOST_HEAD_BYTES).head) < MOST_HEAD_BYTES + 1000


def test_blanks_in_front_do_not_make_a_log_empty() -> None:
    assert read(b"\n" * 100_000 + b'{"a":1}') == [(100_001, '{"a":1}')]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_all_bytes_can_be_read_at_any_place(codec: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(TEXT.encode(codec))
    for path in (tmp_path / "log", None):
        content = Content(iter([TEXT.encode(codec)]), path)
        assert (content.path is None) is (path is None or codec != "utf-8")
        with content.file() as file:
            file.seek(2)
            assert file.read() == TEXT.encode()[2:]


def test_damage_ends_the_bytes_and_is_kept() -> None:
    def broken():
        yield b'{"a":1}\n'
        raise PackingError("worn")

    content = Content(broken())
    assert b"".join(content.chunks()) == b'{"a":1}\n'
    assert str(content.damage) == "worn"
