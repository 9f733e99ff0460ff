"""`tocsin test`: run the case files of rules."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from tocsin.cli.options import HELP, rule_options
from tocsin.printable import printable, printable_lines
from tocsin.rules.load import LoadOptions
from tocsin.rules.select import parse_where
from tocsin.run.testing import Outcome, run_cases

FAILED = 1


@click.command("test", context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@rule_options
@click.option(
    "-f",
    "--format",
    "form",
    default="text",
    type=click.Choice(["text", "json", "junit"]),
    show_default=True,
)
def command(
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """Run the cases in every NAME.cases.yaml below PATHS; exit with 1 if one fails."""
    options = LoadOptions(tuple(pipelines), placeholders)
    outcomes = run_cases(paths, options, parse_where(where))
    _PRINT[form](outcomes)
    if any(one.result == "failed" for one in outcomes):
        sys.exit(FAILED)


def _count(outcomes: Sequence[Outcome], result: str) -> int:
    return sum(one.result == result for one in outcomes)


def _print_text(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        if one.result != "passed":
            click.echo(printable(f"{one.result.upper()}  {one.rule}: {one.test}"))
            for line in one.reason.splitlines():
                click.echo(f"    {printable(line)}")
    counts = ", ".join(f"{_count(outcomes, r)} {r}" for r in ("passed", "failed", "skipped"))
    click.echo(counts)


def _print_json(outcomes: Sequence[Outcome]) -> None:
    record = {
        "schema": 1,
        **{result: _count(outcomes, result) for result in ("passed", "failed", "skipped")},
        "tests": [
            {"rule": one.rule, "test": one.test, "result": one.result, "reason": one.reason}
            for one in outcomes
        ],
    }
    click.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())


def _print_junit(outcomes: Sequence[Outcome]) -> None:
    from xml.etree import ElementTree as Xml

    suite = Xml.Element(
        "testsuite",
        name="tocsin",
        tests=str(len(outcomes)),
        failures=str(_count(outcomes, "failed")),
        skipped=str(_count(outcomes, "skipped")),
    )
    for one in outcomes:
        names = {"classname": printable(one.rule), "name": printable(one.test)}
        case = Xml.SubElement(suite, "testcase", names)
        if one.result != "passed":
            kind = "failure" if one.result == "failed" else "skipped"
            Xml.SubElement(case, kind, message=printable_lines(one.reason))
    click.echo(Xml.tostring(suite, encoding="unicode", xml_declaration=True))


_PRINT = {"text": _print_text, "json": _print_json, "junit": _print_junit}
