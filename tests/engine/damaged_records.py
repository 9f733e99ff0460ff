"""Records of two kinds, whole and damaged in every way that a log may be."""

import json
from copy import deepcopy
from random import Random

WINDOWS = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "CommandLine": '"C:\\Windows\\System32\\cmd.exe" /c echo straße İx σας \u212a 😀\r\n\tx',
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "Keywords": -9223372036854775808,
    "ProcessId": "4711",
    "User": None,
    "Hashes": "",
    "tags": ["x", "y", [], None],
    "Signed": True,
    "a b": "space",
    "key.with.dots": "dotted",
}
AZURE = {
    "time": "2024-02-29T05:59:59.1234567Z",
    "operationName": "MICROSOFT.KEYVAULT/VAULTS/WRITE",
    "durationMs": "12",
    "callerIpAddress": "10.0.0.1",
    "identity": {"claims": {"http://schemas.xmlsoap.org/ws/upn": "x@y.z", "aud": "x"}},
    "properties": {
        "id": 9007199254740993,
        "Status": "OK",
        "targets": [{"id": "x", "n": 1}, {"ID": "y", "n": [2, 3]}, "z"],
        "empty": {},
        "": "no name",
        "*": "star",
    },
}


KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def some_record(chance):
    record = deepcopy(chance.choice([WINDOWS, AZURE]))
    keys = chance.sample(list(record), chance.randint(2, len(record)))
    return {key: record[key] for key in keys}


def some_text(chance):
    return json.dumps(some_record(chance), ensure_ascii=chance.random() < 0.3)


def put_in(chance, text, *pieces):
    """Insert a piece at a random place."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(pieces) + text[at:]


def put_value(chance, *values):
    """Give a key of a record, at the top or deeper, one of some values written as they are."""
    record = json.loads(some_text(chance))
    holder = chance.choice([record, *(one for one in record.values() if isinstance(one, dict))])
    holder[chance.choice([*holder, "EventID", "x"])] = "\0put here\0"
    return json.dumps(record, ensure_ascii=False).replace(
        json.dumps("\0put here\0"), chance.choice(values)
    )


@kind
def untouched(chance):
    return some_text(chance)


@kind
def flipped_bytes(chance):
    text = bytearray(some_text(chance).encode())
    for _ in range(chance.randint(1, 3)):
        text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)
    return bytes(text)


@kind
def cut_off(chance):
    text = some_text(chance).encode()
    return text[: chance.randrange(len(text))]


@kind
def repeated_keys(chance):
    text, record = some_text(chance), some_record(chance)
    key = chance.choice([*record, "EventID", "CommandLine"])
    key = chance.choice([key, key, key.swapcase(), key.lower()])
    value = json.dumps(chance.choice(["x", 1, None, [], ["x"], {"id": "x"}, {"status": "x"}]))
    pair = f"{json.dumps(key)}: {value}, "
    holders = [at + 1 for at, letter in enumerate(text) if text[at : at + 2] == '{"']
    at = chance.choice(holders)
    return text[:at] + pair * chance.randint(1, 2) + text[at:]


@kind
def surrogates_and_escapes(chance):
    escapes = ["\\ud800", "\\udc00x", "\\uD83D\\uDE00", "\\u0000", "\\/", "\\u0041", "\\x41", "\\"]
    text = some_text(chance)
    return put_in(chance, text.replace("x", chance.choice(escapes), 1), *escapes)


@kind
def control_characters(chance):
    letters = ["\0", "\n", "\t", "\x1f", "\x7f", "\u2028", "\ufeff", "\x0b", "\xa0"]
    return put_in(chance, put_in(chance, some_text(chance), *letters), *letters, "")


@kind
def invalid_utf8(chance):
    return put_in(
        chance, some_text(chance).encode(), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f"
    )


@kind
def no_numbers(chance):
    return put_value(chance, "NaN", "Infinity", "-Infinity", "nan", "inf", "-inf", "+Infinity")


@kind
def trailing_commas(chance):
    text = some_text(chance)
    ends = [at for at, letter in enumerate(text) if letter in "}]"]
    at = chance.choice(ends)
    return text[:at] + chance.choice([",", " , ", ",,"]) + text[at:]


@kind
def great_numbers(chance):
    digits = "".join(chance.choices("0123456789", k=chance.randint(15, 40)))
    numbers = [f"1{digits}", f"-1{digits}", "9007199254740993", "18446744073709551616", "1e400"]
    return put_value(chance, *numbers, "-1e400", "1E999999", "1" * 400, "01", "+1", ".5", "1.")


@kind
def fractions(chance):
    numbers = ["1.10", "1e5", "0.1000000000000000000001", "-0", "-0.0", "1E+2", "1.0", "12.5"]
    return put_value(chance, *numbers, "10000000000000000.5", "[1.50, 2]", '{"x": 1e2}')


@kind
def odd_keys(chance):
    odd = [
        "key.with.dots",
        'q"uote',
        "back\\slash",
        "a b",
        "*",
        "",
        "**",
        "$",
        "[0]",
        "\ud800",
        "x",
    ]
    record = some_record(chance)
    for _ in range(chance.randint(1, 3)):
        name, value = chance.choice(odd), chance.choice(["x", 1, None, ["y"], {"x": "x", "": "y"}])
        chance.choice([record, *(one for one in record.values() if isinstance(one, dict))])[
            name
        ] = value
    return json.dumps(record)


@kind
def numbers_as_text(chance):
    record = some_record(chance)
    key = chance.choice([*record])
    record[key] = chance.choice(["1", "0x1", "9007199254740993", " 4", "4.0", "-5", "1e3", "true"])
    return json.dumps(record)


@kind
def deep_nesting(chance):
    depth = chance.choice([3, 100, 510, 511, 512, 513, 2000])
    opening, closing = chance.choice([("[", "]"), ('{"x":', "}")])
    inner = chance.choice(['"x"', '"\\ud800"', "NaN", '"\\x"', ""])
    return put_value(chance, opening * depth + inner + closing * depth)


TOPS = ["{} {}", '{"tags": "x"} x', '\ufeff{"tags": "x"}', '\n{"tags": "x"}\r\n', "{'tags': 1}"]


@kind
def other_tops(chance):
    return chance.choice(
        [
            "",
            " ",
            "null",
            "1",
            '"x"',
            "[]",
            "[{}]",
            "true",
            "{}",
            " {} ",
            "{",
            "}",
            "x",
            "NaN",
            *TOPS,
        ]
    )


def make(name, count):
    chance = Random(name)
    made = [KINDS[name](chance) for _ in range(count)]
    return [one if isinstance(one, bytes) else one.encode(errors="surrogatepass") for one in made]
