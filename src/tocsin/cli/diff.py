"""`tocsin rules diff`: what changed between two versions of rules, as meaning."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.cli.options import HELP
from tocsin.errors import UsageError
from tocsin.printable import printable
from tocsin.rules.model import Rule
from tocsin.rules.packs import files_at_revision, pack_rules

if TYPE_CHECKING:
    from tocsin.catalog.diff import PackDiff, Texts


@click.command("diff", context_settings=HELP)
@click.argument("before")
@click.argument("after", required=False)
@click.option("--git", "revisions", metavar="REV..REV", help="Two git revisions of one PATH.")
@click.option("--texts", is_flag=True, help="Show how the texts of rules changed, too.")
@click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
def command(before: str, after: str | None, revisions: str | None, texts: bool, form: str) -> None:
    """Say what changed between two rule files or packs, as meaning.

    BEFORE and AFTER are files or folders; PATH@REV is one as it was at a git revision. With --git
    REV..REV one PATH is enough.
    """
    from tocsin.catalog.diff import diff_lines, diff_record, texts_below

    old, new = _sides(before, after, revisions)
    with _files(old) as one, _files(new) as other:
        shown = texts_below(one, other) if texts or form == "json" else None
        found = _diff(one, other, shown)
    if form == "json":
        click.echo(orjson.dumps(diff_record(found), option=orjson.OPT_INDENT_2).decode())
        return
    for line in diff_lines(found):
        click.echo(printable(line))
    counts = f"{len(found.added):,} added, {len(found.removed):,} removed"
    changed = f"{len(found.changed):,} changed, {len(found.reworded):,} reworded"
    click.echo(f"{counts}, {changed}, {found.same:,} the same", err=True)


def _sides(before: str, after: str | None, revisions: str | None) -> tuple[str, str]:
    if revisions is not None:
        old, dots, new = revisions.partition("..")
        if after is not None or not dots or not old:
            raise UsageError("--git takes REV..REV and one PATH")
        return f"{before}@{old}", f"{before}@{new}" if new else before
    if after is None:
        raise UsageError("name two versions: BEFORE AFTER, or PATH --git REV..REV")
    return before, after


@contextmanager
def _files(side: str) -> Iterator[Path]:
    """Return where the files of one side are; those of a revision are written for a while."""
    path, at, revision = side.rpartition("@")
    if Path(side).exists() or not at:
        if not Path(side).exists():
            raise UsageError(f"{side}: no such rule file or folder")
        yield Path(side)
        return
    with files_at_revision(Path(path), revision) as folder:
        yield folder


def _diff(one: Path, other: Path, shown: "Texts | None") -> "PackDiff":
    from tocsin.catalog.diff import diff_packs

    old, new = _rules(one), _rules(other)
    if len(old) == len(new) == 1 and old[0].id != new[0].id:
        return diff_packs(old, [_as(new[0], old[0])], shown)
    return diff_packs(old, new, shown)


def _as(rule: Rule, other: Rule) -> Rule:
    return replace(rule, id=other.id)


def _rules(path: Path) -> tuple[Rule, ...]:
    found = pack_rules(path)
    if not found:
        raise UsageError(f"{path}: holds no rules")
    return found
