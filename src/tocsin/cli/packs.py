"""`tocsin rules add` and `update`: rules and packs from elsewhere."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click
import orjson

from tocsin.cli.options import HELP
from tocsin.errors import UsageError
from tocsin.printable import printable, printable_lines
from tocsin.rules.packs import Pack, Staged, is_pack_source, pack_rules, packs_in, staged

_folder = click.option(
    "--to",
    "folder",
    default=Path("rules"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of rules; it is made if it is not there.",
)


@click.command("add", context_settings=HELP)
@click.argument("source")
@_folder
@click.option("--name", help="Name of a pack; default: the last part of SOURCE.")
@click.option("--path", help="The folder within SOURCE that is wanted of a pack.")
@click.option("--revision", metavar="REV", help="Branch, tag or commit of a git remote.")
def add(
    source: str, folder: Path, name: str | None, path: str | None, revision: str | None
) -> None:
    """Add a rule or a pack of rules to a folder.

    SOURCE is a file that holds rules, a page that quotes one, or a pack: a folder, a git remote, a
    zip or a tar. The state of a pack is pinned; tocsin rules update asks its source again.
    """
    if is_pack_source(source):
        with staged(source, folder, name=name, path=path, follows=revision) as coming:
            if coming.before:
                raise UsageError(f"{coming.place}: is there already; use tocsin rules update")
            pack = coming.take()
        _say_added(pack, folder)
    elif Path(source).is_file():
        _add_rule(Path(source), folder)
    else:
        raise UsageError(f"{source}: no such file, folder or git remote")


def _say_added(pack: Pack, folder: Path) -> None:
    place = folder / pack.name
    click.echo(printable(str(place)))
    count = len(pack_rules(place))
    click.echo(f"added {count:,} rules of {printable(_pinned(pack))}", err=True)
    click.echo(f"licence: {printable(pack.license)}", err=True)


def _pinned(pack: Pack) -> str:
    return f"{pack.name} at {pack.revision[:12]} ({pack.kind}, {pack.source})"


def _add_rule(file: Path, folder: Path) -> None:
    from tocsin.rules.add import add_rule, unreadable

    added = add_rule(file, folder)
    click.echo(printable_lines(str(added.path)))
    for rule in added.rules:
        click.echo(f"added {printable(rule.name)} ({rule.ecosystem}, {rule.kind})", err=True)
    for reason in unreadable(added):
        click.echo(f"cannot run: {printable(reason)}", err=True)


@click.command("update", context_settings=HELP)
@click.argument("names", nargs=-1, metavar="[PACK]…")
@_folder
@click.option("--revision", metavar="REV", help="Another branch, tag or commit to go to.")
@click.option("--yes", is_flag=True, help="Take what has changed without asking.")
@click.option("--texts", is_flag=True, help="Show how the texts of rules changed, too.")
def update(
    names: Sequence[str], folder: Path, revision: str | None, yes: bool, texts: bool
) -> None:
    """Say what has changed in packs, as meaning, and take it if that is wanted.

    Without names all packs are asked for. Where nobody can be asked nothing is taken without --yes.
    """
    packs = {pack.name: pack for pack in packs_in(folder)}
    for name in names:
        if name not in packs:
            raise UsageError(f"{folder}: has no pack {name!r}; known: {', '.join(packs) or 'none'}")
    if not packs:
        raise UsageError(f"{folder}: has no packs; tocsin rules add SOURCE adds one")
    for name in names or packs:
        pack = packs[name]
        follows = revision or pack.follows
        _update(replace(pack, follows=follows), folder, yes=yes, texts=texts)


def _update(pack: Pack, folder: Path, *, yes: bool, texts: bool) -> None:
    with staged(
        pack.source, folder, name=pack.name, path=pack.path, follows=pack.follows
    ) as coming:
        if not coming.is_new:
            click.echo(f"{printable(pack.name)}: unchanged at {pack.revision[:12]}", err=True)
            return
        _say_changes(pack, coming, texts=texts)
        if yes or (sys.stdin.isatty() and click.confirm("Take it?", err=True)):
            coming.take()
            click.echo(f"{printable(pack.name)}: now at {coming.pack.revision[:12]}", err=True)
        else:
            click.echo(f"{printable(pack.name)}: not taken; --yes takes it", err=True)


def _say_changes(pack: Pack, coming: Staged, *, texts: bool) -> None:
    from tocsin.catalog.diff import diff_lines, diff_packs, texts_below

    shown = texts_below(coming.place, coming.folder) if texts else None
    found = diff_packs(pack_rules(coming.place), pack_rules(coming.folder), shown)
    revisions = f"{pack.revision[:12]} → {coming.pack.revision[:12]}"
    click.echo(f"{printable(pack.name)}  {revisions}")
    if pack.license != coming.pack.license:
        click.echo(f"licence: {printable(pack.license)} → {printable(coming.pack.license)}")
    for line in diff_lines(found):
        click.echo(printable(line))


def print_packs(folders: Sequence[Path], form: str) -> None:
    """List the packs in folders of rules."""
    packs = [pack for folder in folders for pack in packs_in(folder)]
    if form == "json":
        records = [{"schema": 1, **asdict(pack)} for pack in packs]
        click.echo(orjson.dumps(records, option=orjson.OPT_INDENT_2).decode())
        return
    for pack in packs:
        click.echo(printable(_pinned(pack)))
        click.echo(f"    licence: {printable(pack.license)}")
    click.echo(f"{len(packs):,} packs", err=True)
