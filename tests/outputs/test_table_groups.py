"""The table by other groups than rules: a line for each, with counts, times, rules, entities."""

import textwrap
from pathlib import Path

import pytest

from cli.calling import scan
from outputs.making import alert, rule, written
from tocsin.outputs import table
from tocsin.outputs.groups import GROUPINGS
from tocsin.rules.model import Rule, Severity

READ = rule("Secret Read", Severity.HIGH, author=("Ada", "Grace"), tags=("attack.t1555.006",))
LISTED = rule("Vault Listed", Severity.LOW, pack="other", tags=("attack.t1580", "attack.discovery"))
BARE = rule("Something", Severity.LOW)

ALERTS = [
    alert(READ, 0, user="anna@corp.example", address="203.0.113.7", host="vm1"),
    alert(READ, 3600, user="ANNA@corp.example", address="203.0.113.8", source="logs/b.ndjson"),
    alert(LISTED, 90000, user="anna@corp.example", application="backup-agent"),
    alert(LISTED, None, user="ben@corp.example"),
    alert(BARE, 0, entities=[("host", "vm1"), ("host", "VM2")]),
]


def keys(group: str, alerts: list | None = None) -> list[str]:
    """Return the labels of the lines of a table."""
    text = written("table", ALERTS if alerts is None else alerts, group=group)
    head, *lines = text.splitlines()
    start = head.index(f"  {GROUPINGS[group].title} ") + 2
    return [found for line in lines if (found := line[start:].split("  ")[0])]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_a_line_says_counts_severities_times_rules_and_entities() -> None:
    assert written("table", ALERTS, group="user") == textwrap.dedent("""\
        severity  count  first, last          user                  rules         from         on
        2 high        3  2026-01-02 03:04:05  anna@corp.example     Secret Read   203.0.113.7  vm1
        1 low            2026-01-03 04:04:05                        Vault Listed  203.0.113.8
        1 low         1  no time              ben@corp.example      Vault Listed
        1 low         1  2026-01-02 03:04:05  no user               Something                  vm1
        """)


def test_a_narrow_table_has_a_few_lines_per_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert written("table", ALERTS, group="tactic") == textwrap.dedent("""\
        high  2  TA0006 Credential Access
                 2026-01-02 03:04:05 – 2026-01-02 04:04:05
                 anna@corp.example · 203.0.113.7, 203.0.113.8 · vm1
                 2 high
                 rules: Secret Read
        low   2  TA0007 Discovery
                 2026-01-03 04:04:05  anna@corp.example, ben@corp.example · backup-agent
                 2 low
                 rules: Vault Listed
        low   1  no tactic
                 2026-01-02 03:04:05  vm1
                 1 low
                 rules: Something
        """)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("user", ["anna@corp.example", "ben@corp.example", "no user"]),
        ("address", ["203.0.113.7", "203.0.113.8", "no address"]),
        ("host", ["vm1", "VM2", "no host"]),
        ("application", ["backup-agent", "no application"]),
        ("resource", ["no resource"]),
        ("tactic", ["TA0006 Credential Access", "TA0007 Discovery", "no tactic"]),
        (
            "technique",
            [
                "T1555.006 Credentials from Password Stores: Cloud Secrets Management Stores",
                "T1580 Cloud Infrastructure Discovery",
                "no technique",
            ],
        ),
        ("log_type", ["azure.keyvault"]),
        ("source", ["logs/a.ndjson", "logs/b.ndjson"]),
        ("day", ["2026-01-02", "2026-01-03", "no time"]),
        ("hour", ["2026-01-02 03:00", "2026-01-02 04:00", "2026-01-03 04:00", "no time"]),
        ("pack", ["own", "other"]),
        ("author", ["Ada", "Grace", "no author"]),
    ],
)
def test_alerts_count_under_each_of_their_labels(group: str, expected: list[str]) -> None:
    assert keys(group) == expected


def test_severities_stand_worst_first() -> None:
    text = written("table", ALERTS, group="severity")
    assert [line.split()[:2] for line in text.splitlines()[1:] if line[0] != " "] == [
        ["high", "2"],
        ["low", "3"],
    ]


def test_the_group_rule_is_the_table_without_one() -> None:
    assert written("table", ALERTS, group="rule") == written("table", ALERTS)


def test_resources_are_grouped_by_their_names() -> None:
    vault = "/subscriptions/1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/Orders"
    alerts = [alert(resource=vault), alert(resource=vault.upper() + "/SECRETS/X")]
    assert keys("resource", alerts) == ["Orders"]


@pytest.mark.parametrize("group", GROUPINGS)
@pytest.mark.parametrize("sizes", [(1,), (2, 3)])
def test_a_group_does_not_depend_on_how_the_input_was_cut(
    group: str, sizes: tuple[int, ...]
) -> None:
    assert written("table", ALERTS, group=group, sizes=sizes) == written(
        "table", ALERTS, group=group
    )


@pytest.mark.parametrize("sizes", [(1,), (7, 2), (1000,)])
def test_of_more_groups_than_are_kept_the_first_are_listed_and_the_others_counted(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_GROUPS", 3)
    names = [*"abcdef", *"fedcba"]
    text = written("table", [alert(user=name) for name in names], group="user", sizes=sizes)
    assert [line.split()[5] for line in text.splitlines()[1:4]] == ["a", "b", "c"]
    assert text.endswith("6 alerts more, of values of user not listed here.\n")


@pytest.mark.parametrize("width", [20, 80, 160])
def test_labels_cannot_move_the_cursor(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    evil = Rule("1", "\x1b[2J", "sigma", "detection", "\x1b", "p", "", author=("\u202e",))
    for group in GROUPINGS:
        text = written("table", [alert(evil, user="\x1b\r", source="\x1b")], group=group)
        assert not set(text) & {"\x1b", "\r", "\u202e"}


def test_the_command_line_takes_a_group(rules: Path, log: Path) -> None:
    text = scan(log, rules=rules, form="table", group="source").text
    assert text.splitlines()[1].split()[:2] == ["2", "high"]
    assert str(log) in text
    assert scan(log, rules=rules, form="table", group="source", workers=2).text == text


def test_an_unknown_group_is_an_error_that_names_the_known_ones(rules: Path, log: Path) -> None:
    result = scan(log, rules=rules, form="table", group="colour", output=log.with_name("out"))
    assert (result.status, result.text) == (2, "")
    assert "no group 'colour'; known: rule, severity, user" in result.err
    assert not log.with_name("out").exists()


@pytest.mark.parametrize("form", ["ndjson", "csv", "html", "ecs", "ocsf"])
def test_a_group_with_another_format_is_an_error_that_says_so(
    form: str, rules: Path, log: Path
) -> None:
    result = scan(log, rules=rules, form=form, group="user")
    assert (result.status, result.text) == (2, "")
    assert f"--group user needs -f table; -f {form} has no groups" in result.err
