"""One evening on which somebody else is Jonas: the steps of the intrusion, in order.

The identity is a developer's, used from an address abroad with the Azure CLI on a Sunday evening.
The last step makes two vaults stop writing their log; nothing ordinary is due there after it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tocsin.content.demo.cast import (
    INTRUDER,
    JONAS,
    ORDERS,
    OWNER,
    PAYMENTS,
    SHARED,
    VAULTS,
    Vault,
)
from tocsin.content.demo.records import (
    GONE,
    OK,
    Call,
    Clock,
    Record,
    activity_records,
    added_policy,
    assignment,
    data_record,
    diagnostics,
    refused,
    vault_action,
    vault_record,
)

DAY = datetime(2026, 1, 18, tzinfo=UTC)

_BLOCKED = refused(
    "Client address is not authorized and caller is not a trusted service.\r\n"
    f"Client address: {INTRUDER.address}\r\nCaller: appid={INTRUDER.app};oid={JONAS.oid}\r\n"
    f"Vault: {PAYMENTS.name};location=westeurope"
)
_SECRET_PERMISSIONS = ("get", "list", "set", "delete", "backup", "purge")
_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"


def intrusion() -> Iterator[Record]:
    """Yield the records of the intrusion, in time order."""
    clock = Clock(DAY, "intrusion")
    for step in _STEPS:
        yield from step(clock)


def _enumerate_vaults(clock: Clock) -> Iterator[Record]:
    clock.set(21, 47)
    for vault in VAULTS:
        yield vault_record(INTRUDER, "VaultList", vault, clock)
        clock.wait(2, 6)
        yield vault_record(INTRUDER, "VaultGet", vault, clock)
        clock.wait(2, 6)


def _enumerate_contents(clock: Clock) -> Iterator[Record]:
    clock.set(21, 50)
    for vault in VAULTS:
        result = _BLOCKED if vault.network == "Deny" else OK
        for operation in ("SecretList", "KeyList", "CertificateList"):
            yield _call(Call(operation, vault, "", result), clock)
    for secret in ORDERS.secrets:
        yield _call(Call("SecretListVersions", ORDERS, secret), clock)
    yield _call(Call("SecretListDeleted", ORDERS), clock)


def _read_secrets(clock: Clock) -> Iterator[Record]:
    clock.set(21, 58)
    for vault in (ORDERS, SHARED):
        yield from _read_all(vault, clock)


def _grant_access_to_itself(clock: Clock) -> Iterator[Record]:
    clock.set(22, 12)
    action = vault_action("accessPolicies/write", ORDERS, OWNER)
    yield from activity_records(INTRUDER, action, clock)
    policy = added_policy(JONAS, _SECRET_PERMISSIONS)
    yield vault_record(INTRUDER, "VaultPatch", ORDERS, clock, policy=policy)


def _take_a_role(clock: Clock) -> Iterator[Record]:
    clock.set(22, 17)
    action = assignment("jonas on payments", JONAS, _VAULT_ADMINISTRATOR, PAYMENTS.path, OWNER)
    yield from activity_records(INTRUDER, action, clock)


def _open_the_firewall(clock: Clock) -> Iterator[Record]:
    clock.set(22, 21)
    yield from activity_records(INTRUDER, vault_action("write", PAYMENTS, OWNER), clock)
    yield vault_record(INTRUDER, "VaultPatch", PAYMENTS, clock, network="Allow")


def _read_the_rest(clock: Clock) -> Iterator[Record]:
    clock.set(22, 31)
    yield _call(Call("SecretList", PAYMENTS), clock)
    yield from _read_all(PAYMENTS, clock)
    yield _call(Call("KeyBackup", PAYMENTS, PAYMENTS.keys[0]), clock)


def _change_and_destroy(clock: Clock) -> Iterator[Record]:
    clock.set(22, 58)
    yield _call(Call("SecretSet", ORDERS, "webhook-secret", version="2"), clock)
    clock.wait(60, 120)
    yield _call(Call("SecretDelete", ORDERS, "erp-password"), clock)
    clock.wait(30, 60)
    yield _call(Call("SecretPurge", ORDERS, "erp-password", GONE), clock)


def _switch_the_log_off(clock: Clock) -> Iterator[Record]:
    clock.set(23, 36)
    for vault in (ORDERS, PAYMENTS):
        yield from activity_records(INTRUDER, diagnostics("delete", vault, OWNER), clock)
        clock.wait(20, 60)


def _read_all(vault: Vault, clock: Clock) -> Iterator[Record]:
    for secret in vault.secrets:
        yield _call(Call("SecretGet", vault, secret), clock)


def _call(call: Call, clock: Clock) -> Record:
    clock.wait(1, 4)
    return data_record(INTRUDER, call, clock)


_STEPS: tuple[Callable[[Clock], Iterator[Record]], ...] = (
    _enumerate_vaults,
    _enumerate_contents,
    _read_secrets,
    _grant_access_to_itself,
    _take_a_role,
    _open_the_firewall,
    _read_the_rest,
    _change_and_destroy,
    _switch_the_log_off,
)
