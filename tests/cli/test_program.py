"""The program as a whole: how it is started, what it says of itself, and how it ends early."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

import tocsin as package
from cli.calling import rule, scan, tocsin

COMMANDS = {
    "": ["attack", "catalog", "demo", "explain", "logs", "rules", "scan", "test"],
    "rules": ["add", "check", "convert", "diff", "list", "overlap", "show", "update"],
    "logs": ["fields", "identify", "normalize", "types"],
}


def test_python_m_tocsin_is_tocsin() -> None:
    command = [sys.executable, "-m", "tocsin", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"tocsin, version {package.__version__}\n"


@pytest.mark.parametrize("group", COMMANDS)
def test_help_lists_the_commands(group: str) -> None:
    result = tocsin(*group.split(), "--help")
    assert result.status == 0
    listed = result.text.split("Commands:\n")[1]
    assert [line.split()[0] for line in listed.splitlines()] == COMMANDS[group]


@pytest.mark.parametrize(
    "command", [f"{group} {name}".strip() for group, names in COMMANDS.items() for name in names]
)
def test_every_command_has_help(command: str) -> None:
    short, long = tocsin(*command.split(), "-h"), tocsin(*command.split(), "--help")
    assert short == long
    assert long.status == 0
    assert long.text.startswith(f"Usage: tocsin {command}")


LOADED = """
import sys
from tocsin.cli import main
try:
    main()
finally:
    heavy = {"duckdb", "sigma", "yaml", "rich", "pyarrow"} & set(sys.modules)
    print(sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--version"], "[]"),
        (["rules", "show", "Needle", "{rules}"], "[]"),
        (["rules", "list", "{rules}"], "[]"),
        (["logs", "types"], "[]"),
        (["explain", "{rules}", "{log}:1", "--id", "Needle"], "['pyarrow']"),
    ],
    ids=lambda one: " ".join(one[:2]) if isinstance(one, list) else "",
)
def test_a_warm_start_loads_only_what_is_needed(
    arguments: list[str], expected: str, rules: Path, log: Path
) -> None:
    command = [sys.executable, "-c", LOADED]
    command += [one.format(rules=rules, log=log) for one in arguments]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}
    assert done.stderr.splitlines()[-1] == expected


def test_every_option_has_a_sentence() -> None:
    from tocsin.cli import demo, explain, logs, rules, scan, test

    options = [
        (command.name, option.opts[0])
        for module in (demo, explain, logs, rules, scan, test)
        for command in getattr(module.command, "commands", {"": module.command}).values()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert [name for _, name in options if name not in {"-f", "--workers"}] == []


def test_help_of_scan_says_what_it_returns() -> None:
    text = " ".join(tocsin("scan", "--help").text.split()).replace("- ", "-")
    for status in ("2 wrong use", "1 alerts at or above --fail-on", "3 with --strict", "else 0"):
        assert status in text
    assert "--batch" not in text


def test_a_reader_that_has_seen_enough_is_no_error(rules: Path) -> None:
    command = [sys.executable, "-m", "tocsin", "scan", "-", "-r", rules, "-f", "ndjson"]
    with subprocess.Popen(
        [*command, "--log-type", "acme//web", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b'{"mark": "needle"}\n' * 5000)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("form", ["table", "ndjson"])
def test_a_full_disk_is_said(form: str, rules: Path, log: Path) -> None:
    result = scan(log, rules=rules, form=form, output="/dev/full")
    assert result.status == 2
    assert result.err.endswith("the output cannot be written: No space left on device\n")


def test_a_closed_standard_input_is_said(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.logs.formats import open as opening

    monkeypatch.setattr(opening, "sys", SimpleNamespace(stdin=None))
    result = scan("-", rules=rules)
    assert result.status == 2
    assert "not scanned: -: standard input is closed" in result.err


def test_text_that_a_terminal_cannot_show_is_escaped(rules: Path) -> None:
    (rules / "needle.yml").write_text(rule("Ωmega"))
    done = subprocess.run(
        [sys.executable, "-m", "tocsin", "rules", "list", rules],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert rb"\u03a9mega" in done.stdout


def test_every_package_says_what_it_is() -> None:
    root = Path(package.__file__).parent
    for name in ("cli", "run", "outputs", "alerts", "rules", "rules/sigma", "logs/formats"):
        assert (root / name / "__init__.py").read_text().startswith('"""'), name
