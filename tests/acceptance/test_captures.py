"""SigmaHQ's rules raise on captures of real attacks what was looked at once and found right."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from acceptance.running import Fields, scan

EXPECTED: dict[str, Fields] = yaml.safe_load(
    Path(__file__).with_name("captures.yaml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def alerts(windows_captures: list[Path], sigma_corpus: Path) -> dict[str, list[Fields]]:
    """Scan all captures at once; alerts by capture."""
    (folder,) = {path.parent for path in windows_captures}
    found: dict[str, list[Fields]] = {name_of(path): [] for path in windows_captures}
    for alert in scan(folder, [sigma_corpus], "--where", "product:windows"):
        (event,) = alert["events"]
        found[name_of(Path(event["source"]))].append(alert)
    return found


def name_of(path: Path) -> str:
    return path.name.removesuffix(".ndjson.gz")


def test_every_capture_is_expected_to_raise_something(alerts: dict[str, list[Fields]]) -> None:
    assert set(alerts) == set(EXPECTED)
    assert len(alerts) == 7


@pytest.mark.parametrize("capture", EXPECTED)
def test_a_capture_raises_what_it_should(alerts: dict[str, list[Fields]], capture: str) -> None:
    right, wrong = EXPECTED[capture]["raises"], EXPECTED[capture].get("wrong", {})
    raised = Counter(alert["title"] for alert in alerts[capture])
    assert raised == Counter(right) + Counter(wrong)


@pytest.mark.parametrize(
    ("capture", "technique"),
    [(capture, one) for capture, of in EXPECTED.items() for one in of["techniques"]],
)
def test_a_capture_raises_an_alert_of_its_technique(
    alerts: dict[str, list[Fields]], capture: str, technique: str
) -> None:
    title = EXPECTED[capture]["techniques"][technique]
    named = [alert for alert in alerts[capture] if alert["title"] == title]
    assert named
    for alert in named:
        assert technique in {one["technique"] for one in alert["attack"]}


def test_every_alert_says_what_in_the_event_raised_it(alerts: dict[str, list[Fields]]) -> None:
    for alert in (one for of in alerts.values() for one in of):
        (event,) = alert["events"]
        assert (event["log_type"], event["time"]) == ("windows", alert["time"])
        values = {str(value).lower() for value in event["raw"].values()}
        assert any(str(one["found"]).lower() in values for one in alert["matched"])
