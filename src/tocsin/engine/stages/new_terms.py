"""New terms: let a match through whose terms were not seen for a while.

Elastic asks per run whether a combination of terms occurs in the window of the run and not in the
history before it. Asked of each event at its own time, that is: was there none within the window
before it? So results depend neither on when a rule runs nor on how often.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import orjson

from tocsin.engine.stages.hits import Finding, Hit, TermsState, combinations
from tocsin.rules.stages import NewTerms
from tocsin.times import in_milliseconds


class NewTermsStage:
    """Runs the stage of one rule; rules may share a state."""

    def __init__(self, rule: str, stage: NewTerms, at: Sequence[int], state: TermsState) -> None:
        """Take the rule's key, which parts its terms from those of others, and where values are.

        `at` numbers the stage's fields among the values of hits.
        """
        self._salt = blake2b(rule.encode(), digest_size=16).digest()
        self._window = in_milliseconds(stage.window)
        self._at = at
        self._state = state

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield a finding per combination of terms that is new."""
        values = hit.values
        for terms in combinations([values[at] for at in self._at]):
            last = self._state.see(self._key(terms), hit.time)
            if (last is None or hit.time - last > self._window) and not hit.past:
                yield Finding.of(hit, terms)

    def finish(self) -> Iterator[Finding]:
        """Yield nothing: no finding stays open."""
        yield from ()

    def _key(self, terms: tuple[str, ...]) -> bytes:
        return blake2b(self._salt + orjson.dumps(terms), digest_size=16).digest()
