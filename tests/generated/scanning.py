"""Send events through `tocsin scan` and hold its alerts against what is expected of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from generated.corpus import PLACEHOLDERS
from generated.generator import ELSEWHERE, Probe, Values, World, flat_event
from oracle import sigma_oracle

from tocsin.cli.scan import command

Record = dict[str, object]
Judge = Callable[[Probe, Record], bool]


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
        """Add a record for each probe; `judge` says of probe and record whether the rule matches."""
        sent = self.files.setdefault(file, [])
        for probe in probes:
            record = write(probe.values)
            if record is not None:
                expected = probe.kind != ELSEWHERE and judge(probe, record)
                sent.append(Sent(probe, record, expected))

    def scan(self, rules: Sequence[Path], *options: str) -> list[str]:
        """Run the command; return what is wrong with its alerts."""
        logs = self.folder / "logs"
        logs.mkdir(parents=True)
        for name, sent in self.files.items():
            lines = (json.dumps(one.record, ensure_ascii=False) + "\n" for one in sent)
            (logs / f"{name}.ndjson").write_text("".join(lines), "utf-8")
        found = run_scan(self.folder, logs, rules, options)
        return list(self.wrong(found))

    def wrong(self, found: set[tuple[str, int, str]]) -> Iterator[str]:
        for name, sent in self.files.items():
            for line, one in enumerate(sent, 1):
                if ((name, line, one.probe.rule.id) in found) != one.expected:
                    yield describe(one, name)

    @property
    def counts(self) -> Counter[tuple[str, bool]]:
        events = [one for sent in self.files.values() for one in sent]
        return Counter((one.probe.kind, one.expected) for one in events)


def judge_flat(world: World) -> Judge:
    """Judge by a probe's values alone, but look for keywords in the record as it is."""

    def judge(probe: Probe, record: Record) -> bool:
        if not probe.rule.has_keywords:
            return probe.expected
        searched = sigma_oracle.parse_event(json.dumps(dict(enumerate(leaves(record)))))
        return probe.rule.matches(flat_event(probe.rule, world, probe.values), searched)

    return judge


def leaves(value: object) -> Iterator[object]:
    """Yield everything inside a record that is neither an object nor an array."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def describe(one: Sent, file: str) -> str:
    what = "was not matched" if one.expected else "was matched"
    rule = one.probe.rule
    return f"{rule.path.name} ({file}, {one.probe.kind}) {what}: {json.dumps(one.record)}"


def run_scan(
    folder: Path, logs: Path, rules: Sequence[Path], options: Sequence[str]
) -> set[tuple[str, int, str]]:
    """Run `tocsin scan`; return file, line and rule of every alert."""
    output, placeholders = folder / "alerts.ndjson", folder / "placeholders.yaml"
    placeholders.write_text(json.dumps(PLACEHOLDERS), "utf-8")
    chosen = [word for path in rules for word in ("-r", str(path))]
    arguments = [str(logs), *chosen, "-f", "ndjson", "-o", str(output), "--quiet"]
    arguments += ["--placeholders", str(placeholders), *options]
    try:
        command.main(arguments, standalone_mode=False)
    except SystemExit as finished:
        assert not finished.code, f"tocsin scan {' '.join(arguments[:6])}: {finished.code}"  # noqa: PT017
    found = set()
    with output.open("rb") as lines:
        for line in lines:
            alert = orjson.loads(line)
            (event,) = alert["events"]
            found.add((Path(event["source"]).stem, event["line"], alert["rule"]["id"]))
    output.unlink()
    return found
