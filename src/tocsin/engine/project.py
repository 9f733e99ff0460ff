"""JSON texts as records: DuckDB reads the columns that are asked for, and no schema is inferred."""

import re
from collections.abc import Hashable, Iterable, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.engine.columns import Encoded, Rows, codes_of, encode_texts
from tocsin.engine.layout import (
    ROOT,
    KeyPath,
    Layout,
    Signature,
    Source,
    Unseen,
    locate,
)
from tocsin.engine.records import Haystack, Keys, SmallLetters, TextHaystack
from tocsin.jsontext import Json, compact, read
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import Leaf

MAX_REMEMBERED = 20_000
MAX_USUAL = 16
"""How many containers are looked at before it is known which records need them."""


class Projector:
    """Reads JSON with DuckDB, and remembers the key signatures it has seen."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:", config={"threads": 1})
        self._signatures: dict[Hashable, Signature | None] = {}
        self._sources: dict[tuple[Shape, Signature], dict[Leaf, Source | None]] = {}
        self._layouts: dict[tuple[Shape, tuple[Leaf, ...]], dict[Signature, Layout]] = {}
        self._same: dict[Layout, Layout] = {}
        self._batch = 0
        self._usual: dict[KeyPath, None] = {ROOT: None}
        self.needed: dict[Shape, dict[KeyPath, None]] = {}
        """Containers that records of a shape turned out to need: asking again costs a query."""

    def signatures_of_batch(self, raw: pa.StringArray) -> Keys:
        """Return the keys of the containers that most records of batches are asked for."""
        self._batch = len(raw)
        return self.signatures(raw, tuple(self._usual))

    def signatures(self, raw: pa.StringArray, containers: tuple[KeyPath, ...]) -> Keys:
        """Return the keys of some containers of each record."""
        self.forget_if_many()
        if len(raw) * 2 > self._batch and len(self._usual | dict.fromkeys(containers)) <= MAX_USUAL:
            self._usual.update(dict.fromkeys(containers))
        keys = f"try(json_keys(raw, [{', '.join(map(_quote_path, containers))}]))"
        hashed = self._query(raw, f"select hash(keys) as h from (select {keys} as keys from batch)")
        hashes: npt.NDArray[np.uint64] = hashed.column(0).to_numpy()
        distinct, first, codes = np.unique(hashes, return_index=True, return_inverse=True)
        fresh = [
            (int(value), int(row))
            for value, row in zip(distinct, first, strict=True)
            if (containers, int(value)) not in self._signatures
        ]
        if fresh:
            sample = raw.take(pa.array([row for _, row in fresh]))
            found = self._query(sample, f"select {keys} as keys from batch").column(0).to_pylist()
            for (value, _), lists in zip(fresh, found, strict=True):
                self._signatures[containers, value] = _signature(containers, lists)
        known = [self._signatures[containers, int(value)] for value in distinct]
        return Keys(containers, codes.astype(np.int32), known)

    def forget_if_many(self) -> None:
        """Forget the signatures if there are too many; nothing but time is lost."""
        if len(self._signatures) > MAX_REMEMBERED:
            self._signatures.clear()
            self._sources.clear()
            self._layouts.clear()
            self._same.clear()
            self.needed.clear()
            self._usual = {ROOT: None}

    def remember(self, key: Hashable, signature: Signature) -> Signature:
        """Return the signature that is known under a key, or the one given, known from now on."""
        return self._signatures.setdefault(key, signature) or signature

    def extract(self, raw: pa.StringArray, paths: Sequence[KeyPath]) -> list[pa.StringArray]:
        """Return, for each path, the JSON text that each row has there; null where it has none."""
        wanted = ", ".join(map(_quote_path, paths))
        each = ", ".join(f"found[{at}]" for at in range(1, len(paths) + 1))
        found = f"(select json_extract(raw, [{wanted}]) as found from batch)"
        table = self._query(raw, f"select {each} from {found}")
        return [column.combine_chunks() for column in table.columns]

    def lay_out(
        self, signatures: Iterable[Signature | None], leaves: tuple[Leaf, ...], shape: Shape
    ) -> tuple[list[Layout], dict[KeyPath, None]]:
        """Return a layout per signature, and the containers that have to be looked at first."""
        unseen: dict[KeyPath, None] = {}
        known = self._layouts.setdefault((shape, leaves), {})
        layouts: list[Layout] = []
        for signature in signatures:
            if signature is not None and signature not in known:
                layout, complete = self._layout(signature, leaves, shape, unseen)
                if complete:
                    known[signature] = self._same.setdefault(layout, layout)
            layouts.append(known.get(signature) if signature else None)
        return layouts, unseen

    def _layout(
        self,
        signature: Signature,
        leaves: tuple[Leaf, ...],
        shape: Shape,
        unseen: dict[KeyPath, None],
    ) -> tuple[Layout, bool]:
        """Return a layout, and whether all containers that it needs were looked at."""
        known = self._sources.setdefault((shape, signature), {})
        sources: list[Source] = []
        for leaf in leaves:
            if leaf not in known:
                try:
                    known[leaf] = locate(leaf, shape, signature)
                except Unseen as missing:
                    unseen[missing.container] = None
                    continue
            source = known[leaf]
            if source is None:
                return None, True
            sources.append(source)
        complete = len(sources) == len(leaves)
        return tuple(sources) if complete else None, complete

    def _query(self, raw: pa.StringArray, sql: str) -> pa.Table:
        self._database.register("batch", pa.table({"raw": raw}))
        try:
            return self._database.sql(sql).to_arrow_table()
        finally:
            self._database.unregister("batch")


def _quote_path(path: KeyPath) -> str:
    text = "$" + "".join(f'."{key}"' for key in path)
    return "'" + text.replace("'", "''") + "'"


def _signature(
    containers: tuple[KeyPath, ...], lists: list[list[str] | None] | None
) -> Signature | None:
    if lists is None:
        return None
    return Signature(
        {
            container: None if keys is None else tuple(keys)
            for container, keys in zip(containers, lists, strict=True)
        }
    )


class JsonRecords:
    """Records held as their JSON texts."""

    def __init__(self, projector: Projector, raw: pa.StringArray, keys: Keys | None = None) -> None:
        self.raw = raw
        self._projector = projector
        self._keys = keys

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self.raw)

    def take(self, rows: Rows) -> "JsonRecords":
        """Return some of them."""
        keys = self._keys.take(rows) if self._keys else None
        return JsonRecords(self._projector, self.raw.take(pa.array(rows)), keys)

    def keys(self, containers: Sequence[KeyPath]) -> Keys:
        """Return the keys of at least these containers of every record."""
        if self._keys is None or not set(containers) <= set(self._keys.containers):
            seen = self._keys.containers if self._keys else ()
            wanted = tuple(dict.fromkeys((*seen, *containers)))
            self._keys = self._projector.signatures(self.raw, wanted)
        return self._keys

    def columns(self, paths: Sequence[KeyPath]) -> list[Encoded]:
        """Return what stands at each path."""
        found = self._projector.extract(self.raw, paths)
        return [
            encode_texts(_as_written(self.raw, path, texts))
            for path, texts in zip(paths, found, strict=True)
        ]

    def texts(self) -> list[str]:
        """Return every record as JSON text."""
        texts: list[str] = self.raw.to_pylist()
        return texts

    def haystacks(self, *, numbers: bool) -> list[Haystack]:  # noqa: ARG002
        """Return the texts themselves: whatever a keyword can match stands in them."""
        return [TextHaystack(SmallLetters.of(self.raw), in_cells=False)]


_NUMBER_PART = r"(?:^|[:\[,])-?[0-9]+[.eE]"
_REWRITTEN = re.compile(_NUMBER_PART)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')


def _is_rewritten(text: str) -> bool:
    """Say whether JSON holds a number that DuckDB may write in its own way."""
    return text[0] != '"' and bool(_REWRITTEN.search(_STRING.sub("", text)))


def _as_written(raw: pa.StringArray, path: KeyPath, column: pa.StringArray) -> pa.DictionaryArray:
    """Encode a column, with the numbers that DuckDB writes in its own way as they were written."""
    encoded = column.dictionary_encode()
    texts = encoded.dictionary
    if pc.all(pc.starts_with(texts, '"')).as_py():
        return encoded
    suspect = pc.indices_nonzero(pc.match_substring_regex(texts, _NUMBER_PART)).to_pylist()
    odd = [at for at in suspect if _is_rewritten(texts[at].as_py())]
    if not odd:
        return encoded
    written = column.to_pylist()
    for at in np.flatnonzero(np.isin(codes_of(encoded), odd)).tolist():
        value: Json = read(raw[at].as_py()).value
        for key in path:
            assert isinstance(value, dict)
            value = value[key]
        written[at] = compact(value)
    return pa.array(written, pa.string()).dictionary_encode()
