"""Rules of Elastic as pages quote them: what they find, in every shape, and what they do not."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tocsin
from acceptance.running import check
from acceptance.shapes import Shapes, activity, request
from logs.azure_records import SECRET, USER, Record
from tocsin.rules.model import Rule

WRITE = "Microsoft.KeyVault/vaults/write"
FIRST = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LONG_BEFORE = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=["001", "003"])
def modified(request: pytest.FixtureRequest, page: Callable[[str], Path]) -> Rule:
    (rule,) = tocsin.load_rules(page(request.param))
    return rule


@pytest.fixture(scope="module")
def unusual(page: Callable[[str], Path]) -> Rule:
    (rule,) = tocsin.load_rules(page("004"))
    return rule


@pytest.fixture(scope="module")
def page(shared: Path) -> Callable[[str], Path]:
    def find(number: str) -> Path:
        (found,) = (shared / "seeds").glob(f"{number}_*")
        return found

    return find


def found(rule: Rule, records: list[Record], **more: Any) -> list[int]:
    """Return which records raise an alert."""
    result = tocsin.scan(records, [rule], **more)
    assert not result.unreadable
    return [alert.event.line - 1 for alert in result]


def with_outcome(shapes: Shapes, outcome: str) -> Iterator[tuple[str, Record]]:
    """Yield the shapes of an activity with another word for how it ended."""
    for name, record in shapes.items():
        changed = deepcopy(record)
        if name in {"ecs", "hit"}:
            document = changed.get("_source", changed)
            document["azure"]["activitylogs"]["result_type"] = outcome
            document["event"]["outcome"] = outcome
        elif name in {"api", "sdk"}:
            changed["status"] = {"value": outcome}
        elif "evt" in changed:
            changed["evt"]["outcome"] = outcome
        elif "resultType" in changed:
            changed["resultType"] = outcome
        else:
            key = "ActivityStatusValue" if "ActivityStatusValue" in changed else "ActivityStatus"
            changed[key] = outcome
        yield name, changed


class TestVaultModified:
    def test_a_write_is_found_in_every_shape(self, modified: Rule) -> None:
        shapes = activity(WRITE)
        missed = [name for name, record in shapes.items() if not found(modified, [record])]
        assert missed == []

    @pytest.mark.parametrize("outcome", ["Success", "success"])
    def test_case_of_success(self, modified: Rule, outcome: str) -> None:
        shapes = dict(with_outcome(activity(WRITE), outcome))
        missed = [name for name, record in shapes.items() if not found(modified, [record])]
        assert missed == []

    @pytest.mark.parametrize("outcome", ["SUCCESS", "Succeeded", "succeeded"])
    def test_other_words_for_it_in_records_of_azure(self, modified: Rule, outcome: str) -> None:
        """Documents of Elastic's agent keep their own word, whose case matters."""
        shapes = dict(with_outcome(activity(WRITE), outcome))
        missed = [name for name, record in shapes.items() if not found(modified, [record])]
        assert missed == ["ecs", "hit"]

    @pytest.mark.parametrize("outcome", ["Failure", "Failed", "Started", "Accepted"])
    def test_what_did_not_succeed_is_not_found(self, modified: Rule, outcome: str) -> None:
        shapes = dict(with_outcome(activity(WRITE), outcome))
        assert [name for name, record in shapes.items() if found(modified, [record])] == []

    @pytest.mark.parametrize(
        "operation", ["Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/secrets/read"]
    )
    def test_reads_are_not_found(self, modified: Rule, operation: str) -> None:
        shapes = activity(operation)
        assert [name for name, record in shapes.items() if found(modified, [record])] == []

    def test_reads_of_secrets_are_not_found(self, modified: Rule) -> None:
        records = list(request("SecretGet").values())
        assert found(modified, records) == []


def read(
    after: timedelta = timedelta(0), user: str | None = USER, secret: str | None = SECRET
) -> Record:
    """Return a read of a secret as Azure exports it."""
    record = deepcopy(request("SecretGet")["diagnostic"])
    record["time"] = (FIRST + after).isoformat()
    record["identity"]["claim"]["upn"] = user
    record["properties"]["id"] = secret
    return record


def opening() -> Record:
    """Return an event from long before, so that the logs do not begin with what is asked about."""
    return {**deepcopy(request("VaultGet")["diagnostic"]), "time": LONG_BEFORE.isoformat()}


DAY = timedelta(days=1)


class TestUnusualIdentity:
    def test_the_first_retrieval_is_found_in_every_shape(self, unusual: Rule) -> None:
        shapes = request("SecretGet")
        hidden = {"diagnostic of a managed HSM"}
        missed = [
            name
            for name, record in shapes.items()
            if not found(unusual, [record], cold_start="alert")
        ]
        assert set(missed) == hidden

    @pytest.mark.parametrize(
        ("second", "alerts"),
        [
            pytest.param(read(DAY), [1], id="the-same-pair-again"),
            pytest.param(read(14 * DAY), [1], id="the-same-pair-after-fourteen-days"),
            pytest.param(read(15 * DAY), [1, 2], id="after-fifteen-days-of-silence"),
            pytest.param(read(DAY, secret=f"{SECRET}2"), [1, 2], id="on-another-object"),
            pytest.param(read(DAY, user="other@contoso.example"), [1, 2], id="another-identity"),
            pytest.param(read(DAY, secret=None), [1], id="without-an-object"),
            pytest.param(read(DAY, user=None), [1], id="without-an-identity"),
        ],
    )
    def test_which_pairs_are_new(self, unusual: Rule, second: Record, alerts: list[int]) -> None:
        assert found(unusual, [opening(), read(), second]) == alerts

    def test_fifteen_days_count_from_the_last_sighting(self, unusual: Rule) -> None:
        records = [opening(), *(read(day * DAY) for day in (0, 10, 20, 36))]
        assert found(unusual, records) == [1, 4]

    def test_a_name_that_is_only_a_claim_with_an_address_does_not_count(
        self, unusual: Rule, tmp_path: Path
    ) -> None:
        hidden = read(user=None)
        claims = hidden["identity"]["claim"]
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = claims.pop("upn")
        records = [opening(), hidden, read(secret=None), read()]
        assert found(unusual, records) == [3]

    def test_check_says_how_many_records_fall_outside(
        self, page: Callable[[str], Path], tmp_path: Path
    ) -> None:
        records = [read(), read(secret=None), read(user=None), read(user=None)]
        for record in records:
            record["identity"]["claim"] = _without_null(record["identity"]["claim"])
            record["properties"] = _without_null(record["properties"])
        log = tmp_path / "reads.ndjson"
        log.write_text("\n".join(map(json.dumps, records)))
        said = check(page("004"), Path("--logs"), log)
        assert (
            "of 4 events that it is about 2 have no azure.platformlogs.identity.claim.upn, "
            "1 have no azure.platformlogs.properties.id: left out"
        ) in said


def _without_null(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}
