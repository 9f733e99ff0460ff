"""Search whole records for keywords: their raw bytes first, decoded values to confirm.

A row is left out only if its bytes, ASCII-lowered, hold none of the literals of which one must
stand in every match, nor anything that could hide one: escapes that JSON does not need, and the few
letters beyond ASCII that fold into it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import orjson
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from tocsin.condition.evaluate import compile_test
from tocsin.condition.functions import fold
from tocsin.condition.tree import Field, Glob, Op, Predicate, Value
from tocsin.engine.columns import Mask, Rows
from tocsin.engine.frame import Frame
from tocsin.engine.records import Haystack, Records
from tocsin.jsontext import read
from tocsin.logs.view import RecordView

Keyword = tuple[int, tuple, Predicate]  # type: ignore[type-arg]

_FOLD_TO_ASCII = tuple(text.encode() for text in ("\u0130", "\u212a"))
_HIDE_ASCII = (b"\\/", b"\\u0130", b"\\u212a", *(b"\\u00%d" % digit for digit in range(8)))
"""Escapes, lowered, that stand for an ASCII character or for one that folds to it."""
_UNNEEDED = re.compile(rb"\\u([0-9a-fA-F]{4})|\\/")
_NUMBER_OR_TRUTH = re.compile(r"[-+.0-9e]+|[truefals]+")
"""What could be part of the text of a number or a truth value."""
_PAIR, _STAND_IN = b"\\\\", b"\x00\x00"


class KeywordSearch:
    """Finds the rows of a frame that hold keywords; `leaves` are (number, functions, predicate)."""

    def __init__(self, leaves: Sequence[Keyword]) -> None:
        self._leaves = leaves
        needed = [_needed(predicate) for _, _, predicate in leaves]
        self._every_row = None in needed
        literals = {literal for of in needed for literal in of or ()}
        self._numbers = any(map(_NUMBER_OR_TRUTH.fullmatch, literals))
        self._literals = _automaton(spelling for text in literals for spelling in _spellings(text))
        self._in_cells = _automaton(
            spelling for text in literals for spelling in (text.encode(), *_spellings(text))
        )
        # One automaton of its own: few enough patterns for the vectorised search.
        self._hiding = _automaton({*_HIDE_ASCII, *_FOLD_TO_ASCII})

    def find(self, frame: Frame) -> Iterable[tuple[int, Mask]]:
        """Return (leaf number, mask) for the keywords that are found in any row."""
        masks: dict[int, Mask] = {}
        for row, text in self._candidates(frame.records):
            view = RecordView(read(text).value, frame.shape)
            for number, calls, predicate in self._leaves:
                test = compile_test(predicate.op, predicate.values, predicate.fold_case)
                if any(map(test, view.read(Field((), calls)) or ())):
                    masks.setdefault(number, np.zeros(frame.rows, np.bool_))[row] = True
        return masks.items()

    def _candidates(self, records: Records) -> Iterator[tuple[int, str]]:
        """Yield the records that may hold a keyword, as JSON texts."""
        if self._every_row:
            yield from enumerate(records.texts())
            return
        found = [self._found_in(hay) for hay in records.haystacks(numbers=self._numbers)]
        rows = np.unique(np.concatenate(found)) if found else np.array([], np.int64)
        if not len(rows):
            return
        for row, text in zip(rows.tolist(), records.take(rows).texts(), strict=True):
            if self._is_candidate(text.encode()):
                yield row, text

    def _found_in(self, haystack: Haystack) -> Rows:
        """Return the records of a haystack that hold a literal, or what could hide one."""
        literals = self._in_cells if haystack.in_cells else self._literals
        hits = literals.find_matches_as_indexes(haystack.data)
        hits += self._hiding.find_matches_as_indexes(haystack.data)
        return haystack.rows(np.fromiter((hit[1] for hit in hits), np.int64, len(hits)))

    def _is_candidate(self, text: bytes) -> bool:
        plain = _without_escapes(text)
        if any(letter in plain for letter in _FOLD_TO_ASCII):
            return True
        return bool(self._literals.find_matches_as_indexes(plain.lower()))


def _automaton(literals: Iterable[bytes]) -> BytesAhoCorasick:
    return BytesAhoCorasick(sorted(set(literals)), matchkind=MatchKind.LeftmostFirst)


def _without_escapes(text: bytes) -> bytes:
    """Write the escapes that JSON does not need as the characters they stand for."""
    plain = _UNNEEDED.sub(_unescape, text.replace(_PAIR, _STAND_IN)).replace(_STAND_IN, _PAIR)
    return _join_surrogates(plain)


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return b"/"
    char = chr(int(match[1], 16))
    if char < " " or char in '"\\':
        return orjson.dumps(char)[1:-1].replace(_PAIR, _STAND_IN)
    return char.encode("utf-8", "surrogatepass")


def _join_surrogates(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        whole = text.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return whole.decode("utf-16-le", "replace").encode()
    return text


def _needed(predicate: Predicate) -> set[str] | None:
    """Return literals of which one must stand in a match; None if none is known."""
    if predicate.op in {Op.REGEX, Op.CIDR, Op.IS_NULL, Op.EXISTS}:
        return None
    found = {max(_ascii_parts(value), key=len, default="") for value in predicate.values}
    return None if "" in found else found


def _ascii_parts(value: Value) -> Iterator[str]:
    """Yield the parts of a value that only ASCII letters, or letters folding to them, can match."""
    texts = (
        [value] if isinstance(value, str) else list(value.parts) if isinstance(value, Glob) else []
    )
    for text in texts:
        if isinstance(text, str):
            yield from re.findall(r"[\x00-\x7f]+", fold(text))


def _spellings(literal: str) -> Iterator[bytes]:
    """Yield how a literal stands in raw JSON: escaped once, and again inside JSON in a string."""
    once = orjson.dumps(literal)[1:-1]
    yield once.lower()
    yield orjson.dumps(once.decode())[1:-1].lower()
