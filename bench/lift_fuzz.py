"""Compare lifted rules with real Python on the test events of a checkout and mutations of them.

    python -m bench.lift_fuzz CHECKOUT [--pairs N] [--seed N] [--events FOLDER]

A pair is a rule and an event. With `--pairs 0` the events are taken as they are: every rule on
every event of its log type. Exact conditions must equal `rule()`, others must hold where it is
true; pairs where Python raises are counted apart. `--events` takes events from NDJSON files named
LOGTYPE.ndjson in place of those of tests.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.rules.panther.lift_events import mutate
from tests.rules.panther.lift_oracle import Pack as Running
from tests.rules.panther.lift_oracle import decide, matches, parse

from bench.lift import Pack, load_pack
from tocsin.python.program import run as run_program
from tocsin.rules.model import Rule
from tocsin.rules.panther.lift import Lifted, lift_rules
from tocsin.rules.panther.pack import read_document, read_python
from tocsin.sandbox.runner import AUXILIARY, WrongType


def test_events(rule: Rule) -> Iterator[Mapping[str, Any]]:
    """Yield the logs of a rule's tests."""
    key = "Resource" if rule.kind == "policy" else "Log"
    for test in read_document(rule).get("Tests") or []:
        log = test.get(key, test.get("Log"))
        if isinstance(log, dict):
            yield json.loads(json.dumps(log, default=str))


class Comparison:
    """Runs pairs and counts what came of them."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def rule(
        self,
        rule: Rule,
        loaded: Any,
        lifted: Lifted,
        log_type: str,
        log: Mapping[str, Any],
        *,
        texts: bool,
    ) -> None:
        """Compare one rule on one event."""
        event: Any = self.running.event(log, log_type)
        if rule.kind == "policy":
            event = json.loads(json.dumps(log))
        self.running.memory.clear()
        truth, error = decide(loaded, event)
        holds = matches(lifted.condition, parse(log))
        self.counts["pairs"] += 1
        self.counts["exact" if lifted.exact else "prefilter"] += 1
        self.counts["python matches"] += truth
        self.counts["condition holds"] += holds
        if error:
            self.counts["python raises"] += 1
            self.counts["python raises, condition holds"] += holds
        elif lifted.exact and holds is not truth:
            self._fault("different", rule, log, f"python {truth}, condition {holds}")
        elif truth and not holds:
            self._fault("lost", rule, log, "")
        if truth and texts:
            self._texts(rule, loaded, lifted, event, log)

    def _texts(
        self, rule: Rule, loaded: Any, lifted: Lifted, event: Any, log: Mapping[str, Any]
    ) -> None:
        for name, check in AUXILIARY.items():
            function = getattr(loaded.module, name, None)
            if function is None:
                continue
            wanted = _checked(check, lambda function=function: function(event))
            if name not in lifted.texts:
                self.counts[f"{name} not lifted"] += 1
                continue
            self.counts[f"{name} lifted"] += 1
            found = _checked(check, lambda name=name: run_program(lifted.texts[name], dict(log)))
            if found != wanted:
                self._fault(f"{name} different", rule, log, f"{wanted!r:.300} != {found!r:.300}")

    def _fault(self, what: str, rule: Rule, log: Mapping[str, Any], more: str) -> None:
        self.counts[what] += 1
        self.wrong.append(f"{what}: {rule.id}: {more}\n    {json.dumps(log)[:1500]}")


def _checked(check: Any, function: Any) -> Any:
    try:
        return check(function())
    except WrongType as error:
        return f"wrong type {error}"[:10]
    except BaseException:
        return "raises"


def events_by_log_type(pack: Pack) -> dict[str, list[Mapping[str, Any]]]:
    """Return the test events of all rules under their `p_log_type`, else each of its rule's."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for rule in pack.rules:
        kinds = read_document(rule).get("LogTypes") or []
        for log in test_events(rule):
            own = log.get("p_log_type")
            for log_type in [own] if own else kinds:
                found.setdefault(str(log_type), {})[json.dumps(log, sort_keys=True)] = log
    return {log_type: list(logs.values()) for log_type, logs in found.items()}


def read_lines(file: Path) -> list[Mapping[str, Any]]:
    """Read the events of an NDJSON file."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="python,scheduled")
    parser.add_argument("--shown", type=int, default=20)
    parser.add_argument("--events", type=Path, help="NDJSON files of LOGTYPE.ndjson")
    options = parser.parse_args()
    pack = load_pack(options.checkout)
    pack.rules = [rule for rule in pack.rules if rule.kind in options.kinds.split(",")]
    start = time.time()
    found = lift_rules(pack.rules, pack.parts)
    lifted = [(rule, found[rule.key]) for rule in pack.rules]
    print(f"lifted in {time.time() - start:.1f} s")
    running = Running(pack.parts.helpers, pack.models)
    comparison = Comparison(running)
    events = events_by_log_type(pack)
    if options.events:
        events = {file.stem: read_lines(file) for file in options.events.glob("*.ndjson")}
    rng = random.Random(options.seed)
    loaded = {rule.key: running.load(read_python(rule), rule.kind) for rule, _ in lifted}
    pairs = every_pair(lifted, events) if not options.pairs else fuzzed(lifted, events, rng)
    for rule, one, log_type, log in pairs:
        texts = not options.pairs
        comparison.rule(rule, loaded[rule.key], one, log_type, log, texts=texts)
        if options.pairs and comparison.counts["pairs"] >= options.pairs:
            break
    for name, count in sorted(comparison.counts.items()):
        print(f"{count:9,} {name}")
    for fault in comparison.wrong[: options.shown]:
        print(fault)
    print(f"{time.time() - start:.1f} s")
    sys.exit(bool(comparison.wrong))


Lifts = list[tuple[Rule, dict[str, Lifted]]]
Pair = tuple[Rule, Lifted, str, Mapping[str, Any]]


def every_pair(lifted: Lifts, events: Mapping[str, list[Mapping[str, Any]]]) -> Iterator[Pair]:
    """Yield every rule on every event of each of its log types."""
    for rule, by_log_type in lifted:
        for log_type, one in by_log_type.items():
            own = not log_type or rule.kind == "policy"
            logs = list(test_events(rule)) if own else events.get(log_type, [])
            for log in logs:
                yield rule, one, log_type, log


def fuzzed(
    lifted: Lifts, events: Mapping[str, list[Mapping[str, Any]]], rng: random.Random
) -> Iterator[Pair]:
    """Yield rules on mutated events without end: half of them on events of their own tests."""
    own = {rule.key: list(test_events(rule)) for rule, _ in lifted}
    while True:
        for rule, by_log_type in lifted:
            log_type, one = rng.choice(list(by_log_type.items()))
            others = events.get(log_type) or own[rule.key]
            logs = own[rule.key] if own[rule.key] and rng.random() < 0.7 else others
            if logs:
                yield rule, one, log_type, mutate(rng.choice(logs), rng)


if __name__ == "__main__":
    main()
