"""`make bench`: how fast and how large the engine is, on inputs made here or given.

    python -m bench.run [mix|process|azure|csv|FILE|FOLDER …] [--events N] [--rules FOLDER …]

Rates are events per second of CPU time, medians of five runs over the same blocks in one process,
so that the ratios between them hold on a noisy machine.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import orjson

from bench import inputs
from bench.memory import run_watched
from tocsin.engine import match as match_module
from tocsin.logs.formats.blocks import Deferred, Lines, Records, Rows, Unreadable, batches
from tocsin.logs.formats.open import Source, open_sources
from tocsin.logs.load import load_log_types
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.model import Rule
from tocsin.run.work import Task, Worker

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TOCSIN_SHARED") or ROOT.parent / "shared")
DATA = ROOT / "bench" / "data"
RUNS = 5
COLUMNS = ("Image", "CommandLine", "TargetFilename", "TargetObject", "ScriptBlockText")
ORACLE_EVENTS = 500

Readable: TypeAlias = Lines | Records | Rows | Deferred


def main() -> None:
    """Run the benchmark and print one table per input."""
    options = _arguments()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    rules = _rules(options.rules)
    for name in options.inputs:
        path, product = _input(name, options.events)
        chosen = [rule for rule in rules if product is None or _is_for(rule, product)]
        _bench(name, path, chosen, options.rules, product)


def _arguments() -> argparse.Namespace:
    corpus = SHARED / "corpora" / "sigma"
    folders = sorted(path for path in corpus.glob("rules*") if "placeholder" not in path.name)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("inputs", nargs="*", default=["mix", "process", "azure", "csv"])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rules", type=Path, nargs="+", default=folders)
    options = parser.parse_args()
    if not options.rules:
        parser.error("no rules: give --rules FOLDER, or set TOCSIN_SHARED")
    return options


def _rules(folders: Sequence[Path]) -> list[Rule]:
    return [rule for rule in load_rules_cached(folders).rules if rule.inputs]


def _is_for(rule: Rule, product: str) -> bool:
    return rule.inputs[0].scope.product == product


def _input(name: str, events: int) -> tuple[Path, str | None]:
    """Return a bench input by name, made if it is not there, and the product its rules are for."""
    target = DATA / f"{name}-{events}.ndjson"
    if name == "azure":
        return inputs.write(inputs.azure(events), target), "azure"
    if name == "csv":
        return inputs.write(inputs.activity_rows(events), target.with_suffix(".csv")), "azure"
    if name in {"mix", "process"}:
        folder = SHARED / "data" / "windows"
        if not folder.exists():
            sys.exit(f"bench: {name} needs captures; set TOCSIN_SHARED, or give a file")
        if not target.exists():
            captures = inputs.read_captures(folder)
            make = inputs.mix if name == "mix" else inputs.process
            inputs.write(make(captures, events), target)
        return target, "windows"
    return Path(name), None


def _bench(
    name: str, path: Path, rules: Sequence[Rule], folders: Sequence[Path], product: str | None
) -> None:
    blocks, seconds = _blocks(path)
    events = sum(len(batch.lines) for block in blocks for batch in batches(block))
    size = sum(block.length for block in blocks)
    print(f"\n{name}: {events:,} events of {size / events:,.0f} bytes, {len(rules):,} rules")
    print(
        f"  {'cutting into blocks':45} {events / seconds:12,.0f} events/s   "
        f"{size / seconds / 1e6:,.0f} MB/s"
    )
    _print_distinct(blocks)
    projection = _rate("routing and projection alone", blocks, rules, events, _projection_only)
    for share in (0.1, 0.5, 1.0):
        part = [rule for at, rule in enumerate(rules) if at * share % 1 < share]
        label = f"scan, {share:.0%} of the rules"
        full = _rate(label, blocks, part, events, contextlib.nullcontext)
    print(f"  {'ratio of scan to routing and projection':45} {full / projection:12.0%}")
    _print_oracle(blocks, rules)
    _print_whole_runs(path, folders, product)


def _blocks(path: Path) -> tuple[list[Readable], float]:
    """Read files as a scan does; return the blocks, and the seconds that it took."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    start = time.process_time()
    found = [
        block
        for file in files
        for source in open_sources(file)
        if isinstance(source, Source)
        for block in source.blocks()
        if not isinstance(block, Unreadable)
    ]
    return found, time.process_time() - start


def _texts(blocks: Sequence[Readable]) -> Iterator[str]:
    for block in blocks:
        for batch in batches(block):
            yield from batch.texts()


def _rate(
    label: str,
    blocks: Sequence[Readable],
    rules: Sequence[Rule],
    events: int,
    within: Callable[[], contextlib.AbstractContextManager[object]],
) -> float:
    worker = Worker(rules, load_log_types(), NdjsonOutput())
    seconds = []
    alerts = 0
    with within():
        for block in blocks:
            worker.run(Task("bench", block))
        for _ in range(RUNS):
            start = time.process_time()
            done = [worker.run(Task("bench", block)) for block in blocks]
            seconds.append(time.process_time() - start)
            alerts = sum(one.alerts.total() for one in done)
    rate = events / statistics.median(seconds)
    print(f"  {label:45} {rate:12,.0f} events/s   {alerts / events:6.2%} alerts per event")
    return rate


@contextlib.contextmanager
def _projection_only() -> Iterator[None]:
    """Read and decode every column that the rules need, and evaluate nothing."""
    gate = match_module._GateMatcher
    original = gate._match

    def project(self: object, frame: match_module.Frame) -> list[object]:
        exprs = self._exprs  # type: ignore[attr-defined]
        frame.prefetch_for(exprs)
        for expr in exprs:
            frame.cells(expr)
        return []

    gate._match = project  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        gate._match = original  # type: ignore[method-assign]


def _print_distinct(blocks: Sequence[Readable]) -> None:
    values: dict[str, list[int]] = {column: [] for column in COLUMNS}
    for text in _texts(blocks):
        event = orjson.loads(text)
        for column in COLUMNS:
            if column in event:
                values[column].append(hash(event[column]))
    for column, hashes in values.items():
        if hashes:
            ratio = len(hashes) / len(set(hashes))
            label = f"rows per distinct {column}"
            print(f"  {label:45} {ratio:12.2f}   of {len(hashes):,} rows")


def _print_oracle(blocks: Sequence[Readable], rules: Sequence[Rule]) -> None:
    """Time the naive row-by-row evaluation of every rule, on a few events."""
    from tocsin.condition.evaluate import holds
    from tocsin.condition.tree import And
    from tocsin.engine.plan import select
    from tocsin.jsontext import read
    from tocsin.logs.view import RecordView, identify

    log_types = load_log_types()
    lines = list(_texts(blocks[:1]))
    lines = lines[:: max(1, len(lines) // ORACLE_EVENTS)][:ORACLE_EVENTS]
    start = time.process_time()
    for line in lines:
        record = read(line).value
        found = identify(record, log_types)
        if not found:
            continue
        for rule in rules:
            for one in rule.inputs:
                for variant in select(found[0], one):
                    view = RecordView(record, found[1], one.vocabulary, variant)
                    holds(And((variant.condition, one.condition)), view.read)
    rate = len(lines) / (time.process_time() - start)
    print(f"  {'row by row, the naive way':45} {rate:12,.0f} events/s")


def _print_whole_runs(path: Path, folders: Sequence[Path], product: str | None) -> None:
    """Time whole commands: start cold and warm to the first batch, memory, two workers."""
    with tempfile.TemporaryDirectory() as cache:
        first = Path(cache) / "first.ndjson"
        with path.open("rb") as stream, first.open("wb") as head:
            head.writelines(line for line, _ in zip(stream, range(1000), strict=False))
        command = [sys.executable, "-m", "tocsin", "scan", "-f", "ndjson", "-o", os.devnull]
        for folder in folders:
            command += ["-r", str(folder)]
        if product:
            command += ["--where", f"product:{product}"]
        environment = {**os.environ, "TOCSIN_CACHE": cache}
        for label in ("cold", "warm"):
            seconds, _ = run_watched([*command, str(first)], environment)
            print(f"  {f'start to the first 1,000 events, {label}':45} {seconds:12.2f} s")
        for workers in (1, 2):
            run = [*command, str(path), "--workers", str(workers)]
            seconds, peak = run_watched(run, environment)
            label = f"scan with {workers} worker(s), wall"
            print(f"  {label:45} {seconds:12.2f} s   {peak:,.0f} MiB")
    print(f"  {'two busy loops against one':45} {_two_loops():12.2f} ×")


def _two_loops() -> float:
    """Return how much more two processes do than one here: what two workers could reach."""
    loop = [sys.executable, "-c", "for _ in range(30_000_000): pass"]
    start = time.perf_counter()
    subprocess.run(loop, check=True)
    one = time.perf_counter() - start
    start = time.perf_counter()
    both = [subprocess.Popen(loop) for _ in range(2)]
    for process in both:
        process.wait()
    return 2 * one / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
