"""Send events through `tocsin scan` and hold its alerts against what is expected of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from generated.corpus import PLACEHOLDERS, CorpusRule
from generated.generator import ELSEWHERE, TO_MATCH, Probe, Values, World, flat_event
from oracle import sigma_oracle
from tocsin.cli.scan import command

Record = dict[str, object]
Judge = Callable[[Probe, Record], bool]
Reader = Callable[[Record], Callable[[CorpusRule], bool]]
"""Record → what says of any rule whether it matches it."""
Alerts = set[tuple[str, int, str]]
"""File, line and rule of every alert."""

SAMPLED = 400
"""One event of so many is held against every rule."""


@dataclass(frozen=True)
class Sent:
    """A record that stands for a probe."""

    probe: Probe
    record: Record
    expected: bool


@dataclass
class Batch:
    """Files of records for one run."""

    folder: Path
    files: dict[str, list[Sent]] = field(default_factory=dict)

    def add(
        self,
        file: str,
        probes: Iterable[Probe],
        write: Callable[[Values], Record | None],
        judge: Judge,
    ) -> None:
        """Add a record for each probe; `judge` says of both whether the rule must match."""
        sent = self.files.setdefault(file, [])
        for probe in probes:
            record = write(probe.values)
            if record is not None:
                expected = probe.kind != ELSEWHERE and judge(probe, record)
                assert expected or probe.kind not in TO_MATCH, (probe, record)
                sent.append(Sent(probe, record, expected))

    def scan(self, rules: Sequence[Path], *options: str) -> Alerts:
        """Run `tocsin scan` on the files."""
        logs = self.folder / "logs"
        logs.mkdir(parents=True)
        for name, sent in self.files.items():
            lines = (as_line(one.record, number) for number, one in enumerate(sent))
            (logs / f"{name}.ndjson").write_text("".join(lines), "utf-8")
        placeholders = self.folder / "placeholders.yaml"
        placeholders.write_text(json.dumps(PLACEHOLDERS), "utf-8")
        return run_scan(logs, rules, ["--placeholders", str(placeholders), *options])

    def wrong(self, alerts: Alerts) -> Iterator[str]:
        """Describe each event whose own rule did not do what is expected of it."""
        for name, line, one in self.events():
            if ((name, line, one.probe.rule.id) in alerts) != one.expected:
                yield describe(one.probe.rule, one, name, expected=one.expected)

    def wrong_elsewhere(
        self, alerts: Alerts, rules: Sequence[CorpusRule], reader: Reader
    ) -> Iterator[str]:
        """Describe alerts on events made for other rules that these should not have raised.

        Of a sample of the events also those that are missing.
        """
        raised: dict[tuple[str, int], set[str]] = {}
        for name, line, rule in alerts:
            raised.setdefault((name, line), set()).add(rule)
        by_id = {rule.id: rule for rule in rules}
        for name, line, one in self.events():
            found = raised.get((name, line), set()) - {one.probe.rule.id}
            asked = rules if line % SAMPLED == 0 else [by_id[rule] for rule in found]
            matches = reader(one.record) if asked else None
            for rule in asked:
                if rule is not one.probe.rule and matches(rule) != (rule.id in found):
                    yield describe(rule, one, name, expected=rule.id not in found)

    def events(self) -> Iterator[tuple[str, int, Sent]]:
        for name, sent in self.files.items():
            for line, one in enumerate(sent, 1):
                yield name, line, one

    @property
    def counts(self) -> Counter[str]:
        """How many events must match and how many must not, and of which kind these are."""
        sent = [one for _, _, one in self.events()]
        kinds = Counter(one.probe.kind for one in sent if not one.expected)
        matching = sum(one.expected for one in sent)
        return Counter({"must match": matching, "must not": len(sent) - matching}) + kinds


def as_line(record: Record, number: int) -> str:
    """Write a record as JSON; every other one with escapes for what is not ASCII."""
    return json.dumps(record, ensure_ascii=number % 2 == 0) + "\n"


def judge_flat(world: World) -> Judge:
    """Judge by a probe's values alone, but look for keywords in the record as it is."""

    def judge(probe: Probe, record: Record) -> bool:
        if not probe.rule.has_keywords:
            return probe.expected
        parsed = sigma_oracle.parse_event(json.dumps(dict(enumerate(leaves(record)))))
        words = sigma_oracle.words_of(parsed)
        return probe.rule.matches(flat_event(probe.rule, world, probe.values), words)

    return judge


def judge_by(reader: Reader) -> Judge:
    """Judge by the record alone."""
    return lambda probe, record: reader(record)(probe.rule)


def leaves(value: object) -> Iterator[object]:
    """Yield everything inside a record that is neither an object nor an array."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def describe(rule: CorpusRule, one: Sent, file: str, *, expected: bool) -> str:
    what = "was not matched" if expected else "was matched"
    made = "" if rule is one.probe.rule else f"made for {one.probe.rule.path.name}, "
    return f"{rule.path.name} ({made}{file}, {one.probe.kind}) {what}: {json.dumps(one.record)}"


def run_scan(logs: Path, rules: Sequence[Path], options: Sequence[str]) -> Alerts:
    """Run `tocsin scan`; a rule alerts on single events, so an alert has one."""
    output = logs.parent / "alerts.ndjson"
    chosen = [word for path in rules for word in ("-r", str(path))]
    arguments = [str(logs), *chosen, "-f", "ndjson", "-o", str(output), "--quiet", *options]
    try:
        command.main(arguments, standalone_mode=False)
        status = 0
    except SystemExit as finished:
        status = finished.code
    assert not status
    with output.open("rb") as lines:
        alerts = {alerted(orjson.loads(line)) for line in lines}
    output.unlink()
    return alerts


def alerted(alert: dict) -> tuple[str, int, str]:
    (event,) = alert["events"]
    return Path(event["source"]).stem, event["line"], alert["rule"]["id"]
