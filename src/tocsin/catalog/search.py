"""Search in the index: a query → rules in order, excerpts, and counts per facet.

The syntax is that of `--where`. Words are looked for in names, tags, descriptions, what rules test,
and guides; `"…"` is a phrase, `foo*` the beginning of a word. Sets of rules are numbers whose bits
are rules.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from tocsin.catalog.entries import MORE
from tocsin.catalog.index import facts_of, numbers_of
from tocsin.condition.functions import fold
from tocsin.content.attack import load_attack
from tocsin.errors import UsageError
from tocsin.rules.model import Severity
from tocsin.rules.select import FIELDS, ORDERS, check_order, fits, in_order, patterns_of
from tocsin.rules.where import Term, parse_terms

FACETS: Mapping[str, str] = {
    "ecosystem": "Ecosystem",
    "severity": "Severity",
    "platform": "Platform",
    "tactic": "Tactic",
    "technique": "Technique",
    "source": "Log source",
    "log_type": "Log type here",
    "verdict": "Runs here",
    "kind": "Kind",
    "status": "Status",
    "year": "Last changed",
    "has": "Has",
    "pack": "Pack",
    "author": "Author",
    "license": "Licence",
}
"""What results are counted by, in the order in which it is shown."""

ASKABLE = (*FIELDS, *MORE, "year")
MARK, UNMARK = "\x02", "\x03"
"""What stands around the words of an excerpt that were looked for."""
_EXCERPT = f"snippet(words, -1, '{MARK}', '{UNMARK}', '…', 24)"
_WEIGHTS = "12.0, 6.0, 4.0, 3.0, 1.0"
_SHORTEST = 3
"""Characters that the index of parts can look for."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that was found; `excerpt` has the words that were looked for between marks."""

    number: int
    facts: Mapping[str, object]
    excerpt: str = ""

    @property
    def severity(self) -> Severity:
        """Return the rule's severity."""
        return list(Severity)[int(str(self.facts["severity"]))]


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: one page of rules, how many there are, and counts per facet."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Sequence[tuple[str, int]]]
    """Field → texts and counts, most first; what is asked for is there even with none."""
    chosen: Mapping[str, Sequence[str]]
    """The facets that the query asks for, and with which texts."""
    seconds: float


@dataclass(slots=True)
class _Asked:
    """A query taken apart."""

    within: dict[str, int] = field(default_factory=dict)
    """Facet → the rules that its own terms leave."""
    others: int = 0
    words: list[Term] = field(default_factory=list)


class Searcher:
    """Searches one index; what it has read of it is kept."""

    def __init__(self, index: sqlite3.Connection) -> None:
        self._index = index
        self.size = int(index.execute("SELECT count(*) FROM rules").fetchone()[0])
        self._all = (1 << self.size) - 1
        self._traits: dict[str, dict[str, int]] = {}
        self._order = self._by_severity()

    def search(self, query: str, *, first: int = 0, count: int = 50, most: int = 40) -> Found:
        """Search; raise `UsageError` for a query that means nothing.

        `first` and `count` choose the page, `most` is how many texts of each facet are counted.
        """
        started = perf_counter()
        asked, chosen = self._ask(parse_terms(query, ASKABLE))
        result = asked.others
        for bits in asked.within.values():
            result &= bits
        page = self._page(result, asked.words, first, count)
        facets = {name: self._counts(name, asked, chosen, most) for name in FACETS}
        hits = self._hits(page, asked.words)
        return Found(result.bit_count(), hits, facets, chosen, perf_counter() - started)

    def numbers(self, query: str) -> int:
        """Return the rules that a query finds, as bits."""
        asked, _ = self._ask(parse_terms(query, ASKABLE))
        result = asked.others
        for bits in asked.within.values():
            result &= bits
        return result

    def _ask(self, terms: Sequence[Term]) -> tuple[_Asked, dict[str, list[str]]]:
        asked, chosen = _Asked(others=self._all), dict[str, list[str]]()
        for term in terms:
            bits = self._term(term)
            if term.field in FACETS and not term.negated and term.op not in ORDERS:
                chosen.setdefault(term.field, []).extend(term.texts)
                asked.within[term.field] = asked.within.get(term.field, 0) | bits
                continue
            asked.others &= self._all & ~bits if term.negated else bits
            if not term.field and not term.negated:
                asked.words.append(term)
        return asked, chosen

    def _term(self, term: Term) -> int:
        check_order(term)
        match term.field:
            case "":
                return self._worded(f"{_phrase(term)}")
            case "text":
                return self._worded(" AND ".join(_phrase(term, text) for text in term.texts))
            case "value":
                return self._union(self._valued(term))
            case "indicator":
                return self._union(self._tested(term))
        return self._trait(term)

    def _trait(self, term: Term) -> int:
        traits = self.traits(term.field)
        patterns = patterns_of(term) if term.op not in ORDERS else [term.text.lower()]
        if term.field == "technique":
            patterns = [load_attack().technique(one.upper()).id.lower() for one in patterns]
        if term.field == "severity" and term.op in ORDERS:
            return _or(traits.get(one, 0) for one in _severities(term))
        if term.op in ORDERS:
            return _or(bits for text, bits in traits.items() if in_order(text, term.op, term.text))
        return _or(bits for text, bits in traits.items() if fits(text.lower(), patterns, term))

    def traits(self, name: str) -> Mapping[str, int]:
        """Return the texts of a field and the rules that have each."""
        if name == "year":
            return self._years()
        found = self._traits.get(name)
        if found is None:
            rows = self._index.execute("SELECT text, rules FROM traits WHERE field = ?", (name,))
            found = self._traits[name] = {text: _bits(numbers_of(data)) for text, data in rows}
        return found

    def _years(self) -> Mapping[str, int]:
        if "year" not in self._traits:
            years: dict[str, int] = {}
            for text, bits in self.traits("changed").items():
                years[text[:4]] = years.get(text[:4], 0) | bits
            self._traits["year"] = years
        return self._traits["year"]

    def _valued(self, term: Term) -> Iterator[bytes]:
        for text in map(fold, term.texts):
            if term.op == "=" and "*" not in text:
                where, asked = "value = ?", text
            elif "*" in text:
                where, asked = "value GLOB ?", _glob(text)
            elif len(text) < _SHORTEST:
                where, asked = "instr(value, ?)", text
            else:
                where = "value IN (SELECT value FROM parts WHERE parts MATCH ?) AND instr(value, ?)"
                yield from self._rules(where, _quoted(text), text)
                continue
            yield from self._rules(where, asked)

    def _rules(self, where: str, *asked: str) -> Iterator[bytes]:
        rows = self._index.execute(f"SELECT rules FROM tests WHERE {where}", asked)
        return (row[0] for row in rows)

    def _tested(self, term: Term) -> Iterator[bytes]:
        """Yield the rules of a test, written `field|op|value`, or `canonical|*|value`."""
        for text in term.texts:
            name, op, value = (*text.split("|", 2), "", "")[:3]
            if op == "*":
                yield from self._rules("value = ? AND canonical = ?", fold(value), name)
            else:
                where = "value = ? AND field = ? AND op = ?"
                yield from self._rules(where, fold(value), fold(name), op)

    def _union(self, rows: Iterable[bytes]) -> int:
        return _bits(number for data in rows for number in numbers_of(data))

    def _worded(self, match: str) -> int:
        if not match:
            return self._all
        rows = self._index.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,))
        return _bits(row[0] for row in rows)

    def _page(self, result: int, words: Sequence[Term], first: int, count: int) -> list[int]:
        """Return the numbers of a page: best first if there are words, else worst first."""
        if match := " AND ".join(filter(None, map(_phrase, words))):
            order: Iterable[int] = (
                row[0]
                for row in self._index.execute(
                    f"SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, {_WEIGHTS})",
                    (match,),
                )
            )
        else:
            order = self._order
        found = []
        for number in order:
            if result >> number & 1:
                found.append(number)
                if len(found) == first + count:
                    break
        return found[first:]

    def _hits(self, page: Sequence[int], words: Sequence[Term]) -> tuple[Hit, ...]:
        facts = facts_of(self._index, page)
        excerpts: dict[int, str] = {}
        if match := " AND ".join(filter(None, map(_phrase, words))):
            marks = ", ".join("?" * len(page))
            rows = self._index.execute(
                f"SELECT rowid, {_EXCERPT} FROM words WHERE words MATCH ? AND rowid IN ({marks})",
                (match, *page),
            )
            excerpts = dict(rows)
        return tuple(Hit(number, facts[number], excerpts.get(number, "")) for number in page)

    def _counts(
        self, name: str, asked: _Asked, chosen: Mapping[str, Sequence[str]], most: int
    ) -> list[tuple[str, int]]:
        """Count a facet's texts among what all other terms leave."""
        rest = asked.others
        for other, bits in asked.within.items():
            if other != name:
                rest &= bits
        counts = [(text, (bits & rest).bit_count()) for text, bits in self.traits(name).items()]
        wanted = {text.lower() for text in chosen.get(name, ())}
        kept = [one for one in counts if one[1] or one[0].lower() in wanted]
        if name == "severity":
            return sorted(kept, key=lambda one: -Severity(one[0]).rank)
        if name == "year":
            return sorted(kept, reverse=True)[:most]
        kept.sort(key=lambda one: (one[0].lower() not in wanted, -one[1], one[0]))
        return kept[:most]

    def _by_severity(self) -> list[int]:
        rows = self._index.execute(
            "SELECT number FROM rules ORDER BY severity DESC, changed DESC, number"
        )
        return [row[0] for row in rows]


def _or(sets: Iterable[int]) -> int:
    found = 0
    for bits in sets:
        found |= bits
    return found


def _bits(numbers: Iterable[int]) -> int:
    """Return a set of numbers as the bits of one."""
    listed = list(numbers)
    if not listed:
        return 0
    if len(listed) == 1:
        return 1 << listed[0]
    data = bytearray(max(listed) // 8 + 1)
    for number in listed:
        data[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(data, "little")


def _severities(term: Term) -> list[str]:
    [bound] = patterns_of(term) if len(term.texts) == 1 else [""]
    if not bound:
        raise UsageError(f"--where: severity{term.op} takes one severity")
    rank = Severity(bound).rank
    compare = {">=": rank.__le__, "<=": rank.__ge__, ">": rank.__lt__, "<": rank.__gt__}
    return [one.value for one in Severity if compare[term.op](one.rank)]


def _phrase(term: Term, text: str | None = None) -> str:
    """Write a word or phrase for FTS5; one without a letter or digit asks for nothing."""
    asked = term.text if text is None else text
    if not any(map(str.isalnum, asked)):
        return ""
    star = "*" if asked.endswith("*") and not term.exact else ""
    return f"{_quoted(asked.rstrip('*') if star else asked)}{star}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\0", " ").replace('"', '""') + '"'


def _glob(text: str) -> str:
    return "".join(f"[{one}]" if one in "[?" else one for one in text)
