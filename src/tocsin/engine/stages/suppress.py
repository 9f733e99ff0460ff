"""Suppression: let one finding stand for others with the same values, for a while."""

from collections.abc import Iterator, Sequence
from itertools import product

from tocsin.engine.stages.hits import Finding, Hit, Stage, Terms
from tocsin.rules.stages import Suppression
from tocsin.times import in_milliseconds


class Suppressed:
    """A stage whose findings are suppressed."""

    def __init__(self, stage: Stage, suppression: Suppression, at: Sequence[int]) -> None:
        """Take a stage, and the numbers of the suppression's fields among the values of hits."""
        self._stage = stage
        self._duration = in_milliseconds(suppression.duration)
        self._missing_is_a_value = suppression.missing_is_a_value
        self._at = at
        self._open: dict[Terms, Finding] = {}

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield the findings that nothing more can be counted to."""
        for finding in self._stage.see(hit):
            yield from self._take(finding)

    def finish(self) -> Iterator[Finding]:
        """Yield the findings that were still open."""
        for finding in self._stage.finish():
            yield from self._take(finding)
        yield from self._open.values()

    def _take(self, finding: Finding) -> Iterator[Finding]:
        values = [finding.anchor.values[at] for at in self._at]
        if not all(values) and not self._missing_is_a_value:
            yield finding
            return
        terms = next(product(*(sorted(of) or (None,) for of in values)))
        known = self._open.get(terms)
        if known and finding.anchor.time - known.anchor.time <= self._duration:
            known.absorbed += 1
            known.absorbed_until = finding.anchor.time
            return
        finding.suppressed_by = terms
        self._open[terms] = finding
        if known:
            yield known
