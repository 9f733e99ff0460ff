"""What the search in the browser reads: two scripts that hold data and do nothing else.

Scripts are loaded from a folder on disk too, where a page may not fetch. `rules.js` has a row per
rule, its facets as numbers of texts; `tests.js`, which is loaded when a query asks for fields or
values, has what rules test.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import orjson

from tocsin.catalog.entries import Entry
from tocsin.catalog.search import FACETS
from tocsin.content.attack import load_attack
from tocsin.pages.catalog.logic import LONGEST_VALUE
from tocsin.printable import printable
from tocsin.rules.traits import changed

LONGEST_SUMMARY = 220
ASKED = (*(name for name in FACETS if name != "year"), "tag", "product", "category", "service",
         "index", "operation")  # fmt: skip
"""Fields whose texts are numbered."""


class _Texts:
    """Numbers texts, each once."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def browser_files(entries: Sequence[Entry]) -> Iterator[tuple[str, bytes]]:
    """Yield the two scripts."""
    yield "static/rules.js", _script("rules", _rules(entries))
    yield "static/tests.js", _script("tests", _tests(entries))


def _script(name: str, data: object) -> bytes:
    """Write data as a call of what the page's script defines; no text of it can end the script."""
    return f"tocsin({orjson.dumps(name).decode()}, ".encode() + orjson.dumps(data) + b");\n"


def _shortened(text: str) -> str:
    """Return the words of a text that fit; of one that is too long itself, what fits of it."""
    text = " ".join(text.split())
    if len(text) <= LONGEST_SUMMARY:
        return text
    start = text[: LONGEST_SUMMARY - 1]
    return (start.rpartition(" ")[0] or start) + "…"


def _rules(entries: Sequence[Entry]) -> Mapping[str, object]:
    texts = {name: _Texts() for name in ASKED}
    rows = []
    for entry in entries:
        rule = entry.rule
        summary = printable(_shortened(rule.description))
        numbers = [[texts[name].number(text) for text in entry.traits[name]] for name in ASKED]
        rows.append([entry.address, rule.id, printable(rule.name), summary, changed(rule), numbers])
    return {
        "fields": ASKED,
        "facets": FACETS,
        "texts": {name: list(of.texts) for name, of in texts.items()},
        "names": _names(texts),
        "replaced": load_attack().replaced,
        "rules": rows,
    }


def _names(texts: Mapping[str, _Texts]) -> Mapping[str, str]:
    """Return what ids of ATT&CK are called."""
    attack = load_attack()
    tactics = {one: attack.tactic(one).name for one in texts["tactic"].texts}
    techniques = {one: attack.technique(one).full for one in texts["technique"].texts}
    return {key: name for key, name in (tactics | techniques).items() if name}


def _tests(entries: Sequence[Entry]) -> Mapping[str, object]:
    fields, ops, values = _Texts(), _Texts(), _Texts()
    holders: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        keys = (
            (
                fields.number(canonical),
                fields.number(field),
                ops.number(op),
                values.number(value[:LONGEST_VALUE]),
            )
            for field, canonical, op, value in entry.tests()
        )
        for key in dict.fromkeys(keys):
            holders[key].append(number)
    return {
        "fields": list(fields.texts),
        "ops": list(ops.texts),
        "values": list(values.texts),
        "tests": [[*key, *_steps(numbers)] for key, numbers in holders.items()],
    }


def _steps(numbers: Sequence[int]) -> list[int]:
    """Return the differences of rising numbers, which take less room than the numbers."""
    return [one - before for before, one in zip([0, *numbers], numbers, strict=False)]
