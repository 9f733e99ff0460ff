"""Two weeks in which nothing is wrong: programs keep their hours, people work in the office."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from tocsin.content.demo.cast import (
    BACKUP,
    CONTRIBUTOR,
    DEPLOYMENT,
    DEVELOPMENT,
    EDGE,
    FUNCTIONS,
    INVENTORY,
    JONAS,
    MEI,
    NADIA,
    ORDERS,
    OWNER,
    PAYMENTS,
    SHARED,
    SHOP,
    SIGNER,
    SITE,
    VAULTS,
    Person,
    Vault,
    at_debugger,
    at_portal,
    at_vault_pages,
    group_path,
)
from tocsin.content.demo.records import (
    Action,
    Call,
    Clock,
    Record,
    activity_records,
    assignment,
    challenge,
    data_record,
    deployment,
    diagnostics,
    refused,
    vault_action,
    vault_record,
)

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 14

_SHOP_SECRETS = ORDERS.secrets[:8]
_STORAGE = (
    f"{group_path('rg-orders-prod')}/providers/Microsoft.Storage/storageAccounts/ridgelineorders"
)
_ALERT_RULE = f"{group_path('rg-platform')}/providers/Microsoft.Insights/metricAlerts/slow-orders"
_SITE_CONTRIBUTOR = "de139f84-1756-47ae-9be6-808fbbe84772"


def ordinary_days() -> Iterator[Record]:
    """Yield the ordinary records of `DAYS` days from `FIRST_DAY` on, in time order."""
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        records = [record for routine in _ROUTINES for record in routine(_clock(routine, day))]
        yield from sorted(records, key=lambda record: str(record["time"]))


def _clock(routine: Callable[[Clock], Iterator[Record]], day: datetime) -> Clock:
    return Clock(day, routine.__name__)


def _is_workday(clock: Clock) -> bool:
    return clock.now.weekday() < 5


def _shop_refreshes(clock: Clock) -> Iterator[Record]:
    """The shop's managed identity reads its secrets every two hours."""
    for hour in range(0, 24, 2):
        clock.set(hour, clock.number(0, 4))
        yield challenge(SHOP, ORDERS, _SHOP_SECRETS[0], clock)
        for secret in _SHOP_SECRETS:
            clock.wait(0.05, 0.6)
            yield data_record(SHOP, Call("SecretGet", ORDERS, secret), clock)


def _receipts_are_signed(clock: Clock) -> Iterator[Record]:
    """The payment functions read two secrets every four hours and sign when there is trade."""
    for hour in range(0, 24, 4):
        clock.set(hour, clock.number(5, 9))
        yield challenge(SIGNER, PAYMENTS, PAYMENTS.secrets[0], clock)
        for secret in PAYMENTS.secrets[:2]:
            clock.wait(0.05, 0.6)
            yield data_record(SIGNER, Call("SecretGet", PAYMENTS, secret), clock)
    for hour in range(6, 22):
        for _ in range(clock.number(1, 3) if _is_workday(clock) else clock.number(0, 1)):
            clock.set(hour, clock.number(10, 29))
            yield data_record(SIGNER, Call("KeySign", PAYMENTS, PAYMENTS.keys[0]), clock)


def _gateway_looks_for_renewal(clock: Clock) -> Iterator[Record]:
    """The gateway fetches its certificate, as a secret, every four hours."""
    for hour in range(0, 24, 4):
        clock.set(hour, clock.number(20, 28))
        yield data_record(EDGE, Call("SecretGet", SHARED, SHARED.certificates[0]), clock)


def _inventory_visits(clock: Clock) -> Iterator[Record]:
    """Azure's own inventory looks at every vault four times a day."""
    for hour in (3, 9, 15, 21):
        for vault in VAULTS:
            clock.set(hour, clock.number(0, 29))
            yield vault_record(INVENTORY, "VaultGet", vault, clock)


def _backup_runs(clock: Clock) -> Iterator[Record]:
    """The backup job saves what the two production vaults hold, at night."""
    clock.set(1, clock.number(10, 14))
    for vault in (ORDERS, PAYMENTS):
        yield challenge(BACKUP, vault, vault.secrets[0], clock)
        clock.wait(0.1, 0.5)
        yield data_record(BACKUP, Call("SecretList", vault), clock)
        for secret in vault.secrets:
            clock.wait(0.3, 2)
            yield data_record(BACKUP, Call("SecretBackup", vault, secret), clock)
        clock.wait(0.3, 2)
        yield data_record(BACKUP, Call("KeyBackup", vault, vault.keys[0]), clock)
        clock.wait(1, 5)


def _deployments_roll_out(clock: Clock) -> Iterator[Record]:
    """The pipeline deploys three times a workday, and keeps the vault as its template says."""
    for hour in (8, 12, 16) if _is_workday(clock) else ():
        clock.set(hour, clock.number(30, 50))
        yield challenge(DEPLOYMENT, SHARED, SHARED.secrets[0], clock)
        for secret in SHARED.secrets[:3]:
            clock.wait(0.3, 1.5)
            yield data_record(DEPLOYMENT, Call("SecretGet", SHARED, secret), clock)
        name = f"payments-{clock.number(10000, 99999)}"
        yield from _act(clock, deployment("rg-payments-prod", name, CONTRIBUTOR))
        yield from _act(clock, vault_action("write", PAYMENTS, CONTRIBUTOR))
        yield vault_record(DEPLOYMENT, "VaultPut", PAYMENTS, clock)
        for site in (FUNCTIONS, SITE):
            yield from _act(clock, Action("Microsoft.Web/sites/write", site, CONTRIBUTOR))


def _act(clock: Clock, action: Action) -> Iterator[Record]:
    clock.wait(2, 20)
    yield from activity_records(DEPLOYMENT, action, clock)
    clock.wait(0.05, 0.2)


def _storage_keys_rotate(clock: Clock) -> Iterator[Record]:
    """On Mondays the pipeline renews a storage key and stores it in two vaults."""
    if clock.now.weekday() != 0:
        return
    clock.set(4, 30)
    name = "Microsoft.Storage/storageAccounts/regenerateKey/action"
    yield from _act(clock, Action(name, _STORAGE, CONTRIBUTOR))
    for vault in (ORDERS, DEVELOPMENT):
        clock.wait(1, 4)
        version = f"{clock.now:%Y-%m-%d}"
        call = Call("SecretSet", vault, "storage-key", version=version)
        yield data_record(DEPLOYMENT, call, clock)


def _telemetry_is_kept_up(clock: Clock) -> Iterator[Record]:
    """The pipeline writes the diagnostic settings of the vaults again, day after day."""
    clock.set(5, clock.number(0, 20))
    for vault in VAULTS:
        yield from _act(clock, diagnostics("write", vault, CONTRIBUTOR))


def _administrator_looks_around(clock: Clock) -> Iterator[Record]:
    """Nadia opens vaults in the portal, twice a workday; she looks at names, not at values."""
    for hour in (9, 14) if _is_workday(clock) else ():
        clock.set(hour, clock.number(0, 25))
        for vault in (ORDERS, clock.pick((PAYMENTS, SHARED))):
            yield vault_record(at_portal(NADIA), "VaultGet", vault, clock)
            clock.wait(1, 6)
            yield _browse(NADIA, "SecretList", vault, clock)
            clock.wait(5, 40)
            name = clock.pick(vault.secrets)
            yield _browse(NADIA, "SecretListVersions", vault, clock, name)
            clock.wait(20, 90)
        yield _browse(NADIA, "CertificateList", SHARED, clock)


def _administrator_changes_things(clock: Clock) -> Iterator[Record]:
    """Nadia tunes an alert rule every workday; once she lets Mei into the web site."""
    if not _is_workday(clock):
        return
    clock.set(11, clock.number(0, 50))
    tuned = Action("Microsoft.Insights/metricAlerts/write", _ALERT_RULE, OWNER)
    yield from activity_records(at_portal(NADIA), tuned, clock)
    if f"{clock.now:%m-%d}" == "01-07":
        clock.wait(60, 300)
        action = assignment("mei on the site", MEI, _SITE_CONTRIBUTOR, SITE, OWNER)
        yield from activity_records(at_portal(NADIA), action, clock)


def _browse(person: Person, operation: str, vault: Vault, clock: Clock, name: str = "") -> Record:
    return data_record(at_vault_pages(person), Call(operation, vault, name), clock)


def _jonas_develops(clock: Clock) -> Iterator[Record]:
    """Jonas runs the application on his machine, against the development vault."""
    yield from _develop(JONAS, clock)


def _mei_develops(clock: Clock) -> Iterator[Record]:
    """So does Mei."""
    yield from _develop(MEI, clock)


def _develop(person: Person, clock: Clock) -> Iterator[Record]:
    if not _is_workday(clock):
        return
    clock.set(8, clock.number(0, 40))
    yield vault_record(at_portal(person), "VaultGet", DEVELOPMENT, clock)
    clock.wait(1, 6)
    yield _browse(person, "SecretList", DEVELOPMENT, clock)
    for _ in range(clock.number(3, 6)):
        clock.wait(1200, 5400)
        yield challenge(at_debugger(person), DEVELOPMENT, DEVELOPMENT.secrets[0], clock)
        for secret in DEVELOPMENT.secrets:
            clock.wait(0.1, 0.8)
            yield data_record(at_debugger(person), Call("SecretGet", DEVELOPMENT, secret), clock)


def _exceptions_happen(clock: Clock) -> Iterator[Record]:
    """Legitimate work that a careful rule reports all the same: three times in two weeks."""
    match f"{clock.now:%m-%d}":
        case "01-08":
            clock.set(14, 37)
            yield _browse(NADIA, "SecretGet", ORDERS, clock, "smtp-password")
        case "01-13":
            clock.set(10, 12)
            denial = refused(_NO_POLICY)
            yield data_record(at_vault_pages(MEI), Call("SecretList", ORDERS, "", denial), clock)
        case "01-15":
            clock.set(15, 20)
            call = Call("SecretSet", ORDERS, "carrier-api-key", version="2")
            yield data_record(at_vault_pages(NADIA), call, clock)


_NO_POLICY = (
    f"The user, group or application 'appid={at_vault_pages(MEI).app};oid={MEI.oid}' does not "
    f"have secrets list permission on key vault '{ORDERS.name};location=westeurope'."
)

_ROUTINES: tuple[Callable[[Clock], Iterator[Record]], ...] = (
    _shop_refreshes,
    _receipts_are_signed,
    _gateway_looks_for_renewal,
    _inventory_visits,
    _backup_runs,
    _deployments_roll_out,
    _storage_keys_rotate,
    _telemetry_is_kept_up,
    _administrator_looks_around,
    _administrator_changes_things,
    _jonas_develops,
    _mei_develops,
    _exceptions_happen,
)
