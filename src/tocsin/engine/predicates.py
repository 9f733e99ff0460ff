"""Evaluate many predicates on the distinct values of one column at once.

`ColumnTests` holds every predicate on one field of a plan. Literals go through one Aho-Corasick
automaton per case, equality through a hash table, networks through tables by prefix length, regexes
and globs through one `re2.Set`. The result names, per predicate, the distinct cells it holds for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import re2
from ahocorasick_rs import AhoCorasick

from tocsin.condition.evaluate import as_number, glob_text, regex_options, regex_text
from tocsin.condition.functions import Scalar, fold, parse_address, parse_network
from tocsin.condition.tree import Glob, Op, Predicate, Regex, Value, Wild
from tocsin.engine.columns import Cells, Lazy, Mask, Texts
from tocsin.python.values import kind_name

Numbers: TypeAlias = npt.NDArray[np.int64]

Tables = Mapping[int, Mask]
"""Predicate number → a truth value per distinct cell, and a last one, false, for absent rows."""

_SET_MEMORY = 16 << 20
_DOCUMENTS = {kind_name({}), kind_name([])}


class _Pool:
    """Collects which predicates hold for which distinct cells."""

    def __init__(self, predicates: int, cells: int) -> None:
        self._cells = cells
        self._table = np.zeros((predicates, cells + 1), dtype=np.bool_)

    def add(self, predicates: Iterable[int], cell: int) -> None:
        """Add some predicates of one cell."""
        for predicate in predicates:
            self._table[predicate, cell] = True

    def add_all(self, predicates: Numbers, cells: Numbers) -> None:
        """Add one pair per position of two arrays."""
        self._table[predicates, cells] = True

    def add_cells(self, predicates: Iterable[int], cells: Numbers) -> None:
        """Add some predicates of many cells."""
        for predicate in predicates:
            self._table[predicate, cells] = True

    def tables(self, numbers: Sequence[int]) -> Tables:
        """Return a table for every predicate that holds anywhere, under its number."""
        held = np.flatnonzero(self._table.any(axis=1)).tolist()
        return {numbers[at]: self._table[at] for at in held}


class ColumnTests:
    """The predicates of one column, compiled; `predicates` are (number, predicate) pairs."""

    def __init__(self, predicates: Sequence[tuple[int, Predicate]]) -> None:
        self._present: list[int] = []
        self._null: list[int] = []
        self._numbers: dict[int | Decimal, list[int]] = defaultdict(list)
        self._booleans: dict[bool, list[int]] = defaultdict(list)
        self._bounds: list[tuple[Callable[[object, object], bool], int | Decimal, int]] = []
        self._networks = _Networks()
        self._any_text: list[int] = []
        self._as_written = _Texts()
        self._folded = _Texts(fold)
        self._plan_numbers = [number for number, _ in predicates]
        for at, (_, predicate) in enumerate(predicates):
            self._add(at, predicate)
        self._looks = any(one.op is not Op.EXISTS for _, one in predicates)
        self._matchers = [texts.compile() for texts in (self._as_written, self._folded) if texts]

    def _add(self, number: int, predicate: Predicate) -> None:
        if predicate.op is Op.EXISTS:
            self._present.append(number)
        elif predicate.op is Op.IS_NULL:
            self._null.append(number)
        for value in predicate.values:
            self._add_value(number, predicate, value)

    def _add_value(self, number: int, predicate: Predicate, value: Value) -> None:
        texts = self._folded if predicate.fold_case else self._as_written
        if predicate.op is Op.EQUALS:
            self._add_equality(number, value, texts)
        elif predicate.op in _ORDER:
            if (bound := as_number(value)) is not None:
                self._bounds.append((_ORDER[predicate.op], bound, number))
        elif predicate.op is Op.CIDR:
            self._networks.add(str(value), number)
        elif isinstance(value, Regex):
            self._as_written.add_pattern(regex_text(value), number)
        else:
            self._add_text(number, predicate.op, value, texts)

    def _add_equality(self, number: int, value: Value, texts: "_Texts") -> None:
        if isinstance(value, bool):
            self._booleans[value].append(number)
        elif isinstance(value, int | Decimal):
            self._numbers[value].append(number)
        elif isinstance(value, str):
            texts.equal[texts.cased(value)].append(number)

    def _add_text(self, number: int, op: Op, value: Value, texts: "_Texts") -> None:
        if isinstance(value, Glob):
            if value.parts == (Wild.ANY,):
                self._any_text.append(number)
            else:
                texts.add_glob(value, number)
        elif value == "":
            self._any_text.append(number)
        elif isinstance(value, str):
            texts.add_literal(op, value, number)

    def evaluate(self, cells: Cells, chosen: Numbers | None = None) -> Tables:
        """Return where each predicate holds, for those that hold for any cell of a column.

        With `chosen` only those distinct cells are looked at.
        """
        pool = _Pool(len(self._plan_numbers), len(cells.values))
        numbers = range(len(cells.values)) if chosen is None else chosen.tolist()
        if self._looks:
            self._look(cells, numbers, pool)
        pool.add_cells(self._present, np.array(numbers, dtype=np.int64))
        return pool.tables(self._plan_numbers)

    def _look(self, cells: Cells, numbers: Sequence[int], pool: _Pool) -> None:
        """Test the values themselves."""
        texts, owners = self._split(cells, numbers, pool)
        cell_numbers = np.array(owners, dtype=np.int64)
        pool.add_cells(self._any_text, cell_numbers)
        self._networks.test(texts, owners, pool)
        for matcher in self._matchers:
            matcher.test(texts, cell_numbers, pool)

    def _split(
        self, cells: Cells, numbers: Sequence[int], pool: _Pool
    ) -> tuple[Sequence[str], Sequence[int]]:
        """Return the texts of some cells and which cell each is of; test all other values."""
        if isinstance(cells.values, Texts):
            every = cells.values.texts
            texts = every if len(numbers) == len(every) else [every[cell] for cell in numbers]
            return texts, numbers
        texts, owners = [], []
        kinds = cells.values.kinds if isinstance(cells.values, Lazy) else None
        if kinds:  # what objects and lists hold is not asked for
            numbers = [cell for cell in numbers if kinds[cell] not in _DOCUMENTS]
        for cell in numbers:
            for value in cells.values[cell]:
                if isinstance(value, str):
                    texts.append(value)
                    owners.append(cell)
                else:
                    self._test_other(value, cell, pool)
        return texts, owners

    def _test_other(self, value: Scalar, cell: int, pool: _Pool) -> None:
        if value is None:
            pool.add(self._null, cell)
        elif isinstance(value, bool):
            pool.add(self._booleans.get(value, ()), cell)
        elif (number := as_number(value)) is not None:
            pool.add(self._numbers.get(number, ()), cell)
            for compare, bound, predicate in self._bounds:
                if compare(number, bound):
                    pool.add((predicate,), cell)


_ORDER: Mapping[Op, Callable[..., bool]] = {
    Op.LESS: lambda a, b: a < b,
    Op.LESS_OR_EQUAL: lambda a, b: a <= b,
    Op.GREATER: lambda a, b: a > b,
    Op.GREATER_OR_EQUAL: lambda a, b: a >= b,
}


class _Networks:
    """Networks by family and prefix length: an address is looked up once per length."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], dict[int, list[int]]] = {}

    def add(self, text: str, predicate: int) -> None:
        network = parse_network(text)
        shift = network.max_prefixlen - network.prefixlen
        table = self._tables.setdefault((network.version, shift), defaultdict(list))
        table[int(network.network_address) >> shift].append(predicate)

    def test(self, texts: Sequence[str], owners: Sequence[int], pool: _Pool) -> None:
        if not self._tables:
            return
        for text, cell in zip(texts, owners, strict=True):
            address = parse_address(text)
            if address is None:
                continue
            number = int(address)
            for (version, shift), table in self._tables.items():
                if version == address.version:
                    pool.add(table.get(number >> shift, ()), cell)


class _Texts:
    """What is asked of texts in one reading of case."""

    def __init__(self, cased: Callable[[str], str] = str) -> None:
        self.cased = cased
        self.equal: dict[str, list[int]] = defaultdict(list)
        self.literals: dict[str, list[tuple[Op, int]]] = defaultdict(list)
        self.patterns: dict[str, list[int]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self.equal or self.literals or self.patterns)

    def add_literal(self, op: Op, text: str, predicate: int) -> None:
        self.literals[self.cased(text)].append((op, predicate))

    def add_pattern(self, pattern: str, predicate: int) -> None:
        self.patterns[pattern].append(predicate)

    def add_glob(self, glob: Glob, predicate: int) -> None:
        parts = tuple(part if isinstance(part, Wild) else self.cased(part) for part in glob.parts)
        self.patterns[f"\\A(?:{glob_text(Glob(parts))})\\z"].append(predicate)

    def compile(self) -> "_Matcher":
        return _Matcher(self)


class _Matcher:
    """The compiled form of `_Texts`."""

    def __init__(self, texts: _Texts) -> None:
        self._cased = texts.cased
        self._folds = texts.cased is not str
        self._equal = dict(texts.equal)
        self._letters = {text: of for text, of in texts.literals.items() if _is_common(text)}
        literals = [text for text in texts.literals if text not in self._letters]
        wants = [texts.literals[text] for text in literals]
        self._contains = _Lists.of(wants, Op.CONTAINS)
        self._starts = _Lists.of(wants, Op.STARTSWITH)
        self._ends = _Lists.of(wants, Op.ENDSWITH)
        self._automaton = AhoCorasick(literals) if literals else None
        self._patterns = list(texts.patterns.values())
        self._find_patterns = _compile_set(list(texts.patterns)) if texts.patterns else None

    def test(self, texts: Sequence[str], cells: Numbers, pool: _Pool) -> None:
        cased = [self._cased(text) for text in texts] if self._folds else texts
        if self._equal:
            self._test_equal(cased, cells, pool)
        for letter, wants in self._letters.items():
            self._test_letter(letter, wants, cased, cells, pool)
        if self._automaton:
            self._test_literals(self._automaton, cased, cells, pool)
        if self._find_patterns:
            for at, text in enumerate(cased):
                for pattern in self._find_patterns(text) or ():
                    pool.add(self._patterns[pattern], int(cells[at]))

    def _test_equal(self, texts: Sequence[str], cells: Numbers, pool: _Pool) -> None:
        equal = self._equal
        for at in [at for at, text in enumerate(texts) if text in equal]:
            pool.add(equal[texts[at]], int(cells[at]))

    def _test_letter(
        self,
        letter: str,
        wants: Sequence[tuple[Op, int]],
        texts: Sequence[str],
        cells: Numbers,
        pool: _Pool,
    ) -> None:
        """Test a literal so common that the automaton would find it far too often."""
        for op, test in _LETTER_TESTS.items():
            predicates = [predicate for kind, predicate in wants if kind is op]
            if predicates:
                found = np.fromiter((test(text, letter) for text in texts), np.bool_, len(texts))
                pool.add_cells(predicates, cells[found])

    def _test_literals(
        self, automaton: AhoCorasick, texts: Sequence[str], cells: Numbers, pool: _Pool
    ) -> None:
        find = automaton.find_matches_as_indexes
        found = [find(text, overlapping=True) for text in texts]
        counts = [len(hits) for hits in found]
        flat = np.fromiter(chain.from_iterable(chain.from_iterable(found)), np.int64)
        literals, starts, ends = flat.reshape(-1, 3).T
        cells = np.repeat(cells, counts)
        sizes = np.repeat(np.fromiter(map(len, texts), np.int64, len(texts)), counts)
        for lists, chosen in (
            (self._contains, slice(None)),
            (self._starts, starts == 0),
            (self._ends, ends == sizes),
        ):
            at, predicates = lists.expand(literals[chosen])
            pool.add_all(predicates, cells[chosen][at])


def _is_common(literal: str) -> bool:
    return len(literal) == 1 and literal.isascii()


_LETTER_TESTS: Mapping[Op, Callable[[str, str], bool]] = {
    Op.CONTAINS: str.__contains__,
    Op.STARTSWITH: str.startswith,
    Op.ENDSWITH: str.endswith,
}


@dataclass(frozen=True, slots=True)
class _Lists:
    """A list of predicates per literal, end to end in one array."""

    starts: Numbers
    sizes: Numbers
    predicates: Numbers

    @classmethod
    def of(cls, wants: Sequence[Sequence[tuple[Op, int]]], op: Op) -> "_Lists":
        lists = [[number for kind, number in want if kind is op] for want in wants]
        sizes = np.array([len(one) for one in lists], np.int64)
        flat = np.array([number for one in lists for number in one], np.int64)
        return cls(np.cumsum(sizes) - sizes, sizes, flat)

    def expand(self, literals: Numbers) -> tuple[Numbers, Numbers]:
        """Return, for each predicate of each literal, the literal's position and the predicate."""
        sizes = self.sizes[literals]
        at = np.repeat(np.arange(len(literals)), sizes)
        inside = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return at, self.predicates[self.starts[literals][at] + inside]


def _compile_set(patterns: Sequence[str]) -> Callable[[str], Iterable[int] | None]:
    """Return a function that names the patterns found in a text."""
    options = regex_options()
    options.max_mem = _SET_MEMORY
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    search: Callable[[str], Iterable[int] | None] = found.Match
    return search
