"""How fast rules of Panther are matched by their conditions, against calls of their Python.

    python -m bench.panther CHECKOUT [--log-type NAME …] [--logs FILE …] [--events N] [--calls N]

The events are those of the files given; else real logs below TOCSIN_SHARED, and those of the rules'
tests. They are repeated with ids, times, addresses and request ids of their own. Rates are events
per second of CPU time, medians of five runs in one process: of texts of JSON, and of matching
alone, without the time in which texts are read. Calls get events that are read already. The Python
of the checkout runs in this process: it must be one that you trust.
"""

import argparse
import gc
import json
import os
import random
import re
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from bench.run import SHARED
from tocsin.engine.intake import take_in
from tocsin.engine.match import Matcher
from tocsin.engine.plan import Plan, compile_plan
from tocsin.engine.project import JsonRecords
from tocsin.jsontext import compact, read
from tocsin.logs.document import panther_document
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import PANTHER, LogType, Shape
from tocsin.logs.view import RecordView, identify
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.model import LogTypes, Rule, RuleSet
from tocsin.rules.panther.pack import python_file, read_document, read_python
from tocsin.run.pack_code import pack_code
from tocsin.run.pool import settled_heap
from tocsin.sandbox.event import Event
from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.models import load_models
from tocsin.sandbox.runner import load_module
from tocsin.sandbox.shims import PackFinder, Source

RUNS = 5
BATCH = 20_000
HOMES = {"AWS.CloudTrail": "aws.cloudtrail", "Azure.MonitorActivity": "azure.activity"}
REAL = {
    "AWS.CloudTrail": (
        "aws/invictus_cloudtrail_1000.ndjson",
        "aws/stratus_detonation_labelled.ndjson",
    ),
    "Azure.MonitorActivity": (
        "azure/sentinel_training_azure_activity.ndjson",
        "azure/sentinel_training_azureActivity_adele.ndjson",
    ),
}
"""Logs that were not written for the rules, by log type; those of Azure are of Log Analytics."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
_TIME = re.compile(r"\b(20\d\d-\d\d-\d\d[T ])\d\d:\d\d:\d\d")


def main() -> None:
    """Print one line per log type."""
    parser = argparse.ArgumentParser(description="Conditions of Panther's rules against calls.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--log-type", action="append", default=[])
    parser.add_argument("--logs", action="append", default=[], type=Path)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=1_000)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    loaded = load_rules_cached([options.checkout])
    for log_type in options.log_type or list(HOMES):
        rules = [one for one in loaded.rules if one.kind == "python" and _is_for(one, log_type)]
        real = [path for name in REAL[log_type] if (path := SHARED / "data" / name).exists()]
        if files := options.logs or real:
            print(f"{log_type}, logs of {len(files)} files")
            _bench(loaded, rules, log_type, list(_records(files)), options)
        if not options.logs:
            print(f"{log_type}, logs of the rules' tests")
            _bench(loaded, rules, log_type, list(_logs(rules, log_type)), options)


def _bench(
    loaded: RuleSet,
    rules: Sequence[Rule],
    log_type: str,
    logs: Sequence[Mapping[str, Any]],
    options: argparse.Namespace,
) -> None:
    (home,) = (one for one in load_log_types() if one.name == HOMES[log_type])
    texts = list(_unique(logs, home, options.events))
    matched, rate, matching = _by_conditions(rules, home, texts)
    calls = texts[: options.calls]
    said, own_rate = _by_calls(loaded, rules, log_type, calls)
    found = {(row, number) for row, number in matched if row < len(calls)}
    exact = {at for at, rule in enumerate(rules) if not rule.confirm}
    lost = said - found
    extra = {one for one in found - said if one[1] in exact}
    print(
        f"  {len(rules)} rules, {len(exact)} exact; {len(logs):,} logs, "
        f"{len(texts):,} events of {sum(map(len, texts)) / len(texts):,.0f} bytes; "
        f"{len(matched) / len(texts):.2f} matches an event\n"
        f"  conditions {rate:,.0f} events/s, matching alone {matching:,.0f}, "
        f"calls {own_rate:,.0f}: {rate / own_rate:.0f} × and {matching / own_rate:.0f} ×; "
        f"of {len(said):,} matches of calls {len(lost)} lost, {len(extra)} more by exact conditions"
    )
    for row, number in [*lost, *extra][:10]:
        print(f"  differs: {rules[number].id} on {texts[row]:.300}")


def _records(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        for line in path.read_text().splitlines():
            record = json.loads(line)
            yield record["event"] if "stratus_technique" in record else record


def _is_for(rule: Rule, log_type: str) -> bool:
    scopes = [one.scope for one in rule.inputs]
    return any(isinstance(one, LogTypes) and log_type in one.names for one in scopes)


def _logs(rules: Sequence[Rule], log_type: str) -> Iterator[dict[str, Any]]:
    for rule in rules:
        for test in read_document(rule).get("Tests") or []:
            log = test.get("Log")
            if isinstance(log, dict) and log.get("p_log_type", log_type) == log_type:
                yield {key: value for key, value in log.items() if not key.startswith("p_")}


def _unique(logs: Sequence[Mapping[str, Any]], home: LogType, count: int) -> Iterator[str]:
    """Yield logs as texts, over and over, each time with ids, times and addresses of their own."""
    rng = random.Random(7)
    known = [text for text in map(json.dumps, logs) if _is(home, text)]
    for at in range(count):
        text = _ID.sub(lambda _: str(uuid.UUID(int=rng.getrandbits(128))), known[at % len(known)])
        text = _ADDRESS.sub(lambda _: ".".join(str(rng.randrange(1, 255)) for _ in range(4)), text)
        yield _TIME.sub(lambda found: found[1] + _clock(rng), text)


def _is(home: LogType, text: str) -> bool:
    found = identify(read(text).value, load_log_types())
    return found is not None and found[0] is home


def _clock(rng: random.Random) -> str:
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"


def _by_conditions(
    rules: Sequence[Rule], home: LogType, texts: Sequence[str]
) -> tuple[set[tuple[int, int]], float, float]:
    """Return which rules match which events, and how many events a second, read ones too."""
    plans: dict[Shape, Plan] = {}

    def plan_for(log_type: LogType, shape: Shape) -> Plan:
        if shape not in plans:
            plans[shape] = compile_plan(rules, log_type, shape)
        return plans[shape]

    matcher = Matcher((home,), plan_for)
    batches = [pa.array(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
    found: set[tuple[int, int]] = set()
    seconds, reading = [], []
    gc.collect()
    for _ in range(RUNS):
        with settled_heap(), _reading() as clock:
            begun = time.process_time()
            results = [matcher.match(batch) for batch in batches]
            seconds.append(time.process_time() - begun)
        reading.append(clock.seconds)
        found = {
            (number * BATCH + one.row, one.input.rule)
            for number, result in enumerate(results)
            for one in result.matches
        }
    matching = [all_of_it - read for all_of_it, read in zip(seconds, reading, strict=True)]
    return found, len(texts) / statistics.median(seconds), len(texts) / statistics.median(matching)


@dataclass(slots=True)
class _Clock:
    """CPU time spent in some functions, not counted twice where one calls another."""

    seconds: float = 0.0
    depth: int = 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:
            begun = time.process_time()
            self.depth += 1
            try:
                return function(*args, **named)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.process_time() - begun

        return timed


@contextmanager
def _reading() -> Iterator[_Clock]:
    """Measure how long texts are read: identified, their keys looked at, their columns read."""
    clock = _Clock()
    with (
        patch("tocsin.engine.match.take_in", clock.around(take_in)),
        patch.object(JsonRecords, "keys", clock.around(JsonRecords.keys)),
        patch.object(JsonRecords, "columns", clock.around(JsonRecords.columns)),
    ):
        yield clock


def _by_calls(
    loaded: RuleSet, rules: Sequence[Rule], log_type: str, texts: Sequence[str]
) -> tuple[set[tuple[int, int]], float]:
    """Call the Python of every rule on every event."""
    code, memory = pack_code(loaded.parts), KeyValues()
    PackFinder(code.helpers, memory).install()
    opening = [
        {**asdict(one), "source": one.source and [one.source.path, one.source.text]}
        for one in code.models
    ]
    model = load_models(opening).get(log_type)
    modules = [load_module(Source(str(python_file(one)), read_python(one))) for one in rules]
    events = [Event(_document(text, log_type), model) for text in texts]
    found: set[tuple[int, int]] = set()
    seconds = []
    for _ in range(RUNS):
        found.clear()
        memory.clear()
        begun = time.process_time()
        for row, event in enumerate(events):
            for number, module in enumerate(modules):
                try:
                    if module.rule(event) is True:
                        found.add((row, number))
                except Exception:
                    pass
        seconds.append(time.process_time() - begun)
    return found, len(texts) / statistics.median(seconds)


def _document(text: str, log_type: str) -> dict[str, Any]:
    """Return a record as the rules' Python is given it in scans."""
    record = read(text).value
    found = identify(record, load_log_types())
    assert found is not None
    view = RecordView(record, found[1], PANTHER)
    document: dict[str, Any] = json.loads(compact(panther_document(view, log_type)))
    return document


if __name__ == "__main__":
    main()
