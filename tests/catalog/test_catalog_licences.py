"""Licences: of the rule, else of its pack; which of them let copies be published."""

from pathlib import Path

import pytest

from catalog.catalog_samples import write_packs
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.licences import KNOWN, OPEN, licence_chooser, name_licence
from tocsin.errors import UsageError

NAMES = {
    "Elastic License v2": "Elastic License 2.0",
    "Elastic Licence v2": "Elastic License 2.0",
    "Apache-2.0": "Apache-2.0",
    "MIT": "MIT",
    "DRL 1.1": "Detection Rule License 1.1",
    "Something Else 1.0": "Something Else 1.0",
    "": "",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items(), ids=NAMES)
def test_a_licence_is_named(text: str, name: str) -> None:
    assert name_licence(text) == name


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_licence_is_known_by_its_own_name(name: str) -> None:
    assert name_licence(name) == name


def test_a_rule_without_a_licence_has_that_of_its_pack(tmp_path: Path) -> None:
    found = {
        entry.rule.name: entry.licence for entry in load_catalogue(write_packs(tmp_path)).entries
    }
    assert found["Vault Read by a Stranger"] == "Apache-2.0"
    assert found["Secret Read in a Key Vault"] == "Detection Rule License 1.1"
    assert found["Vault Changed by Anybody"] == "Elastic License 2.0"


@pytest.mark.parametrize(
    ("wanted", "left"), [(["open"], 4), (["elastic*"], 2), (["apache-2.0", "mit"], 1), (["x"], 0)]
)
def test_rules_of_other_licences_are_left_out(tmp_path: Path, wanted: list[str], left: int) -> None:
    loaded = load_catalogue(write_packs(tmp_path), licences=wanted)
    assert len(loaded.entries) == left
    assert loaded.left_out == 6 - left


def test_what_is_not_stated_or_not_known_is_not_open() -> None:
    fits = licence_chooser(["open"])
    assert not fits("")
    assert not fits("Some House Licence")
    assert not fits("Elastic License 2.0")
    assert all(map(fits, OPEN))


def test_an_empty_licence_is_refused() -> None:
    with pytest.raises(UsageError, match="asks for nothing"):
        licence_chooser([" "])
