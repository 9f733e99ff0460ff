"""The matrix counts each item once in each cell; layers and CSV say the same."""

import csv
import json
from pathlib import Path

import pytest

from tocsin.catalog.matrix import Matrix, Named, layer, make_matrix, matrix_csv
from tocsin.catalog.named import named_alerts
from tocsin.content.attack import load_attack
from tocsin.errors import InputError
from tocsin.rules.attack import techniques_of


def named(kind: str, *tags: str, weight: int = 1) -> Named:
    return Named(techniques_of(tags), kind, weight)


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return make_matrix(
        [
            named("sigma", "attack.execution", "attack.t1059.001", "attack.t1059.003"),
            named("elastic", "attack.execution", "attack.t1059", weight=3),
            named("sigma", "attack.t1562.001"),
            named("sigma", "attack.t1078", "attack.persistence"),
            named("sigma", "attack.impact"),
            named("sigma", "attack.t9999"),
        ]
    )


def cells(matrix: Matrix) -> dict[tuple[str, str], int]:
    return {
        (column.tactic.id, cell.technique.id): cell.total
        for column in matrix.columns
        for top in column.cells
        for cell in (top, *top.below)
        if cell.total
    }


def test_cells(matrix: Matrix) -> None:
    assert cells(matrix) == {
        ("TA0002", "T1059"): 4,
        ("TA0002", "T1059.001"): 1,
        ("TA0002", "T1059.003"): 1,
        ("TA0112", "T1685"): 1,
        ("TA0003", "T1078"): 1,
    }


def test_columns_count_what_names_only_the_tactic(matrix: Matrix) -> None:
    totals = {column.tactic.name: column.total for column in matrix.columns if column.total}
    expected = {"Execution": 4, "Persistence": 1, "Impact": 1, "Defense Impairment": 1}
    assert totals == expected


def test_what_is_unknown_and_what_nothing_names_is_told(matrix: Matrix) -> None:
    assert matrix.unknown == {"T9999": 1}
    gaps = {name.id for name in matrix.gaps}
    assert "T1059" not in gaps
    assert len(gaps) == sum("." not in key for key in load_attack().techniques) - 3


def test_a_layer_has_what_the_navigator_needs(matrix: Matrix) -> None:
    made = json.loads(json.dumps(layer(matrix, "Ours", "rules")))
    assert made["versions"] == {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
    assert made["domain"] == "enterprise-attack"
    scores = {(one["tactic"], one["techniqueID"]): one["score"] for one in made["techniques"]}
    assert scores["execution", "T1059"] == 4
    assert scores["defense-impairment", "T1685"] == 1
    assert len(scores) == len(cells(matrix))
    assert made["gradient"]["maxValue"] == 4


def test_csv_has_a_line_for_every_cell(matrix: Matrix) -> None:
    rows = list(csv.DictReader(matrix_csv(matrix).splitlines()))
    totals = {(row["tactic"], row["technique"]): int(row["total"]) for row in rows}
    assert {place: total for place, total in totals.items() if total} == cells(matrix)
    assert sum(row["elastic"] != "0" for row in rows) == 1
    assert len(rows) == sum(len(of) for _, of in load_attack().techniques.values())


def test_alerts_count_as_often_as_they_were_raised(tmp_path: Path) -> None:
    path = tmp_path / "alerts.ndjson"
    alert = {"severity": "high", "count": 5, "attack": [{"tactic": None, "technique": "T1685"}]}
    path.write_text(json.dumps(alert) + "\n\n" + json.dumps({**alert, "count": 1}) + "\n")
    assert cells(make_matrix(named_alerts(path))) == {("TA0112", "T1685"): 6}


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"severity": "low", "attack": [1]}'])
def test_what_is_no_alert_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "alerts.ndjson"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"alerts\.ndjson:2: no alert"):
        list(named_alerts(path))
