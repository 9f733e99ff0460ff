"""A newer ATT&CK from a STIX bundle: taken, read from then on, and refused if it is none."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.content.attack import load_attack, own_file, update_attack
from tocsin.errors import InputError


def stix(kind: str, identifier: str, external: str, name: str, **more: object) -> dict[str, object]:
    references = [{"source_name": "mitre-attack", "external_id": external}]
    return {
        "type": kind, "id": identifier, "name": name, "external_references": references,
        "x_mitre_domains": ["enterprise-attack"], **more,
    }  # fmt: skip


def phase(name: str) -> list[dict[str, str]]:
    return [{"kill_chain_name": "mitre-attack", "phase_name": name}]


BUNDLE = {
    "type": "bundle",
    "objects": [
        {"type": "x-mitre-collection", "x_mitre_version": "20.0"},
        stix("x-mitre-tactic", "t--2", "TA0002", "Doing", x_mitre_shortname="doing"),
        stix("x-mitre-tactic", "t--1", "TA0043", "Looking", x_mitre_shortname="looking"),
        {"type": "x-mitre-matrix", "tactic_refs": ["t--1", "t--2", "t--unknown"]},
        stix("attack-pattern", "a--1", "T1059", "Scripts", kill_chain_phases=phase("doing")),
        stix("attack-pattern", "a--2", "T1086", "Old", revoked=True),
        stix("attack-pattern", "a--3", "T1500", "Gone", x_mitre_deprecated=True),
        stix("attack-pattern", "a--4", "T0001", "Mobile", x_mitre_domains=["mobile-attack"]),
        {"type": "relationship", "relationship_type": "revoked-by", "source_ref": "a--2",
         "target_ref": "a--1"},
        {"type": "relationship", "relationship_type": "uses", "source_ref": "a--1"},
        "no object",
    ],
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TOCSIN_DATA", str(tmp_path))
    load_attack.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    load_attack.cache_clear()


def test_a_bundle_is_taken_and_read_from_then_on(data: Path) -> None:
    update_attack(json.dumps(BUNDLE).encode())
    load_attack.cache_clear()
    attack = load_attack()
    assert attack.version == "20.0"
    assert list(attack.tactics.values()) == ["Looking", "Doing"]
    assert attack.technique("T1059").name == "Scripts"
    assert attack.technique("T1086").id == "T1059"
    assert attack.withdrawn == {"T1500"}
    assert "T0001" not in attack.techniques
    assert attack.slugs["execution"] == "TA0002"
    assert own_file().is_relative_to(data)


def test_what_older_ids_became_is_not_forgotten(data: Path) -> None:
    update_attack(json.dumps(BUNDLE).encode())
    assert set(load_attack().replaced.values()) == {"T1059"}


@pytest.mark.parametrize(
    "bundle", ["{", "[]", "{}", '{"objects": []}', '{"objects": [{"type": "attack-pattern"}]}']
)
def test_what_is_no_bundle_of_attack_is_refused(data: Path, bundle: str) -> None:
    with pytest.raises(InputError):
        update_attack(bundle.encode())
    assert not own_file().exists()
    assert load_attack().version == "19.1"


def test_a_damaged_file_of_the_user_is_told_and_passed_over(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_file().parent.mkdir()
    own_file().write_text("{}")
    assert load_attack().version == "19.1"
    assert "cannot be read" in caplog.text
