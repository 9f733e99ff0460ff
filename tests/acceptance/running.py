"""Run the command line as a user does, in this process."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tocsin.cli.rules import command as rules_command
from tocsin.cli.scan import command as scan_command

Alert = dict[str, Any]


def scan(logs: Path, rules: Iterable[Path], *options: str) -> list[Alert]:
    """Run `tocsin scan` and return its alerts; nothing may have been left unread."""
    chosen = [word for path in rules for word in ("-r", str(path))]
    run = CliRunner().invoke(scan_command, [str(logs), *chosen, "-f", "ndjson", *options])
    assert run.exit_code == 0, run.output
    assert "could not be read" not in run.stderr, run.stderr
    assert "of no known log type" not in run.stderr, run.stderr
    assert "internal error" not in run.stderr, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(*paths: Path) -> str:
    """Run `tocsin rules check` and return what it says."""
    return _checked(*map(str, paths))


def check_records(*paths: Path) -> list[dict[str, Any]]:
    """Run `tocsin rules check -f json` and return its records."""
    records: list[dict[str, Any]] = json.loads(_checked(*map(str, paths), "-f", "json"))
    return records


def _checked(*arguments: str) -> str:
    run = CliRunner().invoke(rules_command, ["check", *arguments])
    assert run.exit_code == 0, run.output
    return run.stdout
