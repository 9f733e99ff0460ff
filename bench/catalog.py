"""How long the catalogue takes: its index, cold and warm, and queries.

    python -m bench.catalog PACK… [--rules N]

Rules are copied under other ids until there are N. Times are of the processor; those of queries
are over 200 runs of each.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tocsin.catalog.build import load_catalogue
from tocsin.catalog.entries import Entry
from tocsin.catalog.index import build_index
from tocsin.catalog.search import Searcher

QUERIES = (
    "",
    "powershell",
    "the",
    '"key vault"',
    "rundll*",
    "value:rundll32.exe",
    "value:ll",
    "field:*image value:cmd.exe severity>=high",
    "ecosystem:elastic tactic:TA0006 field:process.name has:test",
    "ecosystem:sigma,elastic severity:high,critical platform:windows",
    "-ecosystem:sigma azure changed>=2025",
    "technique:T1059 author:roth",
)
RUNS = 200


def many(entries: Sequence[Entry], wanted: int) -> list[Entry]:
    """Return as many entries as are wanted, copies under addresses of their own."""
    found = list(entries)
    while len(found) < wanted:
        number = len(found)
        one = entries[number % len(entries)]
        found.append(replace(one, address=f"{one.address}-{number}"))
    return found[:wanted]


def timed(searcher: Searcher, query: str) -> float:
    """Return the milliseconds of processor time that a query takes."""
    started = time.process_time()
    searcher.search(query)
    return (time.process_time() - started) * 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("packs", nargs="+", type=Path)
    arguments.add_argument("--rules", type=int, default=10_000)
    given = arguments.parse_args()
    started = time.process_time()
    entries = load_catalogue(given.packs).entries
    loaded = time.process_time()
    index = build_index(":memory:", many(entries, given.rules))
    built = time.process_time()
    print(f"{len(entries):,} rules read and checked in {loaded - started:.1f} s")
    print(f"index of {given.rules:,} rules in {built - loaded:.1f} s")
    searcher = Searcher(index)
    searcher.search("")
    every = []
    for query in QUERIES:
        seconds = sorted(timed(searcher, query) for _ in range(RUNS))
        every += seconds
        middle, high = seconds[RUNS // 2], seconds[RUNS * 95 // 100]
        print(f"{middle:7.1f} ms  p95 {high:5.1f} ms  {searcher.search(query).total:6,}  {query}")
    every.sort()
    print(f"all: p50 {statistics.median(every):.1f} ms, p95 {every[len(every) * 95 // 100]:.1f} ms")


if __name__ == "__main__":
    main()
