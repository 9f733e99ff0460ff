"""Call the command line in this process, and write small rules and logs for it."""

import io
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tocsin.cli import main

PACKS = Path(__file__).resolve().parents[2] / "src" / "tocsin" / "content" / "packs"
WEB = "acme//web"
"""A log source of no known log type, so that any record can be one of its events."""


@dataclass(frozen=True)
class Result:
    """What a call gave."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def lines(self) -> list[int]:
        """The line of the event of each alert."""
        return [record["events"][0]["line"] for record in self.records]


def tocsin(*arguments: object, stdin: bytes = b"") -> Result:
    """Call `tocsin`; what it writes and its exit status come back."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    typed = io.TextIOWrapper(io.BytesIO(stdin))
    status = 0
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "stdin", typed),
        mock.patch.object(sys, "argv", ["tocsin", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    out.flush()
    err.flush()
    return Result(status, out.buffer.getvalue(), err.buffer.getvalue().decode())


def scan(
    *logs: object,
    rules: object,
    log_type: str = WEB,
    form: str = "ndjson",
    stdin: bytes = b"",
    **more,
) -> Result:
    """Call `tocsin scan`; `more` are further options, `True` for those without value."""
    options: list[object] = ["-r", rules, "-f", form]
    if log_type:
        options += ["--log-type", log_type]
    for name, value in more.items():
        options += [f"--{name.replace('_', '-')}", *([] if value is True else [value])]
    return tocsin("scan", *logs, *options, stdin=stdin)


def rule(
    title: str = "Needle",
    detection: str = "{selection: {mark|contains: needle}, condition: selection}",
    **keys: object,
) -> str:
    """Write a rule for the events of `WEB`."""
    more = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return (
        f"title: {title}\nlogsource: {{product: acme, service: web}}\n"
        f"detection: {detection}\n{more}"
    )


def jsonl(records: Iterable[Mapping[str, object]]) -> bytes:
    """Write records one per line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
