"""Secrets that are read, recovered or restored: rules of Panther in every shape, over the bridge.

Our own rule runs everywhere; that of panther-analysis where there is a checkout of it.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

import tocsin
from acceptance.shapes import activity
from cli.calling import PACKS
from logs.azure_records import vault_shapes
from tocsin.rules.model import RuleSet

OWN = PACKS / "azure-keyvault" / "secret_accessed_or_recovered.yml"
THEIRS = "rules/azure_activity_rules/azure_keyvault_secret_accessed_or_recovered.yml"
ACTION = "Microsoft.KeyVault/vaults/secrets/{}/action"
SHAPES = tuple(activity(""))


@pytest.fixture(scope="module", params=["own", "theirs"])
def rules(request: pytest.FixtureRequest) -> RuleSet:
    if request.param == "own":
        return tocsin.load_rules(OWN)
    checkout: Path = request.getfixturevalue("panther_analysis")
    return tocsin.load_rules(checkout / THEIRS)


def raised(rules: RuleSet, records: Iterable[object], **options: object) -> list[str]:
    """Return the titles of alerts, each event on its own."""
    return [
        alert.title
        for record in records
        for alert in tocsin.scan([record], rules, include_disabled=True, **options)  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("allow_python", [False, True], ids=["lifted", "python"])
@pytest.mark.parametrize("verb", ["getSecret", "recover", "restore", "GETSECRET"])
def test_an_action_is_found_in_every_shape(rules: RuleSet, verb: str, allow_python: bool) -> None:
    shapes = activity(ACTION.format(verb))
    titles = raised(rules, shapes.values(), allow_python=allow_python)
    assert len(titles) == len(SHAPES)


@pytest.mark.parametrize("shape", SHAPES)
def test_other_actions_are_not(rules: RuleSet, shape: str) -> None:
    others = ["Microsoft.KeyVault/vaults/secrets/write", ACTION.format("setSecret")]
    assert raised(rules, [activity(other)[shape] for other in others]) == []


@pytest.mark.parametrize("allow_python", [False, True], ids=["lifted", "python"])
@pytest.mark.parametrize("operation", ["SecretGet", "SecretRecover", "SecretRestore"])
def test_over_the_bridge_what_was_done_is_found(
    rules: RuleSet, operation: str, allow_python: bool
) -> None:
    shapes = vault_shapes(operation)
    titles = raised(rules, shapes.values(), bridges=["keyvault"], allow_python=allow_python)
    assert len(titles) == len(shapes)
    assert raised(rules, shapes.values(), allow_python=allow_python) == []


@pytest.mark.parametrize("operation", ["SecretSet", "SecretList", "KeyGet", "VaultGet"])
def test_over_the_bridge_nothing_else_is(rules: RuleSet, operation: str) -> None:
    assert raised(rules, vault_shapes(operation).values(), bridges=["keyvault"]) == []
