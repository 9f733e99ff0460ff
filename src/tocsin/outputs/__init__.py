"""The forms in which alerts are written; one module and one line here each."""

from collections.abc import Callable, Mapping
from typing import BinaryIO, TextIO, cast

from tocsin.outputs.base import Output
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.outputs.table import TableOutput


def _table(stream: BinaryIO) -> Output:
    import codecs

    return TableOutput(cast("TextIO", codecs.getwriter("utf-8")(stream)))


OUTPUTS: Mapping[str, Callable[[BinaryIO], Output]] = {
    "table": _table,
    "ndjson": NdjsonOutput,
}


def make_output(name: str, stream: BinaryIO) -> Output:
    """Make an output that writes to a stream of bytes."""
    return OUTPUTS[name](stream)
