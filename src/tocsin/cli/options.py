"""Options that several commands share."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tocsin.errors import UsageError
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType, generic
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import RuleSet
from tocsin.rules.select import parse_where
from tocsin.times import parse_time

F = TypeVar("F", bound=Callable[..., Any])


def rule_options(function: F) -> F:
    """Add the options that say how rules are read and which of them are meant."""
    for option in reversed(_RULE_OPTIONS):
        function = option(function)
    return function


_RULE_OPTIONS = (
    click.option(
        "--pipeline",
        "pipelines",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        multiple=True,
        help="pySigma processing pipeline to apply to Sigma rules; repeats.",
    ),
    click.option(
        "--placeholders",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="YAML file: values for the %placeholders% of Sigma's expand modifier.",
    ),
    click.option("--where", default="", help="Only rules that fit, e.g. 'tag:azure -id:…'."),
)


def load(
    paths: Sequence[Path], pipelines: Sequence[Path], placeholders: Path | None, where: str
) -> RuleSet:
    """Load rules, from the cache where it holds them, and choose among them."""
    from tocsin.rules.cache import load_rules_cached

    chooser = parse_where(where)
    loaded = load_rules_cached(paths, LoadOptions(tuple(pipelines), placeholders))
    return RuleSet(tuple(rule for rule in loaded.rules if chooser(rule)), loaded.skipped)


def parse_moment(name: str, text: str | None) -> datetime | None:
    """Read a time given on the command line; raise `UsageError` for none."""
    if text is None:
        return None
    when = parse_time(text)
    if when is None:
        raise UsageError(f"{name} {text!r} is no time; write 2026-01-02 or 2026-01-02T03:04:05Z")
    return when


def choose_log_types(name: str | None) -> tuple[LogType, ...]:
    """Return the log types records may be: all, the one named, or one made for a Sigma source."""
    known = load_log_types()
    if name is None:
        return known
    found = tuple(one for one in known if one.name == name)
    if found:
        return found
    if "/" not in name:
        names = ", ".join(one.name for one in known)
        raise UsageError(
            f"--log-type {name!r}: no such log type; known: {names}; "
            "or a Sigma log source as product/category/service, with empty parts"
        )
    parts = [part or None for part in name.split("/")]
    if len(parts) > 3:
        raise UsageError(f"--log-type {name!r}: write product/category/service")
    product, category, service = (*parts, None, None)[:3]
    return (generic(product, category, service),)
