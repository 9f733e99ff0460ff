"""What the documentation says of modifiers, values and functions, each with what shows it.

`generate.py` makes tables of these, and checks each on the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Modifier:
    """What a modifier means, and a rule item with an event that it matches and one it does not."""

    meaning: str
    item: str
    hit: str
    miss: str


MODIFIERS: Mapping[str, Modifier] = {
    "all": Modifier(
        "Every value of the item must match, not any; in an array each may be met by another "
        "member.",
        "f|contains|all: [a, b]",
        '{"f": "b a"}',
        '{"f": "a"}',
    ),
    "base64": Modifier(
        "The value, encoded as Base64. What it gives is text like any other: case does not matter.",
        "f|base64|contains: tocsin",
        '{"f": "x dG9jc2lu"}',
        '{"f": "x tocsin"}',
    ),
    "base64offset": Modifier(
        "The three Base64 encodings that the value has inside a longer text, without the "
        "characters that depend on its neighbours.",
        "f|base64offset|contains: tocsin",
        '{"f": "eHggdG9jc2luIHl5"}',
        '{"f": "tocsin"}',
    ),
    "cased": Modifier("Case matters.", "f|cased: Abc", '{"f": "Abc"}', '{"f": "abc"}'),
    "cidr": Modifier(
        "The text is an address in the network, IPv4 or IPv6. An IPv4 address inside IPv6 "
        "(`::ffff:10.0.0.1`) is the IPv4 address. Set host bits make the rule wrong.",
        "f|cidr: 10.0.0.0/8",
        '{"f": "10.1.2.3"}',
        '{"f": "11.1.2.3"}',
    ),
    "contains": Modifier("Somewhere in the text.", "f|contains: b", '{"f": "abc"}', '{"f": "ac"}'),
    "day": Modifier(
        "Day of the month of a time.",
        "f|day: 2",
        '{"f": "2026-01-02T03:04:05Z"}',
        '{"f": "2026-01-03T03:04:05Z"}',
    ),
    "dotall": Modifier(
        "Of `re`: `.` matches line breaks too.",
        "f|re|dotall: a.b",
        '{"f": "a\\nb"}',
        '{"f": "a\\n\\nb"}',
    ),
    "endswith": Modifier("At the end.", "f|endswith: c", '{"f": "abc"}', '{"f": "abcd"}'),
    "exists": Modifier(
        "The field is there, whatever it holds, null too; or, with `false`, it is not.",
        "f|exists: true",
        '{"f": null}',
        '{"g": 1}',
    ),
    "expand": Modifier(
        "`%name%` stands for the values that `--placeholders` gives for it.",
        "f|expand: '%admins%'",
        '{"f": "root"}',
        '{"f": "ana"}',
    ),
    "fieldref": Modifier(
        "The text of another field of the same event; also with `startswith`, `endswith` and "
        "`contains`.",
        "f|fieldref: g",
        '{"f": "A", "g": "a"}',
        '{"f": "a"}',
    ),
    "gt": Modifier("Greater than.", "f|gt: 5", '{"f": 6}', '{"f": 5}'),
    "gte": Modifier("Greater or equal.", "f|gte: 5", '{"f": 5}', '{"f": 4}'),
    "hour": Modifier(
        "Hour of a time, in the zone that it is written in; a number is seconds since 1970 in UTC.",
        "f|hour|gte: 22",
        '{"f": "2026-01-02T22:30:00+02:00"}',
        '{"f": "2026-01-02T20:30:00Z"}',
    ),
    "i": Modifier("Of `re`: case does not matter.", "f|re|i: ^b", '{"f": "Bc"}', '{"f": "ab"}'),
    "ignorecase": Modifier("Same as `i`.", "f|re|ignorecase: ^b", '{"f": "Bc"}', '{"f": "ab"}'),
    "lt": Modifier("Less than.", "f|lt: 5", '{"f": 4}', '{"f": 5}'),
    "lte": Modifier("Less or equal.", "f|lte: 5", '{"f": 5}', '{"f": 6}'),
    "m": Modifier(
        "Of `re`: `^` and `$` match at line breaks.",
        "f|re|m: ^b",
        '{"f": "a\\nb"}',
        '{"f": "ab"}',
    ),
    "minute": Modifier(
        "Minute of a time.",
        "f|minute: 4",
        '{"f": "2026-01-02T03:04:05Z"}',
        '{"f": "2026-01-02T04:05:06Z"}',
    ),
    "month": Modifier(
        "Month of a time.",
        "f|month: 1",
        '{"f": "2026-01-02T03:04:05Z"}',
        '{"f": "2026-02-01T03:04:05Z"}',
    ),
    "multiline": Modifier("Same as `m`.", "f|re|multiline: ^b", '{"f": "a\\nb"}', '{"f": "ab"}'),
    "neq": Modifier(
        "The whole item does not hold. So it is true of a field that is not there.",
        "f|neq: [a, b]",
        '{"g": "x"}',
        '{"f": "b"}',
    ),
    "re": Modifier(
        "An RE2 pattern is found somewhere in the text. Case matters. No look-around, no "
        "back-references.",
        "f|re: '^a+b$'",
        '{"f": "aab"}',
        '{"f": "AAB"}',
    ),
    "s": Modifier("Same as `dotall`.", "f|re|s: a.b", '{"f": "a\\nb"}', '{"f": "ab"}'),
    "startswith": Modifier("At the start.", "f|startswith: a", '{"f": "abc"}', '{"f": "bca"}'),
    "utf16": Modifier(
        "The value in UTF-16LE behind a byte order mark, for `base64` and `base64offset`.",
        "f|utf16|base64: ab",
        '{"f": "//5hAGIA"}',
        '{"f": "YQBiAA=="}',
    ),
    "utf16be": Modifier(
        "The value in UTF-16BE.", "f|utf16be|base64: ab", '{"f": "AGEAYg=="}', '{"f": "YQBiAA=="}'
    ),
    "week": Modifier(
        "ISO week of a time.",
        "f|week: 1",
        '{"f": "2026-01-02T03:04:05Z"}',
        '{"f": "2026-01-05T03:04:05Z"}',
    ),
    "wide": Modifier(
        "The value in UTF-16LE.", "f|wide|base64: ab", '{"f": "YQBiAA=="}', '{"f": "YWI="}'
    ),
    "windash": Modifier(
        "Each `-` or `/` that starts a word stands for `-`, `/` and three kinds of long dash; at "
        "most three of them in a value.",
        "f|contains|windash: ' -f '",
        '{"f": "x /f y"}',
        '{"f": "x +f y"}',
    ),
    "year": Modifier(
        "Year of a time.",
        "f|year: 2026",
        '{"f": "2026-01-02T03:04:05Z"}',
        '{"f": "2025-01-02T03:04:05Z"}',
    ),
}

VALUES: Mapping[str, str] = {
    "SigmaBool": "`true` and `false` of YAML 1.1: the same word as text, ignoring case.",
    "SigmaCIDRExpression": "A network.",
    "SigmaCasedString": "Text whose case matters.",
    "SigmaCompareExpression": "A bound for numbers or for a part of a time.",
    "SigmaExists": "Whether the field is there.",
    "SigmaExpansion": "What `windash`, `base64offset` and the like made of one value: any of it.",
    "SigmaFieldReference": "Another field of the event.",
    "SigmaNull": "The field is not there, or null.",
    "SigmaNumber": "A number, compared by its exact value.",
    "SigmaQueryExpression": "Text in the query language of another product. Only pySigma "
    "pipelines made for that product write it; such a rule is refused with this reason.",
    "SigmaRegularExpression": "An RE2 pattern.",
    "SigmaString": "Text, in which `*` and `?` are wildcards.",
    "SigmaTimestampPart": "A part of a time.",
}


@dataclass(frozen=True, slots=True)
class Function:
    """What a function of `via` gives for a value, and values to show it on, as JSON."""

    meaning: str
    call: str
    values: tuple[str, ...]


_TIME = ('"2026-01-02T03:04:05+02:00"',)
FUNCTION_NOTES: Mapping[str, Function] = {
    "text": Function(
        "How a value reads as text: numbers as written, an object as its JSON and the text of "
        "each value in it, an empty array as `[]`. Null has no text.",
        "text",
        ("1.50", "true", '{"a": 1}', "[]", "null"),
    ),
    "leaves": Function(
        "The text of every value below, keys left out.", "leaves", ('{"a": ["x", 1]}',)
    ),
    "number": Function(
        "The exact number that a value is, or that its text says.",
        "number",
        ('"0x1f"', '"05"', "1e3"),
    ),
    "lower": Function("Text in lower case; anything else is dropped.", "lower", ('"ABC"', "5")),
    "upper": Function("Text in upper case; anything else is dropped.", "upper", ('"abc"',)),
    "strip": Function("Text without blanks around it.", "strip", ('" a b "',)),
    "length": Function(
        "How many characters a text has, or keys an object.", "length", ('"abc"', '{"a": 1}')
    ),
    "split": Function(
        "One part of a text, counted from 0, or from the end with -1.",
        'split: ["/", -1]',
        ('"a/b/c"',),
    ),
    "after": Function(
        "What follows a word in a path, up to the next `/`, ignoring case.",
        "after: /vaults/",
        ('"/a/VAULTS/v1/x"', '"/a"'),
    ),
    "named": Function(
        "What an object holds beside a name, ignoring case: for lists of names and values.",
        'named: ["Name", "limit", "Value"]',
        ('{"Name": "Limit", "Value": "5"}', '{"Name": "other", "Value": "5"}'),
    ),
    "json": Function(
        "What a text that starts with `{` or `[` holds as JSON; anything else as it is.",
        "json",
        ('"[1, 2]"', '"a"'),
    ),
    "address": Function(
        "An address without its port.", "address", ('"192.0.2.7:443"', '"[2001:db8::1]:443"')
    ),
    "ip": Function(
        "An address without its port; nothing for what is no address.",
        "ip",
        ('"192.0.2.7:443"', '"here"'),
    ),
    "geoip": Function(
        "What the databases of `--geoip` hold of an address at a path; nothing without them.",
        "geoip: country.iso_code",
        ('"192.0.2.7"',),
    ),
    "port": Function("The port behind an address.", "port", ('"192.0.2.7:443"', '"2001:db8::1"')),
    "url": Function(
        "A part of a URL: scheme, domain, port, path, query or fragment. Tags that hide what is "
        "private are left out of the path.",
        "url: path",
        ('"https://a.example/b//c?d=e"', '"/b/<pii>c</pii>"'),
    ),
    "resource": Function(
        "A part of the id of an Azure resource: subscription, tenant, group, provider, name, or "
        "namespace and rule of an authorisation rule. The words of the id are read in any case; a "
        "subscription is a GUID.",
        "resource: provider",
        ('"/SUBSCRIPTIONS/x/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V1"', '"/x"'),
    ),
    "string": Function("Text; anything else is dropped.", "string", ('"a"', "5")),
    "filled": Function(
        "Anything but null and empty texts, objects and arrays.", "filled", ('"a"', '""', "{}")
    ),
    "times": Function(
        "The number that a value is or says, times a factor.", "times: 1000000", ('"48"',)
    ),
    "pieces": Function("The texts between any of some characters.", 'pieces: " ,"', ('"a b, c"',)),
    "without": Function("Text without all that is equal to another.", 'without: " "', ('"a b"',)),
    "at": Function(
        "The value at keys in objects, each as it is written, else ignoring case.",
        'at: ["a", "b"]',
        ('{"a": {"B": 1}}', '{"a": "x"}'),
    ),
    "each": Function(
        "The members of an array; anything else as it is.", "each", ('["a", ["b"]]', '"a"')
    ),
    "item": Function("The member of an array at a position.", "item: [0]", ('["a", "b"]', '"a"')),
    "by_name": Function(
        "An object of what the members of an array call `name` and `value`, or `boolValue` ….",
        "by_name",
        ('[{"name": "a", "value": "x"}, {"name": "b", "boolValue": true}]',),
    ),
    "braces": Function(
        "An object or array as Java writes a map; anything else as it is.",
        "braces",
        ('{"a": "x", "b": [1, {"c": null}]}', '"x"'),
    ),
    "having": Function(
        "Text that some other one is part of.", 'having: ["@"]', ('"ann@x.org"', '"ann"')
    ),
    "kebab": Function("The words of `oneName` as `one-name`.", "kebab", ('"tenantDetails"',)),
    "append": Function("Text with another behind it.", "append: -read", ('"users"',)),
    "time": Function("A time in UTC with milliseconds.", "time", ('"8/22/2022 6:07:16 PM"',)),
    "drive": Function(
        "A path on a disk's volume as one on drive `C:`, whichever letter the volume had.",
        "drive",
        (r'"\\device\\harddiskvolume2\\a.exe"', r'"D:\\a.exe"'),
    ),
    "words": Function(
        "The words of a text in lower case, with one blank around each: text to find words in "
        "that follow each other. Words are runs of letters, digits and underscores.",
        "words",
        ('"Invoke-Item C:\\\\a_b"', '"--"'),
    ),
    "tokens": Function("Each word of a text in lower case.", "tokens", ('"Ab c-D"',)),
    "moment": Function(
        "A time as milliseconds since 1970, rounded down.",
        "moment",
        ('"2026-01-02T03:04:05.6789Z"',),
    ),
    "within": Function(
        "The number that a value is, if it lies between two, both included.",
        "within: [1, 5]",
        ("5", "6"),
    ),
    "minute": Function("Minute of a time, in its own zone.", "minute", _TIME),
    "hour": Function("Hour.", "hour", _TIME),
    "day": Function("Day of the month.", "day", _TIME),
    "week": Function("ISO week.", "week", _TIME),
    "month": Function("Month.", "month", _TIME),
    "year": Function("Year.", "year", _TIME),
}
