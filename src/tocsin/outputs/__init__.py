"""The forms in which alerts are written; one module and one line here each."""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from tocsin.outputs.base import Output
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.outputs.table import TableOutput

OUTPUTS: Mapping[str, Callable[[BinaryIO], Output]] = {
    "table": TableOutput,
    "ndjson": NdjsonOutput,
}


def make_output(name: str, stream: BinaryIO) -> Output:
    """Make an output that writes to a stream of bytes."""
    return OUTPUTS[name](stream)
