"""One document per line, as Elastic Security keeps alerts."""

from typing import BinaryIO

from tocsin.alerts.export.ecs import to_ecs
from tocsin.outputs.ndjson import NdjsonOutput


def ecs_output(stream: BinaryIO) -> NdjsonOutput:
    """Make an output that writes alerts as Elastic Security does."""
    return NdjsonOutput(stream, to_ecs)
