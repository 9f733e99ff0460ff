"""`make fuzz`: broken logs of every format, read as a scan reads them.

    python -m bench.fuzz [--count N] [--seed N] [--commands N]

Each case is a log of some format, packed in some way, with bytes flipped, cut out, put in, repeated
or swapped before or after it was packed. It is read in this process: no exception, no long wait,
and every record of it in a batch, or in what is named as unreadable. A record is known by a mark of
its own. Then all records that were read are matched; each is counted as an event, as of no known
log type, or as refused. Some cases go through the command line as well.
"""

import argparse
import faulthandler
import io
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.fuzz_logs import MARK, Case, cases
from tocsin.errors import InputError
from tocsin.logs.formats import evtx
from tocsin.logs.formats.blocks import Batch, Lines, Records, Rows, Unreadable, batches
from tocsin.logs.formats.content import Content
from tocsin.logs.formats.headers import find_header
from tocsin.logs.formats.open import NoLog, Source, read_sources
from tocsin.logs.formats.rows import TableColumns
from tocsin.logs.formats.wrappers import ARRAY, MORE_RECORDS, WRAPPER, is_rest
from tocsin.logs.load import load_log_types
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.run.work import Task, Worker

LONGEST_SECONDS = 10.0
HANG_SECONDS = 60
MATCHED_AT_ONCE = 5_000
ROWS_MATCHED = 10
"""Of so many tables one is matched as a table, which takes longer; the others as JSON texts."""


class Lost(AssertionError):
    """A mark that stood in a log is neither in a record nor in what is unreadable."""


@dataclass
class Report:
    """What came of the cases so far."""

    cases: int = 0
    records: int = 0
    unreadable: int = 0
    no_logs: int = 0
    damaged: int = 0
    marks: int = 0
    matched: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __str__(self) -> str:
        matched = ", ".join(f"{count:,} {name}" for name, count in self.matched.items())
        return (
            f"{self.cases:,} logs: {self.records:,} records, {self.unreadable:,} unreadable "
            f"pieces, {self.no_logs:,} that are no logs, {self.damaged:,} damaged; "
            f"{self.marks:,} marks, "
            f"none lost; {matched}; the slowest took {self.slowest:.2f} s"
        )


def fuzz(count: int, seed: int) -> Report:
    """Read so many broken logs; raises for the first that is not read as it must be."""
    report, matching = Report(), _Matching()
    for case in cases(count, seed):
        started = time.monotonic()
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        try:
            _read(case, report, matching)
        except Exception as error:
            error.add_note(f"case {case.number} of seed {seed}: {case.name}")
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        took = time.monotonic() - started
        report.slowest = max(report.slowest, took)
        assert took < LONGEST_SECONDS, f"case {case.number} of seed {seed} took {took:.0f} s"
    matching.flush()
    report.matched = matching.counted
    return report


def _read(case: Case, report: Report, matching: "_Matching") -> None:
    report.cases += 1
    for source in read_sources("log", io.BytesIO(case.data)):
        if isinstance(source, NoLog):
            assert source.reason
            report.no_logs += 1
            continue
        log = _Tapped(source)
        for batch in log.read():
            if isinstance(batch.raw, TableColumns) and case.number % ROWS_MATCHED == 0:
                matching.add_rows(Rows(batch.raw.rows(), batch.lines))
            else:
                matching.add(batch)
            report.records += len(batch.lines)
        report.marks += log.check()
        report.unreadable += len(log.unreadable)
        report.damaged += bool(log.problem)


class _Tapped:
    """A log that is read while its bytes are kept, to see what became of them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._content: Content = source._content
        self._bytes = [self._content.head]
        self._content._chunks = self._kept(self._content._chunks)
        self.unreadable: list[Unreadable] = []
        self._spans: list[tuple[int, int]] = []
        self._texts: Counter[bytes] = Counter()
        self._at: list[int] = []
        """Where the records of an event log stand that were decoded."""
        self.problem = ""

    def _kept(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._bytes.append(chunk)
            yield chunk

    def read(self) -> Iterator[Batch]:
        try:
            for block in self._source.blocks():
                if isinstance(block, Unreadable):
                    assert block.reason
                    assert block.line > 0
                    self.unreadable.append(block)
                    self._spans.append((block.offset, block.offset + block.length))
                    continue
                if isinstance(block, Records) and block.places is not None:
                    self._at += block.places.tolist()
                in_place = isinstance(block, Lines) or (
                    isinstance(block, Records) and block.places is None
                )
                for batch in batches(block):
                    self._take(batch, in_place=in_place)
                    yield batch
        except InputError as error:
            self.problem = str(error)

    def _take(self, batch: Batch, *, in_place: bool) -> None:
        """Note where the records stand, or, if they stand there in another form, their marks."""
        assert len(batch.lines) == len(batch.offsets)
        for data, offset in zip(_texts(batch), batch.offsets.tolist(), strict=True):
            if in_place:
                self._spans.append((offset, offset + len(data)))
            else:
                self._texts.update(MARK.findall(data))

    def check(self) -> int:
        """Count the marks; raise `Lost` for one that is nowhere, or not as often as it should."""
        data = b"".join(self._bytes)
        base = self._content.offset
        spans = [(start - base, end - base) for start, end in self._spans]
        if evtx.recognise(data):
            spans += [(at, at + int.from_bytes(data[at + 4 : at + 8], "little")) for at in self._at]
        found = list(_marks(data))
        if _named_whole(self.problem):
            return len(found)
        for mark, at in found:
            if any(start <= at < end for start, end in spans):
                continue
            if self._texts[mark]:
                self._texts[mark] -= 1
            elif not _is_structure(data, at, spans):
                raise Lost(f"{mark!r} at {at} of {data[max(at - 300, 0) : at + 300]!r}")
        return len(found)


def _texts(batch: Batch) -> list[bytes]:
    """Return the records of a batch, byte by byte where it has them so."""
    if isinstance(batch.raw, pa.Array):
        return [text.as_buffer().to_pybytes() for text in batch.raw]
    return [text.encode() for text in batch.texts()]


def _marks(data: bytes) -> Iterator[tuple[bytes, int]]:
    for match in MARK.finditer(data):
        yield match[0], match.start()
    if evtx.recognise(data):
        wide = re.compile(rb"m\0(?:[0-9]\0){7}")
        for match in wide.finditer(data):
            yield match[0].replace(b"\0", b""), match.start()


def _named_whole(problem: str) -> bool:
    """Say whether a log was refused as a whole, and said so."""
    return bool(problem) and "what stands before was read" not in problem


def _is_structure(data: bytes, at: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Say whether a place is in a header, in unused space, or in what stands around records."""
    if evtx.recognise(data):
        return _is_unused(data, at)
    header = find_header(data[: 1 << 20])
    if header and data.lstrip()[:1] not in {b"{", b"["}:
        return at < header.start
    start = max([end for _, end in spans if end <= at], default=0)
    end = min([begin for begin, _ in spans if begin > at], default=len(data))
    return _is_around(data[start:end])


def _is_unused(data: bytes, at: int) -> bool:
    first = 0 if data.startswith(b"ElfChnk\0") else evtx.HEADER_BYTES
    if at < first:
        return True
    chunk = first + (at - first) // evtx.CHUNK_BYTES * evtx.CHUNK_BYTES
    place = at - chunk
    used = evtx._used(data[chunk : chunk + evtx.CHUNK_BYTES])
    return place < 512 or place >= used


def _is_around(gap: bytes) -> bool:
    """Say whether text is the end of a document, the beginning of one, or both."""
    for end in (0, *(match.end() for match in re.finditer(rb"[}\]]", gap))):
        before, after = gap[:end].strip(b" \t\r\n,"), gap[end:].strip(b" \t\r\n,\xef\xbb\xbf")
        if before and not (before[:1] == b"]" and is_rest(before[1:].removesuffix(b"}"))):
            continue
        if not after or any(one.fullmatch(after) for one in (WRAPPER, MORE_RECORDS, ARRAY)):
            return True
        if any(one.match(after + b"{") for one in (WRAPPER, MORE_RECORDS, ARRAY)):
            return True
    return False


class _Matching:
    """Matches what was read, many records at a time, and counts what became of them."""

    def __init__(self) -> None:
        self._worker = Worker([], load_log_types(), NdjsonOutput())
        self._held: list[Batch] = []
        self.counted: Counter[str] = Counter()

    def add(self, batch: Batch) -> None:
        self._held.append(batch)
        if sum(len(one.lines) for one in self._held) >= MATCHED_AT_ONCE:
            self.flush()

    def add_rows(self, block: Rows) -> None:
        """Match rows of a table as such."""
        self._match(block, len(block.lines))

    def flush(self) -> None:
        texts = [text for batch in self._held for text in _texts(batch)]
        self._held = []
        if not texts:
            return
        ends = np.cumsum([len(text) for text in texts])
        bounds = np.stack((np.append(0, ends[:-1]), ends), axis=1)
        numbers = np.arange(1, len(texts) + 1)
        self._match(Records(b"".join(texts), bounds, numbers, 0, bounds[:, 0]), len(texts))

    def _match(self, block: Records | Rows, count: int) -> None:
        done = self._worker.run(Task("log", block))
        assert not done.failed, done.failed
        found = {
            "events": done.events.total(),
            "of no known type": done.unidentified,
            "refused": len(done.quarantined),
        }
        assert sum(found.values()) == count, found
        self.counted.update(found)
        assert not done.disagreements


def run_commands(count: int, seed: int) -> int:
    """Scan some broken logs by the command line: its own exit status, and no traceback."""
    with tempfile.TemporaryDirectory() as folder:
        rule = Path(folder) / "rule.yml"
        rule.write_text(
            "title: Any\nid: 2f2a9a4e-0d5f-4c43-9b1a-6f4f0f0c6d11\nlogsource: {category: any}\n"
            "detection: {s: {mark|contains: m}, condition: s}\n"
        )
        log = Path(folder) / "log"
        for case in cases(count, seed):
            log.write_bytes(case.data)
            command = [sys.executable, "-m", "tocsin", "scan", str(log), "-r", str(rule)]
            command += ["--log-type", "/any", "-f", "ndjson", "--workers", str(1 + case.number % 2)]
            done = subprocess.run(command, capture_output=True, check=False, timeout=HANG_SECONDS)
            said = done.stderr.decode(errors="replace")
            assert done.returncode in {0, 2}, f"{case.number} {case.name}: {said}"
            assert "Traceback" not in said, f"{case.number} {case.name}: {said}"
    return count


def main() -> None:
    """Run the fuzzer and say what it read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=300)
    options = parser.parse_args()
    started = time.monotonic()
    print(fuzz(options.count, options.seed))
    print(f"{run_commands(options.commands, options.seed):,} of them by the command line")
    print(f"{time.monotonic() - started:,.0f} s")


if __name__ == "__main__":
    main()
