"""Who and what the demo is about: vaults, people and programs, made up and always the same.

Addresses come from the ranges reserved for documentation (RFC 5737), names from `.example`.
The ids of Microsoft's own client applications are the real, public ones.
"""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID, uuid5

_NAMES = UUID("6f6d2a9e-52c6-4d7a-9a86-3f0c5b1a7d42")


def guid(name: str) -> str:
    """Return the id that stands for a name: the same one on every run and machine."""
    return str(uuid5(_NAMES, name))


TENANT = guid("tenant ridgeline.example")
SUBSCRIPTION = guid("subscription ridgeline production")

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
PORTAL_VAULT_PAGES = "3686488a-04fc-4d8a-b967-61f98ec41efe"
VISUAL_STUDIO = "872cd9fa-d31f-45e0-9eab-6e460a02d1f1"


def group_path(group: str) -> str:
    """Return the resource id of a resource group."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"


@dataclass(frozen=True, slots=True)
class Vault:
    """A key vault, what it holds, and who may reach it."""

    name: str
    group: str
    secrets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    by_roles: bool = False
    """Roles decide what a caller may do; else the vault's own access policies."""
    network: str | None = None
    """What the vault's firewall does with an address that it does not list, if it has one."""

    @property
    def path(self) -> str:
        """The resource id, as the management API writes it."""
        return f"{group_path(self.group)}/providers/Microsoft.KeyVault/vaults/{self.name}"

    @property
    def url(self) -> str:
        """The address of the data plane, without a slash at the end."""
        return f"https://{self.name}.vault.azure.net"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the tenant."""

    given_name: str
    surname: str

    @property
    def upn(self) -> str:
        """The sign-in name."""
        return f"{self.given_name}.{self.surname}@ridgeline.example".lower()

    @property
    def oid(self) -> str:
        """The object id in the directory."""
        return guid(f"person {self.upn}")


@dataclass(frozen=True, slots=True)
class Program:
    """A service principal; with a `resource`, the managed identity of that resource."""

    name: str
    resource: str | None = None

    @property
    def oid(self) -> str:
        """The object id in the directory."""
        return guid(f"principal {self.name}")


@dataclass(frozen=True, slots=True)
class Role:
    """An Azure role that somebody holds on a scope."""

    name: str
    id: str
    scope: str


Principal: TypeAlias = Person | Program


@dataclass(frozen=True, slots=True)
class Session:
    """A principal at work: from where, with which client, under which application."""

    who: Principal
    address: str
    client: str
    app: str
    methods: str = "pwd,mfa"


ORDERS = Vault(
    name="ridgeline-orders",
    group="rg-orders-prod",
    secrets=(
        "sql-connection",
        "redis-connection",
        "servicebus-connection",
        "storage-key",
        "jwt-signing-secret",
        "webhook-secret",
        "carrier-api-key",
        "smtp-password",
        "maps-api-key",
        "search-admin-key",
        "erp-password",
        "sftp-passphrase",
        "analytics-token",
        "invoice-api-key",
    ),
    keys=("data-protection",),
)
PAYMENTS = Vault(
    name="ridgeline-payments",
    group="rg-payments-prod",
    secrets=("acquirer-api-key", "ledger-connection", "fraud-api-key", "callback-secret"),
    keys=("receipt-signing",),
    by_roles=True,
    network="Deny",
)
SHARED = Vault(
    name="ridgeline-shared",
    group="rg-platform",
    secrets=("registry-password", "deploy-token", "dns-api-token", "alert-webhook"),
    certificates=("wildcard-ridgeline-example",),
)
DEVELOPMENT = Vault(
    name="ridgeline-dev",
    group="rg-dev",
    secrets=(
        "sql-connection",
        "redis-connection",
        "servicebus-connection",
        "storage-key",
        "jwt-signing-secret",
        "webhook-secret",
    ),
)
VAULTS = (ORDERS, PAYMENTS, SHARED, DEVELOPMENT)

NADIA = Person("Nadia", "Okafor")
JONAS = Person("Jonas", "Lindqvist")
MEI = Person("Mei", "Tanaka")

SITE = f"{group_path('rg-orders-prod')}/providers/Microsoft.Web/sites/ridgeline-orders-web"
FUNCTIONS = f"{group_path('rg-payments-prod')}/providers/Microsoft.Web/sites/ridgeline-payments-fn"
GATEWAY = (
    f"{group_path('rg-platform')}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/ridgeline-gateway"
)

_BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
)
_COMMAND_LINE = (
    "AZURECLI/2.67.0 (DEB) azsdk-python-core/1.31.0 Python/3.12.7 "
    "(Linux-{kernel}-x86_64-with-glibc2.39)"
)
_OFFICE = "192.0.2.24"


def _program(program: Program, address: str, client: str) -> Session:
    return Session(program, address, client, guid(f"app {program.name}"))


def at_vault_pages(person: Person) -> Session:
    """Return a person who looks into a vault in the portal, at the office."""
    return Session(person, _OFFICE, _BROWSER, PORTAL_VAULT_PAGES)


def at_portal(person: Person) -> Session:
    """Return a person who manages resources in the portal, at the office."""
    return Session(person, _OFFICE, _BROWSER, PORTAL)


def at_debugger(person: Person) -> Session:
    """Return a person who runs the application on the own machine, at the office."""
    client = "azsdk-net-Security.KeyVault.Secrets/4.7.0 (.NET 8.0.11; Microsoft Windows 10.0.22631)"
    return Session(person, _OFFICE, client, VISUAL_STUDIO)


SHOP = _program(
    Program("ridgeline-orders-web", SITE),
    "198.51.100.20",
    "azsdk-net-Security.KeyVault.Secrets/4.7.0 (.NET 8.0.11; Microsoft Windows 10.0.20348)",
)
SIGNER = _program(
    Program("ridgeline-payments-fn", FUNCTIONS),
    "198.51.100.36",
    "azsdk-js-keyvault-keys/4.9.0 core-rest-pipeline/1.18.0 Node/20.18.1 OS/(x64-Linux-5.15.0)",
)
EDGE = _program(Program("ridgeline-gateway", GATEWAY), "198.51.100.52", "Microsoft-Azure-AppGW/1.0")
DEPLOYMENT = _program(
    Program("ridgeline-deploy"),
    "198.51.100.68",
    _COMMAND_LINE.format(kernel="5.15.0-1084-azure"),
)
BACKUP = _program(
    Program("ridgeline-backup"),
    "198.51.100.84",
    "azsdk-python-keyvault-secrets/4.9.0 Python/3.12.7 (Linux-6.8.0-49-generic-x86_64)",
)
INVENTORY = _program(
    Program("resource-graph"),
    "198.51.100.132",
    "AzureResourceGraph.IngestionWorkerService.global/1.24.1.530",
)
INTRUDER = Session(
    JONAS, "203.0.113.77", _COMMAND_LINE.format(kernel="6.8.0-49-generic"), AZURE_CLI, "pwd"
)

CONTRIBUTOR = Role(
    "Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", f"/subscriptions/{SUBSCRIPTION}"
)
OWNER = Role("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", f"/subscriptions/{SUBSCRIPTION}")
