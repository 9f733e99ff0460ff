"""One activity raises the same alerts in every shape in which its log is met, and a near miss none.

The rules are the seed's page as it stands, rules of SigmaHQ, rules that ship, and some of our own
for what those do not ask: nested fields, arrays of objects, claims whose names are addresses.
"""

import json
import re
import shutil
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate
from pathlib import Path

import pytest

from acceptance.activities import ACTIVITIES, LOGS, SEED, Activity
from acceptance.running import scan
from acceptance.shapes import Shapes
from logs.azure_records import APP, TIME, Record
from tocsin import content
from tocsin.logs.load import shipped_log_types

SHIPPED = Path(content.__path__[0]) / "packs" / "azure-keyvault"
OWN = Path(__file__).parent / "rules"

TODAY = "azure_keyvault_secrets_modified_or_deleted"
"""The seed's rule as SigmaHQ has it today."""

FROM_SIGMAHQ = (
    TODAY,
    "azure_keyvault_modified_or_deleted",
    "azure_aadhybridhealth_adfs_service_delete",
    "azure_dns_zone_modified_or_deleted",
    "azure_granting_permission_detection",
    "azure_ad_azurehound_discovery",
    "azure_ad_device_registration_or_join_without_mfa",
    "azure_ad_sign_ins_from_noncompliant_devices",
    "azure_ad_sign_ins_from_unknown_devices",
    "azure_login_to_disabled_account",
    "azure_ad_new_root_ca_added",
    "azure_ad_user_added_to_admin_role",
    "azure_ad_users_added_to_device_admin_roles",
    "azure_auditlogs_laps_credential_dumping",
    "azure_tap_added",
    "azure_user_account_mfa_disable",
    "azure_identity_protection_anonymous_ip_address",
    "azure_identity_protection_unfamilar_sign_in",
)
FROM_OUR_PACK = (
    "access_denied",
    "access_self_granted",
    "network_opened",
    "secret_read",
    "vault_deleted",
    "vaults_listed",
)

BESIDE: Record = {
    "time": TIME,
    "operationName": "Sign-in activity",
    "category": "ManagedIdentitySignInLogs",
    "resultType": "0",
    "properties": {"id": APP},
}
"""What stands in a wrapper beside the record that counts; it raises nothing."""

WRAPPERS: Mapping[str, Callable[[Record], str]] = {
    "wrapped on a line": lambda record: json.dumps({"records": [BESIDE, record]}),
    "wrapped over lines": lambda record: json.dumps({"records": [record, BESIDE]}, indent=2),
}

Raised = dict[str, dict[str, list[tuple[str, str]]]]
"""Activity → shape → file name of the rule and time of each alert."""


def texts(shapes: Shapes) -> dict[str, str]:
    """Write an activity: a line in each shape, and the export's record wrapped."""
    lines = {shape: json.dumps(record) for shape, record in shapes.items()}
    wrapped = {name: wrap(shapes["diagnostic"]) for name, wrap in WRAPPERS.items()}
    return {shape: f"{text}\n" for shape, text in (lines | wrapped).items()}


class Logs:
    """A file per log type and shape, and which activity stands on which of its lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._firsts: dict[str, list[int]] = {}
        self._names: dict[str, list[tuple[str, str]]] = {}

    def write(self, log: str, activities: Mapping[str, Activity]) -> None:
        written: dict[str, list[tuple[str, str]]] = {}
        for name, one in activities.items():
            for shape, text in texts(one.shapes).items():
                written.setdefault(shape, []).append((name, text))
        for shape, of in written.items():
            file = f"{log}, {shape}.json"
            (self.folder / file).write_text("".join(text for _, text in of), "utf-8")
            lengths = [text.count("\n") for _, text in of]
            self._firsts[file] = list(accumulate(lengths, initial=1))
            self._names[file] = [(name, shape) for name, _ in of]

    def activity_of(self, source: str, line: int) -> tuple[str, str]:
        """Return the activity and the shape that stand at a line of a file."""
        file = Path(source).name
        return self._names[file][bisect_right(self._firsts[file], line) - 1]


@pytest.fixture(scope="module")
def rules(
    shared: Path, sigma_corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return the rules by name; each is given to `scan` as a pack of its own."""
    (page,) = (shared / "seeds").glob("000_*")
    seed = tmp_path_factory.mktemp("seed") / f"{SEED}.md"
    shutil.copy(page, seed)
    azure = {path.stem: path for path in sigma_corpus.glob("rules*/cloud/azure/**/*.yml")}
    paths = [
        seed,
        *(azure[name] for name in FROM_SIGMAHQ),
        *(SHIPPED / f"{name}.yml" for name in FROM_OUR_PACK),
        *sorted(OWN.glob("*.yml")),
    ]
    return {path.stem: path for path in paths}


@pytest.fixture(scope="module")
def raised(rules: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Raised:
    """Scan every activity in every shape at once."""
    logs = Logs(tmp_path_factory.mktemp("logs"))
    for log, activities in LOGS.items():
        logs.write(log, activities)
    found: Raised = {
        name: {shape: [] for shape in texts(one.shapes)} for name, one in ACTIVITIES.items()
    }
    for alert in scan(logs.folder, rules.values()):
        (event,) = alert["events"]
        name, shape = logs.activity_of(event["source"], event["line"])
        found[name][shape].append((Path(alert["rule"]["path"]).stem, alert["time"]))
    return found


@pytest.mark.parametrize("name", ACTIVITIES)
def test_an_activity_raises_the_same_alerts_in_every_shape(raised: Raised, name: str) -> None:
    counts = {shape: Counter(rule for rule, _ in of) for shape, of in raised[name].items()}
    assert counts == {shape: Counter(ACTIVITIES[name].raises) for shape in counts}


@pytest.mark.parametrize("name", [name for name, one in ACTIVITIES.items() if one.raises])
def test_an_alert_bears_the_same_time_in_every_shape(raised: Raised, name: str) -> None:
    assert {time for of in raised[name].values() for _, time in of} == {TIME}


ONE_SHAPE = {"panther", "graph_alert"}
"""Shapes of events that are met in no other: alerts of Privileged Identity Management, and what
Panther kept."""


@pytest.mark.parametrize("log", LOGS)
def test_every_shape_of_a_log_type_takes_part(log: str) -> None:
    log_type = next(one for one in shipped_log_types() if one.name == log)
    taken = {re.split("[ ,]", shape)[0] for one in LOGS[log].values() for shape in one.shapes}
    assert taken == {shape.name for shape in log_type.shapes} - ONE_SHAPE


def test_every_rule_is_met_by_one_activity_and_missed_by_another(rules: dict[str, Path]) -> None:
    met = {rule for one in ACTIVITIES.values() for rule in one.raises}
    assert met == set(rules)
    assert not [rule for rule in met if all(rule in one.raises for one in ACTIVITIES.values())]


def test_the_seeds_page_and_todays_form_are_the_same_rule(rules: dict[str, Path]) -> None:
    page, today = (rules[name].read_text("utf-8") for name in (SEED, TODAY))
    found = re.search(r"^id: .+$", page, re.MULTILINE)
    assert found
    assert found[0] in today
    assert ("properties.message:" in page, "operationName:" in page) == (True, False)
    assert ("properties.message:" in today, "operationName:" in today) == (False, True)
