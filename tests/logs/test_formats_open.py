"""Files are known by their first bytes; of a damaged one, all that can be read is."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from logs.reading import only, problem
from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Lines, Records
from tocsin.logs.formats.formats import NO_FORMAT
from tocsin.logs.formats.open import log_files, open_sources, shown

LINES = b"".join(b'{"n": %d, "text": "%d"}\n' % (at, hash(str(at))) for at in range(20_000))


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


PACKERS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd}


def read(data: bytes) -> tuple[bytes, str]:
    """Return the bytes of all blocks, and what went wrong after them."""
    source = only(data)
    found = b""
    try:
        for block in source.blocks():
            assert isinstance(block, Lines)
            found += block.data
    except InputError as error:
        return found, str(error)
    return found, ""


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_content_is_read_whole(pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(LINES)) == (LINES, "")
    assert read(pack(LINES) * 3) == (LINES * 3, "")
    assert read(pack(b"") + pack(LINES) + pack(b"")) == (LINES, "")


def test_zeros_after_gzip_are_padding() -> None:
    assert read(gzip.compress(LINES) + bytes(512)) == (LINES, "")
    padded = gzip.compress(LINES) + bytes(512) + gzip.compress(LINES)
    assert read(padded) == (LINES * 2, "")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_of_a_gzip_file_that_ends_early_everything_before_is_read(kept: float) -> None:
    packed = gzip.compress(LINES)
    packed = packed[: int(len(packed) * kept)]
    expected = zlib.decompressobj(wbits=31).decompress(packed)
    found, problem = read(packed)
    assert found == expected
    assert LINES.startswith(found)
    assert len(found) > len(LINES) * kept * 0.9
    assert problem == (
        "log: is damaged, what stands before was read: the compressed data ends early"
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda p: p[:-8] + bytes(8), "incorrect data check", id="checksum"),
        pytest.param(lambda p: p + b"junk", "incorrect header check", id="junk after it"),
    ],
)
def test_a_gzip_file_with_a_wrong_end_is_read_whole_and_named(
    damage: Callable[[bytes], bytes], reason: str
) -> None:
    found, problem = read(damage(gzip.compress(LINES)))
    assert found == LINES
    assert reason in problem


def test_a_gzip_file_with_a_flipped_bit_is_read_up_to_it() -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[len(packed) // 2] ^= 0x10
    found, problem = read(bytes(packed))
    assert len(found) > len(LINES) // 3
    assert found[: len(LINES) // 3] == LINES[: len(LINES) // 3]
    assert "is damaged" in problem


def test_of_a_zstd_file_that_ends_early_what_stands_before_is_read() -> None:
    packed = zstd(LINES)
    found, problem = read(packed[: len(packed) // 2])
    assert LINES.startswith(found)
    assert len(found) > len(LINES) // 4
    assert "is damaged" in problem
    found, problem = read(packed + packed[:20])
    assert len(found) > len(LINES) - (16 << 10)
    assert "is damaged" in problem


def test_a_gzip_bomb_is_read_in_pieces() -> None:
    bomb = gzip.compress(bytes(200 << 20))
    assert problem(bomb) == NO_FORMAT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{}", ""),
        (b"[]", ""),
        (b"\xef\xbb\xbf{}", ""),
        (b"\n\n  {}", ""),
        (b'cut off"}\n{"a": 1}\n', ""),
        (b"3\n{}\n", ""),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \r\n", "is empty"),
        (b"text\n", "is of no known format"),
        (b"# Title\n\n{not a log}\n\nmore text\nand more\n", "is of no known format"),
        (b"title: x\n", "is of no known format"),
        (b"\0\0{}\n", "is of no known format"),
        (b"{}\n\0\0\n", ""),
        (b"\x7fELF", "is of no known format"),
        ("{}".encode("utf-16"), ""),
        (b"\xfe\xff" + "{}".encode("utf-16-be"), ""),
        (b"\x1f\x8b", "cannot be decompressed: the compressed data ends early"),
        (b"\x1f\x8b\x00\x00\x00", "cannot be decompressed: "),
    ],
)
def test_what_holds_no_logs_is_seen_from_its_beginning(data: bytes, reason: str) -> None:
    found = problem(data)
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


def test_a_wrapper_is_read_as_a_document_others_by_line() -> None:
    for data, kind in (
        (b'\xef\xbb\xbf\n{"Records" : [{}]}', Records),
        (b'{"record": [{}]}', Lines),
    ):
        assert [type(block) for block in only(data).blocks()] == [kind]


def test_offsets_count_the_byte_order_mark() -> None:
    [block] = only(b"\xef\xbb\xbf{}\n").blocks()
    assert isinstance(block, Lines)
    assert (block.offset, block.data) == (3, b"{}\n")


def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "log")

    with (
        pytest.raises(InputError, match="missing: no such file or folder"),
    ):
        list(open_sources(tmp_path / "missing"))
    monkeypatch.setattr(Path, "open", refuse)
    with (
        pytest.raises(InputError, match="log: cannot be read: Permission denied"),
    ):
        list(open_sources(tmp_path / "log"))


def test_a_folder_that_cannot_be_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        log_files(tmp_path)


def test_a_name_that_is_no_text_can_be_shown() -> None:
    assert shown(Path("\udcff.ndjson")) == "\ufffd.ndjson"
    assert shown(Path("ä.ndjson")) == "ä.ndjson"
