"""Archives: each member is a log of its own; what cannot be read is named, the others are read."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path

import pytest

from logs.reading import read_all
from tocsin.logs.formats import archives, packing
from tocsin.logs.formats import open as opening
from tocsin.logs.formats.open import NoLog, read_sources

LINE, OTHER = b'{"a":1}\n', b'{"b":2}\n{"b":3}\n'
FOUND, ALSO = [(1, '{"a":1}')], [(1, '{"b":2}'), (2, '{"b":3}')]
DAMAGED = "is damaged, what stands before was read"


def archive(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_each_member_is_a_log_of_its_own(method: int) -> None:
    packed = archive(method, **{"a.json": LINE, "folder/b": OTHER, "c.csv": b"x,y\n1,2\n"})
    assert read_all(packed) == {
        "!a.json": FOUND,
        "!folder/b": ALSO,
        "!c.csv": [(2, '{"x":"1","y":"2"}')],
    }


def test_a_member_may_be_packed_once_more() -> None:
    packed = archive(a=gzip.compress(LINE), b=archive(c=OTHER), d=archive(e=gzip.compress(LINE)))
    assert read_all(packed) == {
        "!a": FOUND,
        "!b!c": ALSO,
        "!d!e": "is packed more than 2 times over; unpack it first",
    }
    assert read_all(gzip.compress(archive(a=LINE))) == {"!a": FOUND}
    assert read_all(gzip.compress(gzip.compress(LINE))) == {"": FOUND}


def test_folders_and_hidden_members_are_passed_over_and_what_is_no_log_is_named() -> None:
    packed = archive(
        **{"a/": b"", ".hidden": LINE, "__MACOSX/._b": LINE, "empty": b"", "t": b"text"}
    )
    found = read_all(packed)
    assert set(found) == {"!empty", "!t"}
    assert found["!empty"] == "is empty"


def test_an_archive_of_nothing_holds_no_logs() -> None:
    assert read_all(archive()) == {}


def test_an_encrypted_member_is_named_and_the_others_are_read() -> None:
    packed = bytearray(archive(a=LINE, b=OTHER))
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    assert read_all(bytes(packed)) == {
        "!a": "is encrypted; unpack it with its password first",
        "!b": ALSO,
    }


@pytest.mark.parametrize(
    ("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")]
)
def test_a_member_packed_in_another_way_is_named(method: int, name: str) -> None:
    [said] = read_all(archive(method, a=LINE)).values()
    assert said == f"is packed with {name}, which is not read; pack it again, with Deflate"


def test_a_member_with_a_wrong_checksum_is_read_and_named() -> None:
    packed = archive(zipfile.ZIP_STORED, a=LINE, b=OTHER)
    broken = packed.replace(b'{"a":1}', b'{"a":9}')
    assert read_all(broken) == {
        "!a": [(1, '{"a":9}'), f"log!a: {DAMAGED}: its checksum is wrong"],
        "!b": ALSO,
    }


def test_a_member_with_damaged_data_is_read_up_to_it() -> None:
    lines = b"".join(b'{"n":%d,"t":"%d"}\n' % (at, zlib.crc32(b"%d" % at)) for at in range(5000))
    packed = bytearray(archive(a=lines, b=OTHER))
    packed[len(packed) // 2] ^= 0x10
    found = read_all(bytes(packed))
    assert found["!b"] == ALSO
    assert len(found["!a"]) > 1000
    assert str(found["!a"][-1]).startswith(f"log!a: {DAMAGED}: ")


@pytest.mark.parametrize("cut", [1, 22, 60, 120])
def test_of_an_archive_that_was_cut_off_the_members_before_are_read(cut: int) -> None:
    packed = archive(a=LINE * 50, b=OTHER)
    found = read_all(packed[:-cut])
    assert found["!a"] == [(at, '{"a":1}') for at in range(1, 51)]
    assert "directory is missing" in str(found[""])


def test_a_member_without_a_name_is_read() -> None:
    packed = archive(a=LINE)
    at = packed.index(b"PK\x01\x02") + 46
    assert read_all(packed[:at] + b"\0" + packed[at + 1 :]) == {"!": FOUND}


def test_members_that_share_their_bytes_are_refused() -> None:
    packed = archive(zipfile.ZIP_STORED, a=LINE, b=LINE)
    first, second = packed.index(b"PK\x01\x02"), packed.rindex(b"PK\x01\x02")
    offset = packed[first + 42 : first + 46]
    broken = packed[: second + 42] + offset + packed[second + 46 :]
    assert sorted(map(str, read_all(broken).values())) == [
        str(FOUND),
        "shares its bytes with another member",
    ]


def test_an_archive_of_more_members_than_allowed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    found = read_all(archive(a=LINE, b=LINE, c=LINE))
    assert found == {"": "is damaged: has 3 members, more than the 2 allowed"}


BOMB = b'{"a":1}\n' * 100_000


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(BOMB * 10),
        archive(a=BOMB * 10),
        archive(a=gzip.compress(BOMB * 10)),
        archive(**{f"a{at}": BOMB for at in range(10)}),
    ],
    ids=["gzip", "member", "gzip in a member", "many members"],
)
def test_what_unpacks_to_far_more_than_its_size_is_read_up_to_a_limit(
    packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(packing, "MOST_RATIO", 20)
    monkeypatch.setattr(packing, "READ_BYTES", 64 << 10)
    monkeypatch.setattr(opening, "READ_BYTES", 4 << 10)
    pieces = [
        piece
        for found in read_all(packed).values()
        for piece in ([found] if isinstance(found, str) else found)
    ]
    said = [piece for piece in pieces if isinstance(piece, str)]
    assert any("unpacks to more than 20 times its size" in text for text in said)
    assert len(pieces) - len(said) < 400_000


def test_a_log_that_is_packed_well_is_no_bomb() -> None:
    assert len(read_all(gzip.compress(BOMB))[""]) == 100_000


def test_an_archive_is_read_from_a_file_and_from_a_pipe_alike(tmp_path: Path) -> None:
    packed = archive(a=LINE, b=OTHER)
    (tmp_path / "log").write_bytes(packed)

    def names(sources: object) -> list[str]:
        return [source.name for source in sources if not isinstance(source, NoLog)]

    by_file = names(opening.open_sources(tmp_path / "log"))
    by_pipe = names(read_sources(str(tmp_path / "log"), io.BytesIO(packed)))
    assert by_file == by_pipe == [f"{tmp_path}/log!a", f"{tmp_path}/log!b"]
