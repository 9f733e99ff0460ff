"""The ATT&CK entries of a rule: as records, and where they stand in the matrix."""

import pytest

from tocsin.alerts.attack import attack_names, attack_places, attack_records
from tocsin.rules.attack import techniques_of
from tocsin.rules.model import Technique


def places(*tags: str) -> list[tuple[str | None, str | None]]:
    found = attack_places(techniques_of(tags))
    return [(tactic and tactic.id, technique and technique.id) for tactic, technique in found]


def test_a_record_has_the_names_of_both_and_what_was_replaced() -> None:
    entries = (Technique("TA0006"), Technique(None, "T1562.001"), Technique(None, "T9999"))
    assert attack_records(entries) == [
        {
            "tactic": "TA0006",
            "tactic_name": "Credential Access",
            "technique": None,
            "technique_name": None,
            "replaces": None,
        },
        {
            "tactic": None,
            "tactic_name": None,
            "technique": "T1685",
            "technique_name": "Disable or Modify Tools",
            "replaces": "T1562.001",
        },
        {
            "tactic": None,
            "tactic_name": None,
            "technique": "T9999",
            "technique_name": None,
            "replaces": None,
        },
    ]


def test_records_can_be_changed_without_changing_the_next() -> None:
    entries = (Technique("TA0006"),)
    attack_records(entries)[0]["tactic"] = "changed"
    assert attack_records(entries)[0]["tactic"] == "TA0006"


def test_names_stand_in_the_order_of_the_tags() -> None:
    names = attack_names(techniques_of(("attack.t1059", "attack.execution", "cve.2026-1")))
    assert [name.full for name in names] == ["Command and Scripting Interpreter", "Execution"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        # T1078 serves four tactics; those that the rule names count, in the order of the matrix
        (
            ("attack.persistence", "attack.initial-access", "attack.t1078"),
            [("TA0001", "T1078"), ("TA0003", "T1078")],
        ),
        # none of its tactics is named: it stands under all of them, the other tactic by itself
        (("attack.t1555.006", "attack.impact"), [("TA0006", "T1555.006"), ("TA0040", None)]),
        (("attack.t1555.006",), [("TA0006", "T1555.006")]),
        (("attack.impact",), [("TA0040", None)]),
        # an older id and what it became are one
        (("attack.t1562.001", "attack.t1685"), [("TA0112", "T1685")]),
        # what ATT&CK does not know
        (("attack.t9999", "attack.impact"), [("TA0040", "T9999")]),
        (("attack.t9999",), [(None, "T9999")]),
        ((), []),
    ],
)
def test_a_technique_stands_under_its_tactics(
    tags: tuple[str, ...], expected: list[tuple[str | None, str | None]]
) -> None:
    assert places(*tags) == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("attack.t1059.001", Technique(technique="T1059.001")),
        ("ATTACK.T1059", Technique(technique="T1059")),
        ("attack.credential-access", Technique(tactic="TA0006")),
        ("attack.credential_access", Technique(tactic="TA0006")),
        ("attack.defense-evasion", Technique(tactic="TA0005")),
        ("attack.ta0040", Technique(tactic="TA0040")),
        ("attack.g0069", None),
        ("t1059", None),
        ("car.2016-04-005", None),
    ],
)
def test_a_tag_names_a_tactic_or_technique_or_nothing(tag: str, expected: Technique | None) -> None:
    assert techniques_of((tag, tag)) == ((expected,) if expected else ())
