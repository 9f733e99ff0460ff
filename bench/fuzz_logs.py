"""Broken logs: seeds of every format, ways to pack them, ways to break them."""

import csv
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import pyarrow as pa

from bench.evtx_file import write_evtx

MARK = re.compile(rb"m[0-9]{7}")
"""What each record of a seed holds, different in each."""

Record = dict[str, object]
Writer = Callable[[Sequence[Record]], bytes]


@dataclass(frozen=True)
class Case:
    """One broken log."""

    number: int
    name: str
    data: bytes


def cases(number: int, seed: int) -> Iterator[Case]:
    """Yield so many broken logs; the same for the same seed."""
    for at in range(number):
        chance = random.Random(seed * 1_000_003 + at)
        form = chance.choice(list(FORMS))
        pack = chance.choice(list(PACKS))
        data = FORMS[form](_records(chance))
        names = []
        if chance.random() < 0.7 or pack == "plain":
            names, data = _broken(data, chance)
        data = PACKS[pack](data)
        if pack != "plain" and chance.random() < 0.5:
            more, data = _broken(data, chance)
            names += more
        yield Case(at, f"{form}, {pack}: {', '.join(names) or 'whole'}", data)


def _broken(data: bytes, chance: random.Random) -> tuple[list[str], bytes]:
    names = chance.choices(list(BREAKS), k=chance.choice((1, 1, 1, 2, 3)))
    for name in names:
        data = BREAKS[name](data, chance) if data else data
    return names, data


def _records(chance: random.Random) -> list[Record]:
    marks = (f"m{number:07}" for number in count(chance.randrange(1_000_000)))
    return [
        {
            "time": "2026-01-02T03:04:05Z",
            "mark": next(marks),
            "text": chance.choice(TEXTS),
            **chance.choice(MORE),
        }
        for _ in range(chance.choice((1, 2, 5, 20)))
    ]


TEXTS = (
    "", "plain", "},{", '","', "a\nb", "\\", '"', "ü€😀", "]}", '{"records":[', "a,b;c\td",
    "x" * 300, "\r\n", "{\n", "''",
)  # fmt: skip
MORE: Sequence[Record] = (
    {},
    {"list": [1, 2, {"a": []}]},
    {"properties": {"a": {"b": None}}, "n": 1.5},
    {"category": "AuditEvent", "operationName": "SecretGet"},
    {"value": [{"x": 1}]},
    {"records": "none"},
)


def _lines(records: Sequence[Record], end: str = "\n") -> bytes:
    return "".join(json.dumps(record) + end for record in records).encode()


def _document(**around: object) -> Writer:
    """Write records as the member `…` of an object, which is given."""

    def write(records: Sequence[Record]) -> bytes:
        filled = {key: records if value is ... else value for key, value in around.items()}
        return json.dumps({key.replace("__", "@odata."): filled[key] for key in filled}).encode()

    return write


def _indented(write: Writer, indent: int) -> Writer:
    return lambda records: json.dumps(json.loads(write(records)), indent=indent).encode()


def _csv(delimiter: str, quoting: int, end: str) -> Writer:
    def write(records: Sequence[Record]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
        writer.writerow(["TimeGenerated [UTC]", "mark", "text", "rest"])
        for record in records:
            rest = {key: value for key, value in record.items() if key not in {"time", "mark"}}
            writer.writerow([record["time"], record["mark"], record["text"], json.dumps(rest)])
        return text.getvalue().encode()

    return write


def _evtx(records: Sequence[Record]) -> bytes:
    events = [
        {"Event": {
            "System": {"EventID": "1", "Channel": "Security", "Computer": "ws"},
            "EventData": {"mark": record["mark"], "text": record["text"]},
        }}
        for record in records
    ]  # fmt: skip
    return write_evtx(events, per_chunk=7)


def _array(records: Sequence[Record]) -> bytes:
    return json.dumps(records).encode()


def _objects(indent: int | None, between: str) -> Writer:
    return lambda records: between.join(json.dumps(one, indent=indent) for one in records).encode()


def _encoded(write: Writer, codec: str) -> Writer:
    return lambda records: write(records).decode().encode(codec)


_WRAPPER = _document(records=...)
_PAGE = _document(__context="c", value=..., __nextLink="n")

FORMS: Mapping[str, Writer] = {
    "lines": _lines,
    "lines, CRLF": lambda records: _lines(records, "\r\n"),
    "lines, marked": _encoded(_lines, "utf-8-sig"),
    "lines, UTF-16": _encoded(_lines, "utf-16"),
    "wrapper": _WRAPPER,
    "wrapper, indented": _indented(_WRAPPER, 2),
    "wrappers": lambda records: b"\n".join(_WRAPPER([one]) for one in records),
    "other keys first": _document(a={"b": "c"}, d=[1], Records=..., e={"f": [{}]}),
    "page": _PAGE,
    "page, indented": _indented(_PAGE, 4),
    "array": _array,
    "array, indented": _indented(_array, 2),
    "array, a line each": lambda records: b"[\n%s\n]" % b",\n".join(
        json.dumps(one).encode() for one in records
    ),
    "objects": _objects(None, ""),
    "objects, indented": _objects(2, "\n"),
    "csv": _csv(",", csv.QUOTE_MINIMAL, "\n"),
    "csv, all quoted": _csv(",", csv.QUOTE_ALL, "\r\n"),
    "csv, semicolons": _csv(";", csv.QUOTE_MINIMAL, "\r\n"),
    "csv, tabs, UTF-16": _encoded(_csv("\t", csv.QUOTE_MINIMAL, "\r\n"), "utf-16"),
    "evtx": _evtx,
}  # fmt: skip


def _zip(*members: Callable[[bytes], bytes], method: int = zipfile.ZIP_DEFLATED) -> Callable:
    def pack(data: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            for number, member in enumerate(members):
                info = zipfile.ZipInfo(f"folder/{number}.log", (2026, 1, 2, 3, 4, 5))
                info.compress_type = method
                archive.writestr(info, member(data))
        return packed.getvalue()

    return pack


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def _zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


PACKS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": _gzip,
    "gzip members": lambda data: _gzip(data[:50]) + _gzip(data[50:]),
    "zstd": _zstd,
    "gzip twice": lambda data: _gzip(_gzip(data)),
    "zstd in gzip": lambda data: _gzip(_zstd(data)),
    "zip": _zip(bytes),
    "zip of several": _zip(bytes, lambda data: data[: len(data) // 2], lambda _: b""),
    "zip, stored": _zip(bytes, bytes, method=zipfile.ZIP_STORED),
    "gzip in zip": _zip(_gzip, _zstd),
    "zip in gzip": lambda data: _gzip(_zip(bytes)(data)),
    "too deep": lambda data: _gzip(_zip(_gzip)(data)),
}


def _span(data: bytes, chance: random.Random, most: int = 400) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(len(data), start + chance.randrange(1, most))


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20))):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut_end(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _cut_out(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


STRUCTURE = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf",
    b'{"records":[', b"]}", b'"value":[{', b'""', b";", b"\t", b"\n{", b"PK\x03\x04", b"ElfChnk\0",
    b"\x2a\x2a\0\0", b"\x1f\x8b", b"[" * 600, b"\n" * 50,
)  # fmt: skip


def _put_in(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    new = chance.choice((*STRUCTURE, chance.randbytes(20)))
    return data[:at] + new + data[at:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[start:end] + data[at:]


def _swap(data: bytes, chance: random.Random) -> bytes:
    first, second = sorted((_span(data, chance, 100), _span(data, chance, 100)))
    if first[1] > second[0]:
        return data
    middle = data[first[1] : second[0]]
    return (
        data[: first[0]] + data[slice(*second)] + middle + data[slice(*first)] + data[second[1] :]
    )


def _blank(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + bytes(end - start) + data[end:]


BREAKS: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "flip": _flip,
    "cut end": _cut_end,
    "cut out": _cut_out,
    "put in": _put_in,
    "repeat": _repeat,
    "swap": _swap,
    "blank": _blank,
}
