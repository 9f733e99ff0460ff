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
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import click
import pyarrow as pa
from meanings import FUNCTION_NOTES, MODIFIERS, VALUES, Modifier
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
from tocsin.rules.elastic.fields import MAPPED
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader, load_rules
from tocsin.rules.model import Rule
from tocsin.rules.select import FIELDS
from tocsin.rules.sigma import lower

DOCS = Path(__file__).resolve().parent
PAGES = (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")))
CORPUS = ("rules", "rules-compliance", "rules-emerging-threats", "rules-threat-hunting")
"""The folders of SigmaHQ's rules that are counted; rules-placeholder needs a user's own values."""

_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


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
    for top in cli.COMMANDS:
        command = importlib.import_module(f"{cli.__name__}.{top}").command
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


def _elastic_types() -> str:
    rows = ((kind, ", ".join(f"`{name}`" for name in MAPPED[kind].split())) for kind in MAPPED)
    return table(("type", "fields"), rows)


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
    "elastic-types": _elastic_types,
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
