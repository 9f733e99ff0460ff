"""Addresses are stable, safe in paths and in browsers, and each is of one rule."""

from dataclasses import replace

import pytest

from tocsin.catalog.addresses import LONGEST, addresses_of, by_uuid, slug
from tocsin.rules.model import Rule

RULE = Rule(
    id="1", name="One", ecosystem="sigma", kind="detection", pack="ours", path="a.yml", digest=""
)
IDS = {
    "b831353c-1971-477b-abb6-2828edc3bca1": "ours/b831353c-1971-477b-abb6-2828edc3bca1",
    "Azure.KeyVault.Read": "ours/Azure.KeyVault.Read",
}


@pytest.mark.parametrize(("identifier", "address"), IDS.items(), ids=IDS)
def test_a_plain_id_stands_as_it_is(identifier: str, address: str) -> None:
    assert addresses_of([replace(RULE, id=identifier)]) == [address]


@pytest.mark.parametrize(
    "identifier", ["../../etc/passwd", "..", "", "a b", "C:\\x", "<script>", "x" * 500, "\0", "é"]
)
def test_any_other_is_made_safe(identifier: str) -> None:
    [address] = addresses_of([replace(RULE, id=identifier)])
    pack, _, name = address.partition("/")
    assert pack == "ours"
    assert "/" not in name
    assert name.strip(".")
    assert name.isascii()
    assert len(name) <= LONGEST + 9


def test_the_same_id_twice_has_two_addresses_that_stay_what_they_are() -> None:
    rules = [RULE, replace(RULE, path="b.yml"), replace(RULE, path="c.yml")]
    found = addresses_of(rules)
    assert len({address.lower() for address in found}) == 3
    assert found[0] == "ours/1"
    assert addresses_of([rules[0], rules[2]])[1] == found[2]


def test_ids_that_differ_in_letters_case_alone_are_told_apart() -> None:
    found = addresses_of([replace(RULE, id="Ab"), replace(RULE, id="aB")])
    assert len({address.lower() for address in found}) == 2


def test_versions_share_a_uuid_ignoring_case() -> None:
    uuid = "b831353c-1971-477b-abb6-2828edc3bca1"
    assert by_uuid([(uuid, "a/1"), (uuid.upper(), "b/1"), ("1", "c/1")]) == {uuid: ["a/1", "b/1"]}


def test_a_slug_is_in_lower_case() -> None:
    assert slug("Windows, other channels") == "windows-other-channels"
    assert slug("AWS CloudTrail") == "aws-cloudtrail"
