"""Run the command line as a user does, in this process."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tocsin.cli.rules import command as rules_command
from tocsin.cli.scan import command as scan_command

Fields = dict[str, Any]


def run_scan(logs: Path, rules: Iterable[Path], *options: str) -> Result:
    """Run `tocsin scan`; its alerts are on standard output, a line each."""
    chosen = [word for path in rules for word in ("-r", str(path))]
    run = CliRunner().invoke(scan_command, [str(logs), *chosen, "-f", "ndjson", *options])
    assert run.exit_code == 0, run.output
    return run


def scan(logs: Path, rules: Iterable[Path], *options: str) -> list[Fields]:
    """Run `tocsin scan` and return its alerts; nothing may have been left unread."""
    run = run_scan(logs, rules, *options)
    for complaint in ("could not be read", "of no known log type", "internal error"):
        assert complaint not in run.stderr, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(*paths: Path) -> str:
    """Run `tocsin rules check` and return what it says."""
    return _checked(*map(str, paths))


def check_records(*paths: Path) -> list[Fields]:
    """Run `tocsin rules check -f json` and return its records."""
    records: list[Fields] = json.loads(_checked(*map(str, paths), "-f", "json"))
    return records


def _checked(*arguments: str) -> str:
    run = CliRunner().invoke(rules_command, ["check", *arguments])
    assert run.exit_code == 0, run.output
    return run.stdout
