"""`tocsin catalog`: search what rules look for, and build a site of it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.cli.options import HELP, rule_options
from tocsin.errors import UsageError
from tocsin.printable import printable
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import Rule

if TYPE_CHECKING:
    from tocsin.catalog.search import Found
    from tocsin.pages.catalog.frame import NamedMatrix

_packs = click.option(
    "-r",
    "--rules",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rule file or folder; repeats. Default: the packs that ship with Tocsin.",
)


@click.group("catalog", context_settings=HELP)
def command() -> None:
    """Search rules of all ecosystems, and build a site of them."""


@command.command("search", context_settings=HELP)
@click.argument("query", nargs=-1)
@_packs
@rule_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Rules shown.")
@click.option("--facets", is_flag=True, help="Count what was found, by ecosystem and so on.")
@click.option(
    "-f", "--format", "form", default="table", type=click.Choice(["table", "json"]),
    show_default=True,
)  # fmt: skip
def search(
    query: Sequence[str],
    packs: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    limit: int,
    facets: bool,
    form: str,
) -> None:
    """Search rules: words, "phrases", prefixes* and FIELD:VALUE, as --where has them.

    Several arguments are one query.
    """
    from tocsin.catalog.index import open_index
    from tocsin.catalog.search import Searcher

    options = LoadOptions(tuple(pipelines), placeholders)
    index = open_index(packs or shipped_packs(), options, _progress)
    found = Searcher(index).search(" ".join((*query, where)).strip(), count=limit)
    if form == "json":
        click.echo(orjson.dumps(found_record(found), option=orjson.OPT_INDENT_2).decode())
        return
    print_found(found, facets)


def shipped_packs() -> tuple[Path, ...]:
    """Return the packs that ship with Tocsin."""
    import tocsin.content

    return (Path(tocsin.content.__path__[0]) / "packs",)


def _progress(text: str) -> None:
    click.echo(f"{text} …", err=True)


def found_record(found: "Found") -> Mapping[str, object]:
    """Return what a search found as a record."""
    return {
        "schema": 1,
        "total": found.total,
        "rules": [
            {**hit.facts, "severity": hit.severity.value, "excerpt": _plain(hit.excerpt)}
            for hit in found.hits
        ],
        "facets": {name: dict(counts) for name, counts in found.facets.items()},
    }


def _plain(excerpt: str) -> str:
    from tocsin.catalog.search import MARK, UNMARK

    return excerpt.replace(MARK, "").replace(UNMARK, "")


def print_found(found: "Found", facets: bool) -> None:
    """Print rules, two lines each at most, and counts."""
    for hit in found.hits:
        facts = hit.facts
        click.echo(
            f"{hit.severity.value:13} {facts['ecosystem']:8} {printable(str(facts['name']))}"
            f"  ({printable(str(facts['address']))})"
        )
        if hit.excerpt:
            click.echo(f"{'':23}{_marked(hit.excerpt)}")
    shown = f", {len(found.hits):,} of them shown" if len(found.hits) < found.total else ""
    click.echo(f"{found.total:,} rules{shown}", err=True)
    if facets:
        _print_facets(found)


def _print_facets(found: "Found") -> None:
    from tocsin.catalog.search import FACETS

    for name, counts in found.facets.items():
        if counts:
            listed = ", ".join(f"{printable(text)} {count:,}" for text, count in counts[:10])
            click.echo(f"{FACETS[name]:14} {listed}", err=True)


def _marked(excerpt: str) -> str:
    from tocsin.catalog.search import MARK, UNMARK

    on, off = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    safe = printable(" ".join(excerpt.split()).replace(MARK, "\ue000").replace(UNMARK, "\ue001"))
    return safe.replace("\ue000", on).replace("\ue001", off)


@command.command("build", context_settings=HELP)
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write the site into.",
)
@_packs
@rule_options
@click.option(
    "--license",
    "licences",
    multiple=True,
    help="Only rules under this licence, or `open`: any that lets copies be published; repeats.",
)
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log file or folder: a second matrix of the rules that can run on it; repeats.",
)
@click.option(
    "--alerts",
    type=click.Path(path_type=Path),
    help="Alerts as NDJSON: another matrix, of these alerts.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes. Default: one per core.")
def build(
    folder: Path,
    packs: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    licences: Sequence[str],
    logs: Sequence[Path],
    alerts: Path | None,
    workers: int | None,
) -> None:
    """Build a site of plain files that any web server can show."""
    from tocsin.catalog.build import load_catalogue
    from tocsin.pages.catalog.site import build_site

    options = LoadOptions(tuple(pipelines), placeholders)
    loaded = load_catalogue(packs or shipped_packs(), options, where, licences)
    if not loaded.entries:
        raise UsageError("no rules are left; see --where and --license")
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        if sys.stderr.isatty():
            click.echo(f"\r{done:,} of {len(loaded.entries):,} rules", err=True, nl=False)

    more = list(_matrices([entry.rule for entry in loaded.entries], logs, alerts))
    files = build_site(
        loaded.entries, loaded.roots, folder, more=more, workers=workers, progress=progress
    )
    left = f", {loaded.left_out:,} left out for their licence" if loaded.left_out else ""
    click.echo(f"\r{len(loaded.entries):,} rules, {files:,} files in {folder}{left}", err=True)


def _matrices(
    rules: Sequence[Rule], logs: Sequence[Path], alerts: Path | None
) -> Iterator["NamedMatrix"]:
    """Yield the matrices that are wanted beside that of all rules."""
    from tocsin.catalog.matrix import make_matrix
    from tocsin.catalog.named import named_alerts, named_rules
    from tocsin.pages.catalog.frame import NamedMatrix
    from tocsin.run.runnable import runnable

    if logs:
        found = runnable(rules, logs)
        for problem in found.problems:
            click.echo(f"not read: {printable(problem)}", err=True)
        lead = "Rules that run, on log types and fields that the given logs hold."
        matrix = make_matrix(named_rules(found.rules))
        yield NamedMatrix("logs", "Can run on these logs", ("rule", "rules"), lead, matrix)
    if alerts:
        lead = "Alerts that were raised."
        matrix = make_matrix(named_alerts(alerts))
        yield NamedMatrix("alerts", "Alerts", ("alert", "alerts"), lead, matrix)
