"""`tocsin catalog` and `tocsin attack`."""

import csv
import json
from pathlib import Path

import pytest

from catalog.catalog_samples import write_packs
from cli.calling import jsonl, tocsin


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    found = write_packs(tmp_path_factory.mktemp("packs"))
    return [word for pack in found for word in ("-r", str(pack))]


def test_search_prints_a_line_for_each_rule_and_an_excerpt(packs: list[str]) -> None:
    done = tocsin("catalog", "search", *packs, "winword")
    assert done.status == 0
    first, second = done.text.splitlines()
    assert first.startswith("medium        sigma    Rundll32 Started by Office  (sigma/2222")
    assert "winword" in second
    assert "1 rules" in done.err


def test_search_as_json_has_facts_and_counts(packs: list[str]) -> None:
    done = tocsin("catalog", "search", *packs, "ecosystem:elastic", "severity>=high", "-f", "json")
    found = json.loads(done.out)
    assert found["schema"] == 1
    assert found["total"] == 1
    assert found["rules"][0]["name"] == "Two Things One After the Other"
    assert found["rules"][0]["severity"] == "high"
    assert found["facets"]["ecosystem"] == {"elastic": 1, "panther": 1, "sigma": 1}


def test_search_counts_facets(packs: list[str]) -> None:
    done = tocsin("catalog", "search", *packs, "--facets", "--limit", "1")
    assert "6 rules, 1 of them shown" in done.err
    assert "Ecosystem      sigma 3, elastic 2, panther 1" in done.err


def test_search_looks_in_the_packs_that_ship_if_none_is_named() -> None:
    assert tocsin("catalog", "search", "name:vault", "-f", "json").status == 0


def test_a_query_that_means_nothing_is_said_in_a_sentence(packs: list[str]) -> None:
    done = tocsin("catalog", "search", *packs, "colour:red")
    assert done.status == 2
    assert "no field 'colour'" in done.err


def test_build_writes_a_site_and_says_what_was_left_out(packs: list[str], tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = tocsin(
        "catalog", "build", "-o", str(site), *packs, "--license", "open", "--workers", "1"
    )
    assert done.status == 0
    assert "4 rules" in done.err
    assert "2 left out for their licence" in done.err
    assert (site / "index.html").exists()
    assert not (site / "rules" / "elastic").exists()
    assert "Linus" not in (site / "static" / "rules.js").read_text()


def test_build_with_logs_and_alerts_has_their_matrices(packs: list[str], tmp_path: Path) -> None:
    event = {
        "operationName": "MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION",
        "category": "Administrative",
        "resourceId": "/SUBSCRIPTIONS/1/X",
        "time": "2026-01-01T00:00:00Z",
        "correlationId": "1",
        "level": "Information",
    }
    logs = tmp_path / "logs.ndjson"
    logs.write_bytes(jsonl([event]))
    alerts = tmp_path / "alerts.ndjson"
    alerts.write_text('{"severity": "low", "attack": [{"technique": "T1059"}]}\n')
    site = tmp_path / "site"
    done = tocsin(
        "catalog", "build", "-o", str(site), *packs, "--logs", str(logs), "--alerts", str(alerts)
    )
    assert done.status == 0, done.err
    counted = {
        name: {row["technique"]: row["total"] for row in rows(site / "attack" / f"{name}.csv")}
        for name in ("index", "logs", "alerts")
    }
    assert counted["index"]["T1218.011"] == "1"
    assert counted["logs"]["T1218.011"] == "0"
    assert counted["logs"]["T1555.006"] == "1"
    assert counted["alerts"]["T1059"] == "1"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_build_of_nothing_is_refused(packs: list[str], tmp_path: Path) -> None:
    done = tocsin("catalog", "build", "-o", str(tmp_path / "site"), *packs, "--where", "id:nothing")
    assert done.status == 2
    assert "no rules are left" in done.err


def test_a_layer_counts_rules(packs: list[str]) -> None:
    done = tocsin("attack", "layer", *packs)
    made = json.loads(done.out)
    assert made["versions"]["layer"] == "4.5"
    assert {"T1685", "T1555", "T1218"} <= {one["techniqueID"] for one in made["techniques"]}
    assert "6 rules" in done.err


def test_a_layer_is_written_to_a_file_as_csv(packs: list[str], tmp_path: Path) -> None:
    file = tmp_path / "matrix.csv"
    done = tocsin(
        "attack", "layer", *packs, "--where", "ecosystem:panther", "-f", "csv", "-o", str(file)
    )
    assert done.status == 0
    assert {row["technique"] for row in rows(file) if row["total"] != "0"} == {"T1555"}


def test_alerts_are_counted_in_place_of_rules(packs: list[str], tmp_path: Path) -> None:
    alerts = tmp_path / "alerts.ndjson"
    alerts.write_text("nothing\n")
    assert tocsin("attack", "layer", "--alerts", str(alerts), *packs).status == 2
    done = tocsin("attack", "layer", "--alerts", str(alerts))
    assert done.status == 2
    assert "alerts.ndjson:1: no alert" in done.err


def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_text("{}")
    done = tocsin("attack", "update", str(file))
    assert done.status == 2
    assert "not a STIX bundle" in done.err
