"""`tocsin test`: run the case files of rules, and the tests that rules carry."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from tocsin.cli.options import HELP, rule_options
from tocsin.printable import printable, printable_lines
from tocsin.rules.load import LoadOptions
from tocsin.rules.select import parse_where
from tocsin.run.changed import Changes
from tocsin.run.git import changed_files
from tocsin.run.outcome import Outcome
from tocsin.run.testing import TestRun, run_tests
from tocsin.sandbox.process import Options

FAILED = 1
_NAMED = 5
"""Rules that a warning names."""


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
@click.option(
    "--changed",
    is_flag=True,
    help="Only tests that a change since the last commit calls for, as git tells it.",
)
@click.option(
    "--changed-since",
    metavar="COMMIT",
    help="The same, since the branch left another one, e.g. origin/main.",
)
@click.option(
    "--workers",
    default=0,
    type=click.IntRange(0, 64),
    help="Processes for the Python of rules; 0 is one per processor.",
)
@click.option(
    "--without-isolation",
    is_flag=True,
    help="Run the Python of rules even where this system cannot keep it from your files.",
)
def command(
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
    changed: bool,
    changed_since: str | None,
    workers: int,
    without_isolation: bool,
) -> None:
    """Run the tests of the rules below PATHS; exit with 1 if one fails.

    These are the cases in every NAME.cases.yaml and what rules of Panther carry, whose Python runs
    in processes apart.
    """
    options = LoadOptions(tuple(pipelines), placeholders)
    python = Options(workers=workers, isolated=not without_isolation)
    since = changed_since or ("HEAD" if changed else "")
    changes = Changes(changed_files(paths, since)) if since else None
    done = run_tests(paths, options, parse_where(where), python, changes)
    _PRINT[form](done)
    for one in done.open_to:
        click.echo(f"warning: nothing kept rules from {one}", err=True)
    if any(one.result == "failed" for one in done.outcomes):
        sys.exit(FAILED)


def _count(outcomes: Sequence[Outcome], result: str) -> int:
    return sum(one.result == result for one in outcomes)


def _print_text(done: TestRun) -> None:
    outcomes = done.outcomes
    skipped = Counter(one.reason for one in outcomes if one.result == "skipped")
    for one in outcomes:
        if one.result == "failed":
            click.echo(printable(f"{one.result.upper()}  {one.rule}: {one.test}"))
            for line in one.reason.splitlines():
                click.echo(f"    {printable(line)}")
    for reason, count in skipped.items():
        click.echo(printable(f"SKIPPED  {count} tests: {reason}"))
    _print_warnings(done.warnings)
    counts = ", ".join(f"{_count(outcomes, r)} {r}" for r in ("passed", "failed", "skipped"))
    click.echo(counts)


def _print_warnings(warnings: Sequence[Outcome]) -> None:
    by_reason: dict[str, list[str]] = {}
    for one in warnings:
        by_reason.setdefault(one.reason, []).append(one.rule)
    for reason, rules in by_reason.items():
        some = ", ".join(rules[:_NAMED]) + (", …" if len(rules) > _NAMED else "")
        click.echo(printable(f"warning: {reason}: {len(rules)} rules: {some}"), err=True)


def _print_json(done: TestRun) -> None:
    outcomes = done.outcomes
    record = {
        "schema": 1,
        **{result: _count(outcomes, result) for result in ("passed", "failed", "skipped")},
        "tests": [
            {"rule": one.rule, "test": one.test, "result": one.result, "reason": one.reason}
            for one in outcomes
        ],
        "warnings": [{"rule": one.rule, "reason": one.reason} for one in done.warnings],
    }
    click.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())


def _print_junit(done: TestRun) -> None:
    from xml.etree import ElementTree as Xml

    outcomes = done.outcomes
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
