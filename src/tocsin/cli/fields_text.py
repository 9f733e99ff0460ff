"""The fields of logs as tables for a terminal."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import click
import orjson

from tocsin.printable import printable
from tocsin.run.fields import MAX_DISTINCT
from tocsin.run.fields_report import FieldRow, FieldsReport, ShapeReport, example

NAME_WIDTH = 50
EXAMPLE_WIDTH = 60
SHOWN_RULES = 3


def fields_lines(report: FieldsReport) -> Iterator[str]:
    """Render a report, a table per shape."""
    for one in report.shapes:
        yield from _shape(one)
        yield ""
    yield from _read(report)
    if report.rules is not None:
        yield from _wanted(report)


def _shape(one: ShapeReport) -> Iterator[str]:
    name = f"{one.log_type} / {one.shape}" if one.log_type else "of no known log type"
    looked = "" if one.looked_at == one.events else f", {one.looked_at:,} of them looked at"
    yield click.style(f"{name}: {one.events:,} events{looked}", bold=True)
    width = min(max((len(row.name) for row in one.fields), default=0), NAME_WIDTH)
    width = max(width, len("field"))
    rules = any(row.rules is not None for row in one.fields)
    heads = f"  {'field':{width}}  {'events':>9}  {'share':>6}  {'values':>6}"
    yield f"{heads}{'  rules' if rules else ''}  {'types':14}  example".rstrip()
    for row in one.fields:
        yield _row(row, width)
    if one.not_kept:
        yield f"  {one.not_kept:,} times more fields were met than are kept"


def _row(row: FieldRow, width: int) -> str:
    facts = row.facts
    distinct = f"{facts.distinct:,}" if facts.distinct is not None else f"> {MAX_DISTINCT}"
    used = "" if row.rules is None else f"  {row.rules or '-':>5}"
    types = ", ".join(sorted(facts.types))
    return (
        f"  {printable(row.name):{width}}  {facts.events:9,}  {row.share:6.1%}  {distinct:>6}{used}"
        f"  {types:14}  {_example(row)}"
    ).rstrip()


def _example(row: FieldRow) -> str:
    if row.facts.example is None:
        return ""
    text = orjson.dumps(example(row.facts)).decode()
    return printable(text if len(text) <= EXAMPLE_WIDTH else text[: EXAMPLE_WIDTH - 1] + "…")


def _read(report: FieldsReport) -> Iterator[str]:
    done = report.surveyed
    yield f"{done.records:,} records in {done.files:,} files"
    if report.every > 1:
        yield f"only every {_ordinal(report.every)} was looked at; counts are of those"
    if done.unreadable:
        yield f"{done.unreadable:,} records could not be read"


def _ordinal(number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{'th' if number % 100 in {11, 12, 13} else suffix}"


def _wanted(report: FieldsReport) -> Iterator[str]:
    rows = [row for one in report.shapes for row in one.fields if row.rules == 0]
    yield f"{len(rows):,} fields are read by no rule (- in the column rules)"
    if report.searching:
        yield f"{report.searching:,} rules search whole events for keywords"
    if not report.never_seen:
        yield "no field that rules want is missing"
    for log_type, group in groupby(report.never_seen, key=lambda one: one.log_type):
        missing = list(group)
        yield ""
        yield click.style(f"{log_type}: {len(missing):,} fields that never arrive", bold=True)
        for one in sorted(missing, key=lambda one: -len(one.rules)):
            yield f"  {printable(one.field)}: {_names(one.rules, report)}"


def _names(rules: Sequence[int], report: FieldsReport) -> str:
    assert report.rules is not None
    names = [printable(report.rules[number].name) for number in rules[:SHOWN_RULES]]
    more = f" … {len(rules) - SHOWN_RULES:,} more" if len(rules) > SHOWN_RULES else ""
    return ", ".join(names) + more
