"""One Detection Finding of OCSF per line."""

from typing import BinaryIO

from tocsin.alerts.export.ocsf import to_ocsf
from tocsin.outputs.ndjson import NdjsonOutput


def ocsf_output(stream: BinaryIO) -> NdjsonOutput:
    """Make an output that writes alerts as findings of OCSF."""
    return NdjsonOutput(stream, to_ocsf)
