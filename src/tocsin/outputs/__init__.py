"""The forms in which alerts are written; one module and one line here each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import BinaryIO, TypeAlias

from tocsin.errors import UsageError
from tocsin.outputs.base import Output
from tocsin.outputs.csv import CsvOutput
from tocsin.outputs.ecs import ecs_output
from tocsin.outputs.groups import GROUPINGS
from tocsin.outputs.html import HtmlOutput
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.outputs.ocsf import ocsf_output
from tocsin.outputs.table import TableOutput

OutputMaker: TypeAlias = Callable[[BinaryIO], Output]
"""Makes an output that writes to a stream of bytes."""

OUTPUTS: Mapping[str, OutputMaker] = {
    "table": TableOutput,
    "ndjson": NdjsonOutput,
    "ecs": ecs_output,
    "ocsf": ocsf_output,
    "csv": CsvOutput,
    "html": HtmlOutput,
}


def choose_output(name: str, group: str | None = None) -> OutputMaker:
    """Return what makes the output of a name, of a table with what its lines stand for.

    Raises `UsageError` for a group that there is not, and for one where there are no groups.
    """
    if group is None:
        return OUTPUTS[name]
    if name != "table":
        raise UsageError(f"--group {group} needs -f table; -f {name} has no groups to choose")
    if group not in GROUPINGS:
        raise UsageError(f"--group: no group {group!r}; known: {', '.join(GROUPINGS)}")
    return partial(TableOutput, group=group)
