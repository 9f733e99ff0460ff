"""Write the parts of the documentation that follow from the code: tables that would else drift.

    python docs/generate.py                   write them
    python docs/generate.py --check           write nothing; exit with 1 if a page differs
    python docs/generate.py --rules FOLDER    count the rules of a folder for coverage.md; repeats

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. Without `--rules` the count is
made of the Sigma rules below `TOCSIN_SHARED`, and left as it is where there are none.
"""

import argparse
import importlib
import inspect
import os
import pkgutil
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pyarrow as pa
from sigma import types
from sigma.modifiers import modifier_mapping

from tocsin import cli
from tocsin.condition.closeness import Closeness
from tocsin.condition.functions import FUNCTIONS, apply
from tocsin.condition.tree import TRUE, Call
from tocsin.engine.check import check
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.jsontext import compact, read_value
from tocsin.logs.load import load_log_types, shipped_log_types
from tocsin.logs.logtype import LogType, Variant, generic
from tocsin.outputs.groups import GROUPINGS
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader, load_rules
from tocsin.rules.model import Rule
from tocsin.rules.select import FIELDS
from tocsin.rules.sigma import lower

DOCS = Path(__file__).resolve().parent
PAGES = (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")))
CORPUS = ("rules", "rules-compliance", "rules-emerging-threats", "rules-threat-hunting")
"""The folders of SigmaHQ's rules that are counted; rules-placeholder needs a user's own values."""

_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


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


def load_item(item: str, condition: str = "selection") -> Rule:
    """Load a rule whose one selection is `item`, a piece of YAML."""
    body = "".join(f"    {line}\n" for line in item.splitlines())
    text = (
        "title: example\nid: 11111111-1111-4111-8111-111111111111\nlogsource: {product: example}\n"
        f"detection:\n  selection:\n{body}  condition: {condition}\n"
    )
    (rule,), _ = _loader().load_text(text, RuleFile(Path("example.yml"), "docs", "example.yml"))
    return rule


@cache
def _loader() -> RuleLoader:
    with tempfile.TemporaryDirectory() as folder:
        placeholders = Path(folder) / "placeholders.yml"
        placeholders.write_text("admins: [root, toor]\n", "utf-8")
        loader = RuleLoader(LoadOptions(placeholders=placeholders))
        loader.load_text("detection:", RuleFile(placeholders, "docs", "none"))
    return loader


def fires(rule: Rule, event: str) -> bool:
    """Say whether a rule matches an event, given as JSON text."""
    log_types = [generic("example", None, None)]
    matcher = Matcher(log_types, lambda *of: compile_plan([rule], *of))
    return bool(matcher.match(pa.array([event])).matches)


def runs(modifier: Modifier) -> bool:
    """Say whether a modifier does on its examples what its description says."""
    rule = load_item(modifier.item)
    return not rule.reasons and fires(rule, modifier.hit) and not fires(rule, modifier.miss)


def value_types() -> list[type]:
    """Return every type of value that pySigma knows."""
    found: list[type] = []
    waiting = [types.SigmaType]
    while waiting:
        below = waiting.pop().__subclasses__()
        found += below
        waiting += below
    return sorted(found, key=lambda kind: kind.__name__)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield the name and the command of everything that the command line can do."""
    modules = (
        importlib.import_module(f"{cli.__name__}.{found.name}")
        for found in pkgutil.iter_modules(cli.__path__)
    )
    for module in modules:
        command = getattr(module, "command", None)
        if isinstance(command, click.Group):
            for name, member in command.commands.items():
                yield f"{command.name} {name}", member
        elif isinstance(command, click.Command):
            yield str(command.name), command


def options(command: click.Command) -> list[click.Option]:
    """Return the options of a command that its help shows."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _modifier_table() -> str:
    rows = [
        (
            f"`{name}`",
            "yes" if runs(MODIFIERS[name]) else "no",
            MODIFIERS[name].meaning,
            f"`{MODIFIERS[name].item}`",
            f"`{MODIFIERS[name].hit}`",
            f"`{MODIFIERS[name].miss}`",
        )
        for name in sorted(modifier_mapping)
    ]
    return table(("modifier", "runs", "meaning", "item", "matches", "does not"), rows)


def _value_table() -> str:
    known = tuple(lower._VALUES)
    rows = [
        (f"`{kind.__name__}`", "yes" if issubclass(kind, known) else "no", VALUES[kind.__name__])
        for kind in value_types()
    ]
    return table(("pySigma type", "runs", "meaning"), rows)


def _function_table() -> str:
    rows = []
    for name in FUNCTIONS:
        note = FUNCTION_NOTES[name]
        shown = "; ".join(
            f"`{value}` → {_show_call(name, note.call, value)}" for value in note.values
        )
        rows.append((f"`{name}`", _parameters(name), note.meaning, f"`{note.call}`: {shown}"))
    return table(("function", "takes", "gives", "example"), rows)


def _parameters(name: str) -> str:
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())[1:]
    return ", ".join(f"{one.name}" for one in parameters) or "–"


def _show_call(name: str, call: str, value: str) -> str:
    written = call.partition(": ")[2]
    args = read_value(written)[0] if written.startswith("[") else [written] if written else []
    assert isinstance(args, list)
    plain = [arg if isinstance(arg, str) else int(str(arg.text)) for arg in args]  # type: ignore[union-attr]
    results = apply((Call(name, tuple(plain)),), [read_value(value)[0]])
    shown = [str(one) if isinstance(one, int) else compact(one) for one in results]  # type: ignore[arg-type]
    return ", ".join(f"`{one}`" for one in shown) or "nothing"


def _log_types() -> list[LogType]:
    return sorted(shipped_log_types(), key=lambda one: one.name)


def _log_type_table() -> str:
    rows = [
        (
            f"`{one.name}`",
            one.title,
            ", ".join(f"`{shape.name}`" for shape in one.shapes),
            _sources(one),
        )
        for one in _log_types()
    ]
    return table(("log type", "what it is", "shapes", "Sigma log sources"), rows)


def _sources(log_type: LogType) -> str:
    names = [*log_type.services, *log_type.categories]
    if not names:
        return "–"
    if len(names) <= _FEW:
        services, categories = log_type.services.items(), log_type.categories.items()
        shown = [f"{_product(log_type, of)}/*/{name}" for name, of in services]
        shown += [f"{_product(log_type, of)}/{name}/*" for name, of in categories]
        return ", ".join(f"`{one}`" for one in shown)
    product = _product(log_type, ())
    return (
        f"`{product}`: {len(log_type.services)} services, {len(log_type.categories)} categories "
        "([list](log-types.md#shipped-log-types))"
    )


_FEW = 10


def _product(log_type: LogType, variants: Sequence[Variant]) -> str:
    """Return the product whose events alone the variants are, else the first."""
    for product, condition in log_type.products.items():
        if condition != TRUE and variants and all(one.condition == condition for one in variants):
            return product
    return next(iter(log_type.products))


def _shipped() -> str:
    long = [one for one in _log_types() if len(one.services) + len(one.categories) > _FEW]
    lists = [
        f"{title} of `{one.name}`: {', '.join(f'`{name}`' for name in names)}."
        for one in long
        for title, names in (("Services", one.services), ("Categories", one.categories))
    ]
    rows = [
        (f"`{one.name}`", f"`{shape.name}`", ", ".join(shape.entities) or "–")
        for one in _log_types()
        for shape in one.shapes
    ]
    types_table = _log_type_table().replace("(log-types.md#", "(#")
    return "\n\n".join([types_table, *lists, table(("log type", "shape", "entities"), rows)])


def _closeness() -> str:
    return ", ".join(f"`{one.value}`" for one in Closeness)


def _commands() -> str:
    return "\n\n".join(_command(name, command) for name, command in sorted(commands()))


def _command(name: str, command: click.Command) -> str:
    help_text = " ".join((command.help or "").split())
    arguments = " ".join(
        argument.make_metavar(click.Context(command))
        for argument in command.params
        if isinstance(argument, click.Argument)
    )
    parts = [f"### `tocsin {name}`", f"`tocsin {name} [OPTIONS] {arguments}`".replace(" `", "`")]
    parts.append(help_text)
    rows = [(_spellings(option), _option_help(option)) for option in options(command)]
    if rows:
        parts.append(table(("option", "meaning"), rows))
    return "\n\n".join(parts)


def _spellings(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_value_name(option)}"
    return ", ".join(f"`{one}{value}`" for one in option.opts)


def _value_name(option: click.Option) -> str:
    return "VALUE" if isinstance(option.type, click.Choice) else option.type.name.upper().split()[0]


def _option_help(option: click.Option) -> str:
    parts = [option.help or ""]
    if isinstance(option.type, click.Choice):
        parts.append("One of " + ", ".join(f"`{one}`" for one in option.type.choices) + ".")
    if isinstance(option.type, click.IntRange) and option.type.max is not None:
        parts.append(f"A number from {option.type.min} to {option.type.max}.")
    if option.required:
        parts.append("Required.")
    if option.show_default:
        parts.append(f"Default: `{option.default}`.")
    return " ".join(part for part in parts if part)


def _where_fields() -> str:
    return ", ".join(f"`{name}`" for name in FIELDS)


def _groups() -> str:
    rows = ((f"`{name}`", grouping.meaning) for name, grouping in GROUPINGS.items())
    return table(("group", "a line stands for"), rows)


def count_coverage(folders: Sequence[Path]) -> str:
    """Return a table of products: rules, and rules with a log type."""
    counts = coverage(load_rules(folders).rules, load_log_types())
    counts.append(("**all**", sum(one[1] for one in counts), sum(one[2] for one in counts)))
    rows = [(name, f"{total:,}", f"{covered:,}") for name, total, covered in counts]
    return table(("product", "rules", "with a log type"), rows, right=(1, 2))


def coverage(rules: Iterable[Rule], log_types: Sequence[LogType]) -> list[tuple[str, int, int]]:
    """Return product, rules, and rules with a log type; the products with most rules first."""
    total: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for rule in rules:
        product = rule.inputs[0].scope.product if rule.inputs else None
        name = product or ("no product" if rule.inputs else "cannot run")
        total[name] += 1
        covered[name] += bool(check(rule, log_types).log_types)
    order = sorted(total, key=lambda name: (-total[name], name))
    return [(name, total[name], covered[name]) for name in order]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Write a Markdown table."""
    rule = ["--:" if at in right else "---" for at in range(len(heads))]
    lines = [heads, rule, *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PARTS: Mapping[str, Callable[[], str]] = {
    "closeness": _closeness,
    "commands": _commands,
    "functions": _function_table,
    "groups": _groups,
    "log-types": _log_type_table,
    "modifiers": _modifier_table,
    "shipped": _shipped,
    "values": _value_table,
    "where-fields": _where_fields,
}
"""What is written anew every time."""


def render(page: Path, coverage: str | None = None) -> str:
    """Return the text of a page with its generated parts as they should be."""

    def fill(match: re.Match[str]) -> str:
        name = match[2]
        if name == "coverage":
            return match[0] if coverage is None else f"{match[1]}{coverage}\n{match[3]}"
        path = "" if page.parent == DOCS else "docs/"
        text = _part(name).replace("(log-types.md#", f"({path}log-types.md#")
        return f"{match[1]}{text}\n{match[3]}"

    return _PART.sub(fill, page.read_text("utf-8"))


@cache
def _part(name: str) -> str:
    return PARTS[name]()


def corpus() -> list[Path]:
    """Return the folders of Sigma rules below `TOCSIN_SHARED`; none if there are none."""
    shared = os.environ.get("TOCSIN_SHARED")
    root = Path(shared) if shared else DOCS.parent.parent / "shared"
    folders = [root / "corpora" / "sigma" / name for name in CORPUS]
    return folders if all(folder.is_dir() for folder in folders) else []


def main() -> int:
    """Write the pages, or compare them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rules", action="append", type=Path, default=[])
    arguments = parser.parse_args()
    folders = arguments.rules or corpus()
    coverage = count_coverage(folders) if folders else None
    status = 0
    for page in PAGES:
        text = render(page, coverage)
        if text == page.read_text("utf-8"):
            continue
        if arguments.check:
            sys.stdout.write(f"{page.name} differs: run python docs/generate.py\n")
            status = 1
        else:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {page.name}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
