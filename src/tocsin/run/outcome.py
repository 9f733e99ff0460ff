"""How a test of a rule ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case or test ended: `passed`, `failed` or `skipped`, with the reason.

    A `warning` is about a rule and no test.
    """

    rule: str
    test: str
    result: str
    reason: str = ""
