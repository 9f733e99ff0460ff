"""Bridges: one log type's events under the operation names that rules of another look for.

Azure never writes data-plane actions such as `Microsoft.KeyVault/vaults/secrets/getSecret/action`
to the activity log, where rules expect them: Key Vault logs a `SecretGet` in its AuditEvent log. A
bridge is a table between the two, read from `logs/bridges/*.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from tocsin.condition.functions import fold
from tocsin.errors import LogTypeError, UsageError
from tocsin.logs.mapping import Expr, Name, Table
from tocsin.yamltext import Yaml, read_yaml

OPERATION = "operationName"
"""The Sigma name under which the events' log type declares their operation."""

_KEYS = {"name", "title", "from", "to", "names", "operations", "written"}


@dataclass(frozen=True, slots=True)
class Bridge:
    """A table between the operations of two log types."""

    name: str
    title: str
    source: str
    """The log type of the events."""
    target: str
    """The log type that the rules are written for."""
    names: tuple[str, ...]
    """The Sigma names by which rules read the operation."""
    operations: Mapping[str, tuple[str, ...]]
    """Operation of an event → the actions it exercises; none if it has no counterpart."""
    written: tuple[str, ...] = ()
    """The actions among them that `target` records itself."""

    @property
    def actions(self) -> frozenset[str]:
        """Every action that some operation exercises, folded."""
        return frozenset(fold(action) for actions in self.operations.values() for action in actions)

    def events_of(self, action: str) -> tuple[str, ...]:
        """Return the operations that exercise an action, ignoring case, in the table's order."""
        wanted = fold(action)
        return tuple(
            operation
            for operation, actions in self.operations.items()
            if wanted in map(fold, actions)
        )

    def expressions(self) -> dict[str, Expr]:
        """Return what the bridged names mean on an event: folded name → expression over its names.

        An operation that is not in the table reads as itself, one without counterpart as absent.
        """
        translated = Table(Name(OPERATION), tuple(self.operations.items()))
        return {fold(name): translated for name in self.names}


@cache
def bridge_names() -> tuple[str, ...]:
    """Return the names of the bridges that ship with Tocsin."""
    return tuple(sorted(_shipped()))


@cache
def load_bridge(name: str) -> Bridge:
    """Load a shipped bridge; raise `UsageError` with the known names if there is none such."""
    file = _shipped().get(name)
    if file is None:
        known = ", ".join(bridge_names())
        raise UsageError(f"{name!r} is no bridge; known: {known}")
    return parse_bridge(file.read_text("utf-8"), file.name)


def parse_bridge(text: str, source: str) -> Bridge:
    """Read one bridge file; raise `LogTypeError` with the file and the key that is wrong."""
    try:
        data = read_yaml(text)
    except ValueError as error:
        raise LogTypeError(f"{source}: not YAML: {error}") from None
    top = _map(data, f"{source}: the file")
    if wrong := sorted(_KEYS ^ top.keys()):
        raise LogTypeError(f"{source}: {wrong[0]!r} is missing or not known")
    operations = _map(top["operations"], f"{source}: operations")
    return Bridge(
        name=_text(top["name"], f"{source}: name"),
        title=_text(top["title"], f"{source}: title"),
        source=_text(top["from"], f"{source}: from"),
        target=_text(top["to"], f"{source}: to"),
        names=_texts(top["names"], f"{source}: names"),
        operations={
            operation: _texts(actions, f"{source}: operations.{operation}")
            for operation, actions in operations.items()
        },
        written=_texts(top["written"], f"{source}: written"),
    )


def _shipped() -> dict[str, Traversable]:
    folder = files("tocsin.logs") / "bridges"
    found = (file for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {file.name.removesuffix(".yaml"): file for file in found}


def _map(data: Yaml, where: str) -> dict[str, Yaml]:
    if isinstance(data, dict) and all(isinstance(key, str) for key in data):
        return data
    raise LogTypeError(f"{where}: needs a mapping with text keys")


def _texts(data: Yaml, where: str) -> tuple[str, ...]:
    if not isinstance(data, list):
        raise LogTypeError(f"{where}: needs a list")
    return tuple(_text(item, where) for item in data)


def _text(data: Yaml, where: str) -> str:
    if isinstance(data, str) and data:
        return data
    raise LogTypeError(f"{where}: needs text")
