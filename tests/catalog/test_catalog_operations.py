"""Operations that rules name, with their twins in another log, and those that none watches."""

from pathlib import Path

import pytest

from catalog.catalog_samples import SIGMA_VAULT, write_packs
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.operations import Service, services, twins_of
from tocsin.logs.bridges import load_bridge

ACTION = "Microsoft.KeyVault/vaults/secrets/getSecret/action"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Service:
    other = SIGMA_VAULT.replace("33333333", "99999999").replace("activitylogs", "keyvault")
    other = other.replace("MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION", "SecretList")
    not_it = SIGMA_VAULT.replace("33333333", "88888888").replace(
        "condition: selection", "condition: not selection"
    )
    packs = write_packs(tmp_path_factory.mktemp("packs"), other=other, not_it=not_it)
    found = services(load_catalogue(packs).entries)
    return next(one for one in found if one.name == "Microsoft.KeyVault")


def test_every_documented_operation_is_there_with_its_twins(vault: Service) -> None:
    bridge = load_bridge("keyvault")
    for name, actions in bridge.operations.items():
        one = vault.operation(name)
        assert one.documented
        assert one.twins == actions


def test_a_rule_watches_the_operation_that_it_names_and_its_twin_over_a_bridge(
    vault: Service,
) -> None:
    action, event = vault.operation(ACTION), vault.operation("SecretGet")
    assert [entry.rule.id[:8] for entry in action.entries] == ["33333333"]
    assert [entry.rule.id[:8] for entry in event.through_twins] == ["33333333"]
    assert event in vault.bridged
    assert not action.written


def test_what_is_watched_under_its_own_name_needs_no_bridge(vault: Service) -> None:
    one = vault.operation("SecretList")
    assert one.entries
    assert one not in vault.bridged
    assert one not in vault.unwatched


def test_what_no_rule_names_is_told(vault: Service) -> None:
    names = {one.name for one in vault.unwatched}
    assert "KeySign" in names
    assert not names & {"SecretGet", "SecretList"}


def test_twins_are_found_in_both_directions() -> None:
    assert twins_of("secretget") == (ACTION,)
    assert "SecretGet" in twins_of(ACTION.upper())
    assert twins_of("nothing") == ()


def test_a_pattern_watches_all_that_it_matches(tmp_path: Path) -> None:
    wild = SIGMA_VAULT.replace("operationName:", "operationName|startswith:").replace(
        "SECRETS/GETSECRET/ACTION", "KEYS/"
    )
    packs = write_packs(tmp_path, wild=wild.replace("33333333", "77777777"))
    found = services(load_catalogue(packs[:1]).entries)
    vault = next(one for one in found if one.name == "Microsoft.KeyVault")
    assert vault.operation("Microsoft.KeyVault/vaults/keys/sign/action").entries
