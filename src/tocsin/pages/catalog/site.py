"""The static site: plain files that any web server, or none, can show from any folder."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from tocsin.catalog.addresses import by_uuid
from tocsin.catalog.counts import Corpus
from tocsin.catalog.entries import Entry
from tocsin.catalog.record import entry_record
from tocsin.errors import UsageError
from tocsin.pages.catalog.frame import NamedMatrix, Pack, Site, render
from tocsin.pages.catalog.overview import overview_files
from tocsin.pages.catalog.rule_page import make_rule_page
from tocsin.pages.render import static_text

CHUNK = 100
"""Rules whose pages one process makes at a time."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What the processes that make pages share."""

    corpus: Corpus
    site: Site
    folder: Path


_job: _Job | None = None


def build_site(
    entries: Sequence[Entry],
    roots: Mapping[str, Path],
    folder: Path,
    *,
    more: Sequence[NamedMatrix] = (),
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the site of some entries into a folder; return how many files it has.

    `roots` are where packs were read from, `more` are matrices beside that of all rules. Files of
    an older site are written over, those of rules that are gone are removed.
    """
    _make_folder(folder)
    site = Site(len(entries), tuple(_packs(entries, roots)))
    corpus = Corpus(entries)
    job = _Job(corpus, site, folder)
    written = {*_write_all(_static(), folder), *_write_all(_aliases(job), folder)}
    written |= _write_all(overview_files(corpus, site, more), folder)
    for done in _rule_pages(job, workers or _cores()):
        written |= done
        if progress:
            progress(len(done) // 2)
    _forget(folder, written)
    return len(written)


def _make_folder(folder: Path) -> None:
    """Make the folder; one that holds other things is not written into."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is no folder")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / _MARK).exists():
        raise UsageError(f"{folder}: holds other files; name an empty folder, or a catalogue's")
    (folder / _MARK).write_text("Files in this folder were written by tocsin catalog build.\n")


_MARK = ".tocsin-catalogue"


def _packs(entries: Sequence[Entry], roots: Mapping[str, Path]) -> Iterator[Pack]:
    for name in dict.fromkeys(entry.rule.pack for entry in entries):
        own = [entry for entry in entries if entry.rule.pack == name]
        licences = Counter(entry.licence for entry in own)
        yield Pack(
            name,
            str(roots.get(name, "")),
            len(own),
            tuple(licence or "not stated" for licence, _ in licences.most_common()),
            tuple(dict.fromkeys(entry.rule.ecosystem for entry in own)),
            sum(entry.checked.verdict.value != "cannot" for entry in own),
        )


def _rule_pages(job: _Job, workers: int) -> Iterator[set[str]]:
    global _job
    _job = job
    chunks = [range(at, min(at + CHUNK, job.site.rules)) for at in range(0, job.site.rules, CHUNK)]
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(_write_chunk, chunks)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap_unordered(_write_chunk, chunks)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_chunk(numbers: range) -> set[str]:
    assert _job is not None
    pages = (page for number in numbers for page in _rule_files(_job, _job.corpus.entries[number]))
    return _write_all(pages, _job.folder)


def _rule_files(job: _Job, entry: Entry) -> Iterator[tuple[str, bytes]]:
    page = make_rule_page(entry, job.corpus)
    place = f"rules/{entry.address}"
    yield f"{place}.html", render("rule", job.site, place, page=page)
    related = [one for group in page.related for one in group.rules]
    yield f"{place}.json", _twin(entry_record(entry, job.corpus, related), job.site)


def _twin(record: Mapping[str, object], site: Site) -> bytes:
    """Write a record with paths as they are inside their packs."""
    return site.shown(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode()).encode()


def _aliases(job: _Job) -> Iterator[tuple[str, bytes]]:
    """Yield a page for every UUID, that leads to the rules that have it."""
    known = {entry.address: entry for entry in job.corpus.entries}
    pairs = ((entry.rule.id, entry.address) for entry in job.corpus.entries)
    for uuid, addresses in by_uuid(pairs).items():
        place = f"rule/{uuid}"
        entries = [known[address] for address in addresses]
        yield f"{place}.html", render("alias", job.site, place, entries=entries, uuid=uuid)


def _static() -> Iterator[tuple[str, bytes]]:
    style = static_text("tokens.css") + static_text("catalogue.css")
    yield "static/catalogue.css", style.encode()
    for name in ("page.js", "search.js", "icon.svg"):
        yield f"static/{name}", static_text(name).strip().encode() + b"\n"


def _write_all(files: Iterable[tuple[str, bytes]], folder: Path) -> set[str]:
    written = set()
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.add(name)
    return written


def _forget(folder: Path, written: set[str]) -> None:
    """Remove the pages of an older site that this one has not."""
    for above in ("rules", "rule", "attack", "operations", "packs"):
        for path in (folder / above).rglob("*.*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in written:
                path.unlink()
