"""The table: what it says of each rule, at any width, whatever the events hold."""

import io
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.calling import scan
from tocsin.alerts.entities import short_name
from tocsin.alerts.model import Alert, Event
from tocsin.alerts.run import RunInfo
from tocsin.outputs.table import TableOutput
from tocsin.outputs.tally import MAX_ENTITIES
from tocsin.rules.model import Rule, Severity

VAULT = (
    "/SUBSCRIPTIONS/0B1F6471-1BF0-4DDA-AEC3-CB9272F09590/RESOURCEGROUPS/GROUP"
    "/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS"
)
LONG = Rule(
    "1",
    "Secret of a Production Key Vault Read From Outside Every Network That Is Known Here",
    "sigma",
    "detection",
    "pack",
    "long.yml",
    "",
    severity=Severity.CRITICAL,
    author=("Ada Example", "Grace Example (Example Research)"),
)
SHORT = Rule(
    "2", "Vault Listed", "sigma", "detection", "pack", "short.yml", "", severity=Severity.LOW
)
RUN = RunInfo("0", (), datetime(2026, 1, 2, tzinfo=UTC), 0.0)


def alert(rule: Rule, second: int | None = 0, **entities: str) -> Alert:
    time = None if second is None else datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC)
    event = Event("e", "azure.keyvault", time, "a.ndjson", 1, "{}")
    return Alert("a", rule, (event,), (), tuple(entities.items()))


ALERTS = [
    alert(LONG, 9, user="anna.example@corp.example", address="203.0.113.7",
          resource=f"{VAULT}/PAYMENTS-PRODUCTION"),
    alert(LONG, 5, user="ANNA.Example@corp.example", address="203.0.113.8",
          resource=f"{VAULT}/payments-production"),
    alert(LONG, 7, user="ben.example@corp.example", address="203.0.113.9",
          resource=f"{VAULT}/ORDERS/SECRETS/X"),
    alert(SHORT, None, application="backup-agent"),
]  # fmt: skip


def table(alerts: list[Alert], width: int | None = 200, sizes: tuple[int, ...] = (1000,)) -> str:
    """Print alerts that come in parts of some sizes."""
    stream = io.BytesIO()
    output = TableOutput(stream, width)
    rest = alerts
    while rest:
        for size in sizes:
            output.add(TableOutput().part(rest[:size]))
            rest = rest[size:]
    output.finish(RUN)
    return stream.getvalue().decode()


def shown(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def test_at_200_columns() -> None:
    assert table(ALERTS, 200) == shown("""
severity  count  first, last          rule                                                                                 who                        from            on
critical      3  2026-01-02 03:04:05  Secret of a Production Key Vault Read From Outside Every Network That Is Known Here  anna.example@corp.example  203.0.113.7     payments-production
                 2026-01-02 03:04:09  by Ada Example, Grace Example (Example Research)                                     ben.example@corp.example   203.0.113.8 +1  ORDERS
low           1  no time              Vault Listed                                                                         backup-agent
""")


def test_at_160_columns_names_are_wrapped() -> None:
    assert table(ALERTS, 160) == shown("""
severity  count  first, last          rule                                                        who                        from            on
critical      3  2026-01-02 03:04:05  Secret of a Production Key Vault Read From Outside Every    anna.example@corp.example  203.0.113.7     payments-production
                 2026-01-02 03:04:09  Network That Is Known Here                                  ben.example@corp.example   203.0.113.8 +1  ORDERS
                                      by Ada Example, Grace Example (Example Research)
low           1  no time              Vault Listed                                                backup-agent
""")


def test_at_120_columns_each_rule_has_lines_of_its_own() -> None:
    assert table(ALERTS, 120) == shown("""
critical  3  Secret of a Production Key Vault Read From Outside Every Network That Is Known Here
             2026-01-02 03:04:05 – 2026-01-02 03:04:09
             anna.example@corp.example, ben.example@corp.example · 203.0.113.7, 203.0.113.8 +1 · payments-production,
             ORDERS
             by Ada Example, Grace Example (Example Research)
low       1  Vault Listed
             no time  backup-agent
""")


def test_at_80_columns_nothing_is_squeezed() -> None:
    assert table(ALERTS, 80) == shown("""
critical  3  Secret of a Production Key Vault Read From Outside Every Network
             That Is Known Here
             2026-01-02 03:04:05 – 2026-01-02 03:04:09
             anna.example@corp.example, ben.example@corp.example · 203.0.113.7,
             203.0.113.8 +1 · payments-production, ORDERS
             by Ada Example, Grace Example (Example Research)
low       1  Vault Listed
             no time  backup-agent
""")


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100, 139, 140, 160, 200, 300])
def test_no_line_is_wider_than_the_output_or_ends_in_blanks(width: int) -> None:
    many = [alert(LONG, 1, user="x" * 500, address="y" * 300, host="z z " * 100)]
    lines = table([*ALERTS, *many], width).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert width < 40 or max(map(len, lines)) <= width
    assert "by" in "".join(lines)


def test_no_alerts_is_said() -> None:
    assert table([]) == "No alerts.\n"


@pytest.mark.parametrize("sizes", [(1,), (7,), (1, 50), (400, 3), (100_000,)])
@pytest.mark.parametrize("width", [80, 200])
def test_what_is_shown_does_not_depend_on_how_the_input_was_cut(
    sizes: tuple[int, ...], width: int
) -> None:
    """More names than are kept: the first of them are, wherever the input was cut."""
    rare = [alert(LONG, user=f"user{at % (MAX_ENTITIES * 2)}") for at in range(MAX_ENTITIES * 4)]
    late = [alert(LONG, user="late", address=f"10.0.0.{at}") for at in range(200)]
    assert table([*rare, *late], width, sizes) == table([*rare, *late], width)


def test_names_that_differ_in_case_alone_are_one() -> None:
    users = ["ben", "ANNA", "anna", "anna", "Anna", "BEN"]
    text = table([alert(SHORT, user=user) for user in users])
    assert text.splitlines()[1].split()[5:] == ["Listed", "anna"]
    assert text.splitlines()[2].split() == ["ben"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (f"{VAULT}/NAME", "NAME"),
        (f"{VAULT}/NAME/".lower(), "name"),
        (f"{VAULT}/NAME/SECRETS/X", "NAME"),
        (f"{VAULT}/NAME/PROVIDERS/MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/7", "NAME"),
        ("/subscriptions/0b1f6471", "0b1f6471"),
        ("/subscriptions/0b1f6471/resourceGroups/group", "group"),
        ("/usr/bin/sudo", "sudo"),
        ("/", "/"),
        ("anna@corp.example", "anna@corp.example"),
        ("CORP\\anna", "CORP\\anna"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_resources_are_shown_by_their_names(value: str, name: str) -> None:
    assert short_name(value) == name


def test_events_and_rules_cannot_move_the_cursor() -> None:
    evil = Rule("3", "\x1b[31mred\u202e [bold]b[/bold]", "sigma", "detection", "p", "p", "",
                author=("\x1b]0;title\x07",))  # fmt: skip
    for width in (80, 200):
        text = table([alert(evil, user="\x1b[2J\r\nroot", host="[link]x[/link]")], width)
        assert "\\x1b[31mred\\u202e [bold]b[/bold]" in text
        assert "\\x1b[2J\\x0d\\x0aroot" in text
        assert "[link]x[/link]" in text
        assert "by \\x1b]0;title\\x07" in text
        assert not set(text) & {"\x1b", "\r", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("columns", "compact"), [(None, False), ("80", True), ("160", False), ("wide", False)]
)
def test_the_environment_may_say_how_wide_a_plain_output_is(
    columns: str | None,
    compact: bool,
    rules: Path,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    for options in ({}, {"output": log.with_name("out")}):
        result = scan(log, rules=rules, form="table", **options)
        text = result.text or log.with_name("out").read_text()
        assert text.startswith("high  2  Needle\n") is compact
