"""ATT&CK as it ships: complete in itself, what its source says, read only when asked for."""

import importlib.resources
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin.content.attack import load_attack

ATTACK = load_attack()


def test_tactics_stand_in_the_order_of_the_matrix() -> None:
    names = list(ATTACK.tactics.values())
    assert names[:3] == ["Reconnaissance", "Resource Development", "Initial Access"]
    assert names.index("Stealth") + 1 == names.index("Defense Impairment")
    assert names[-1] == "Impact"
    assert ATTACK.rank("TA0043") == 0
    assert ATTACK.rank("TA9999") == len(names)


def test_a_sub_technique_has_the_name_of_its_technique_before_its_own() -> None:
    name = ATTACK.technique("T1098.003")
    assert (name.name, name.full) == (
        "Additional Cloud Roles",
        "Account Manipulation: Additional Cloud Roles",
    )
    assert str(name) == "T1098.003 Account Manipulation: Additional Cloud Roles"


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("T1562.001", "T1685", "Disable or Modify Tools"),
        ("T1562.008", "T1685.002", "Disable or Modify Cloud Log"),
        ("T1086", "T1059.001", "PowerShell"),
    ],
)
def test_an_older_id_is_what_it_became_and_says_so(old: str, new: str, name: str) -> None:
    found = ATTACK.technique(old)
    assert (found.id, found.name, found.replaces) == (new, name, old)
    assert f"{old} until it was replaced" in str(found)
    assert ATTACK.tactics_of(old) == ATTACK.tactics_of(new) != ()


def test_an_unknown_id_is_kept_and_said_to_be_unknown() -> None:
    assert str(ATTACK.technique("T9999.001")) == f"T9999.001 (not in ATT&CK {ATTACK.version})"
    assert str(ATTACK.tactic("TA9999")) == f"TA9999 (not in ATT&CK {ATTACK.version})"
    assert ATTACK.technique("T9999").name is None
    assert ATTACK.tactics_of("T9999") == ()


def test_a_withdrawn_id_is_kept_and_said_to_be_withdrawn() -> None:
    assert str(ATTACK.technique("T1064")).startswith("T1064 (withdrawn from ATT&CK")


def test_every_id_that_is_named_is_known() -> None:
    for name, tactics in ATTACK.techniques.values():
        assert name
        assert set(tactics) <= set(ATTACK.tactics)
        assert tactics
    assert set(ATTACK.replaced.values()) <= set(ATTACK.techniques) | set(ATTACK.replaced)
    assert set(ATTACK.slugs.values()) == set(ATTACK.tactics)
    assert not (set(ATTACK.replaced) | ATTACK.withdrawn) & set(ATTACK.techniques)
    for technique in ATTACK.techniques:
        assert technique.partition(".")[0] in ATTACK.techniques


def test_former_short_names_of_tactics_are_known() -> None:
    assert ATTACK.slugs["defense-evasion"] == ATTACK.slugs["stealth"] == "TA0005"


def test_what_ships_is_what_its_source_says(shared: Path) -> None:
    folder = shared / "data" / "attack"
    source = json.loads((folder / "enterprise-attack-19.1.compact.json").read_text("utf-8"))
    moved = json.loads((folder / "migration-18.1-to-19.1.json").read_text("utf-8"))
    ids = {tactic["shortname"]: tactic["id"] for tactic in source["tactics"]}
    assert ATTACK.version == source["version"]
    assert list(ATTACK.tactics.items()) == [(one["id"], one["name"]) for one in source["tactics"]]
    assert set(ids.items()) <= set(ATTACK.slugs.items())
    assert ATTACK.techniques == {
        key: (one["name"], tuple(ids[slug] for slug in one["tactics"]))
        for key, one in source["techniques"].items()
    }
    assert ATTACK.replaced == source["revoked"] | {old: to["to"] for old, to in moved.items()}
    assert set(source["deprecated"]) == ATTACK.withdrawn


def test_the_licence_ships_beside_the_data_and_is_named() -> None:
    folder = importlib.resources.files("tocsin.content.attack")
    assert "MITRE" in (folder / "ATTACK-LICENSE.txt").read_text("utf-8")
    assert "content/attack/ATTACK-LICENSE.txt" in (
        Path(__file__).resolve().parents[2] / "NOTICE"
    ).read_text("utf-8")
    assert (
        "The MITRE Corporation" in json.loads((folder / "enterprise.json").read_text())["copyright"]
    )


@pytest.mark.parametrize(
    ("arguments", "read"), [(["-f", "table"], 0), (["--group", "tactic"], 1), (["-f", "ndjson"], 1)]
)
def test_it_is_read_only_when_it_is_needed(arguments: list[str], read: int, tmp_path: Path) -> None:
    code = (
        "import sys; from tocsin.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "from tocsin.content.attack import load_attack\n"
        "sys.stderr.write(str(load_attack.cache_info().currsize))"
    )
    rule = "title: A\nlogsource: {product: acme}\ntags: [attack.impact]\n"
    (tmp_path / "a.yml").write_text(f"{rule}detection: {{s: {{a: 1}}, condition: s}}\n")
    (tmp_path / "a.ndjson").write_text('{"a": 1}\n')
    command = [sys.executable, "-c", code, "scan", str(tmp_path / "a.ndjson")]
    command += ["-r", str(tmp_path / "a.yml"), "--log-type", "acme/", "--quiet", *arguments]
    environment = os.environ | {"TOCSIN_CACHE": str(tmp_path / "cache")}
    for _ in ("rules are parsed", "rules are in the cache"):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == str(read)
