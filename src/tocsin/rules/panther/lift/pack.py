"""Lift the rules of a pack for each of their log types, from a cache where nothing has changed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import orjson

from tocsin import __version__
from tocsin.beside import in_halves
from tocsin.caching import cache_folder, read_checked, write_checked
from tocsin.errors import RuleError
from tocsin.rules.codec import decode_condition, encode_condition
from tocsin.rules.load import quiet_gc
from tocsin.rules.model import LogTypes, Rule
from tocsin.rules.panther.kinds import WITH_PYTHON
from tocsin.rules.panther.lift.apply import forget_applied
from tocsin.rules.panther.lift.lifted import Lifted, Tier, lift
from tocsin.rules.panther.lift.logic import forget_joined
from tocsin.rules.panther.lift.modules import DataModel, Library
from tocsin.rules.panther.lift.nodes import forget, known
from tocsin.rules.panther.lift.paths import forget_reads
from tocsin.rules.panther.pack import (
    helpers_among,
    models_among,
    read_document,
    read_python,
)

FORMAT = 1
MANY = 100
"""Rules from which on a second process lifts half of them."""
ANY_LOG_TYPE = ""
"""The log type of rules that name none."""


@dataclass(frozen=True)
class Parts:
    """What rules of a pack are lifted with: the texts of its helpers, and data models."""

    helpers: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, DataModel] = field(default_factory=dict)
    """By log type."""
    others: tuple[str, ...] = ()
    """The texts of all its rules: what one of them changes in a helper, others see."""

    @cached_property
    def library(self) -> Library:
        """Return the helpers, parsed once."""
        return Library(self.helpers, self.others)

    @cached_property
    def digest(self) -> str:
        """Return what tells these parts and this code from others."""
        models = {name: [one.mappings, one.source] for name, one in self.models.items()}
        data = [dict(self.helpers), models, self.others, FORMAT, __version__, _code_state()]
        return _digest(data)


def _digest(data: Any) -> str:
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _code_state() -> list[list[Any]]:
    package = Path(__file__).parents[3]
    patterns = ("rules/panther/lift/*.py", "python/*.py", "condition/*.py")
    modules = sorted(module for pattern in patterns for module in package.glob(pattern))
    return [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in modules]


def read_parts(parts: Sequence[Rule], rules: Iterable[Rule] = ()) -> Parts:
    """Read helpers and data models among the parts of a pack, and the rules that share them."""
    helpers = {name: _source(part) or "" for name, part in helpers_among(parts).items()}
    models: dict[str, DataModel] = {}
    for part, named, mappings in models_among(parts):
        model = DataModel(mappings, _source(part) if read_document(part).get("Filename") else None)
        for log_type in named:
            models.setdefault(log_type, model)
    return Parts(helpers, models, tuple(text for rule in rules if (text := _source(rule))))


def _source(rule: Rule) -> str | None:
    try:
        return read_python(rule)
    except RuleError:
        return None


def log_types(rule: Rule) -> list[str]:
    """Return the log types that a rule is for; `ANY_LOG_TYPE` where it names none."""
    scopes = (one.scope for one in rule.inputs)
    named = [name for scope in scopes if isinstance(scope, LogTypes) for name in scope.names]
    return named or [ANY_LOG_TYPE]


def lift_rule(rule: Rule, parts: Parts) -> dict[str, Lifted]:
    """Lift a rule for each of its log types; raises `RuleError` if its Python cannot be read."""
    source = read_python(rule)
    function = "policy" if rule.kind == "policy" else "rule"
    found: dict[str, Lifted] = {}
    by_model: dict[int, Lifted] = {}
    for log_type in log_types(rule):
        model = parts.models.get(log_type) if rule.kind == "python" else None
        made = by_model.get(id(model)) or next(
            (one for one in by_model.values() if not one.asks_model), None
        )
        if made is None:
            made = lift(source, parts.library, model, function=function)
        by_model[id(model)] = found[log_type] = made
    return found


def lift_rules(rules: Sequence[Rule], parts: Parts) -> dict[str, dict[str, Lifted]]:
    """Lift rules by their keys; those whose Python cannot be read are left out.

    What was lifted before is taken from the cache (`tocsin.caching`), as long as neither the rule
    nor the parts nor this code have changed.
    """
    folder = cache_folder()
    path = folder / f"lifted-{parts.digest[:32]}.json" if folder else None
    stored = _read(path) if path else {}
    keys: dict[str, str] = {}
    for rule in rules:
        source = _source(rule) if rule.kind in WITH_PYTHON else None
        if source is not None:
            keys[rule.key] = _digest([rule.kind, source, log_types(rule)])
    fresh = [rule for rule in rules if rule.key in keys and keys[rule.key] not in stored]
    made = in_halves(partial(_lift, replace(parts)), fresh, least=MANY)
    with quiet_gc():
        new = {keys[rule.key]: orjson.loads(data) for rule, data in zip(fresh, made, strict=True)}
        entry = stored | new
        found = {rule: decode_lifted(entry[key]) for rule, key in keys.items()}
    if path and new:
        write_checked(path, orjson.dumps(entry))
    return found


def _lift(parts: Parts, rules: Sequence[Rule]) -> list[bytes]:
    """Lift rules, and return what each was lifted to as JSON."""
    constants = known()
    with quiet_gc():
        made = [orjson.dumps(encode_lifted(lift_rule(rule, parts))) for rule in rules]
        forget(constants)
        for forgets in (forget_applied, forget_joined, forget_reads):
            forgets()
    return made


def _read(path: Path) -> dict[str, Any]:
    data = read_checked(path)
    try:
        found = orjson.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def encode_lifted(lifted: Mapping[str, Lifted]) -> Any:
    """Turn what a rule was lifted to into JSON data; equal results are written once."""
    distinct = list({id(one): one for one in lifted.values()}.values())
    numbers = {id(one): at for at, one in enumerate(distinct)}
    data = [
        [encode_condition(one.condition), one.exact, one.tier.value, one.obstacles,
         dict(one.texts), dict(one.untold), one.asks_model]
        for one in distinct
    ]  # fmt: skip
    return [data, {log_type: numbers[id(one)] for log_type, one in lifted.items()}]


def decode_lifted(data: Any) -> dict[str, Lifted]:
    """Turn JSON data back into what a rule was lifted to, by log type."""
    results, log_types = data
    made = [
        Lifted(
            decode_condition(condition), exact, Tier(tier), tuple(obstacles), texts, untold, asks
        )
        for condition, exact, tier, obstacles, texts, untold, asks in results
    ]
    return {log_type: made[at] for log_type, at in log_types.items()}
