"""Options that several commands share."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tocsin.errors import UsageError
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import Rule, RuleSet
from tocsin.rules.select import parse_where
from tocsin.times import PLAIN_CLOCK, Clock, parse_time, read_zone

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""The context settings of every command."""

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


zone_option = click.option(
    "--tz",
    metavar="ZONE",
    help="Zone of event times that name none: Europe/Berlin, +02:00. Default: UTC.",
)


def load(
    paths: Sequence[Path], pipelines: Sequence[Path], placeholders: Path | None, where: str
) -> RuleSet:
    """Load rules, from the cache where it holds them, and choose among them."""
    from tocsin.rules.cache import load_rules_cached

    chooser = parse_where(where)
    loaded = load_rules_cached(paths, LoadOptions(tuple(pipelines), placeholders))
    return RuleSet(tuple(filter(chooser, loaded.rules)), loaded.skipped, loaded.parts)


def parse_clock(text: str | None) -> Clock:
    """Read the zone of times that name none; raise `UsageError` for what is no zone."""
    if text is None:
        return PLAIN_CLOCK
    zone = read_zone(text)
    if zone is None:
        raise UsageError(f"--tz {text!r} is no time zone; write Europe/Berlin, UTC or +02:00")
    return Clock(zone)


def find(
    wanted: str,
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
) -> tuple[Rule, ...]:
    """Find the rules of an id or name below some paths, without decoding the others."""
    from tocsin.rules.cache import RuleIndex

    chooser = parse_where(where)
    index = RuleIndex(paths, LoadOptions(tuple(pipelines), placeholders))
    return tuple(filter(chooser, index.find(wanted)))


def parse_moment(name: str, text: str | None) -> datetime | None:
    """Read a time given on the command line; raise `UsageError` for none."""
    if text is None:
        return None
    when = parse_time(text)
    if when is None:
        raise UsageError(f"{name} {text!r} is no time; write 2026-01-02 or 2026-01-02T03:04:05Z")
    return when
