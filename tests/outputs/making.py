"""Make alerts without logs and rules, and take outputs through their steps."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pickle import dumps, loads

from tocsin.alerts.model import Alert, Event, Evidence
from tocsin.alerts.run import LeftOut, Pack, RunInfo
from tocsin.outputs import choose_output
from tocsin.rules.attack import techniques_of
from tocsin.rules.model import Rule, Severity

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

RUN = RunInfo(
    version="9.9.9",
    command=("tocsin", "scan", "my logs", "-f", "html"),
    started=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
    seconds=75.4,
    packs=(Pack("azure-keyvault", 12, "ab" * 32), Pack("own", 4, "cd" * 32)),
    files=2,
    bytes=4_900_000,
    events={"azure.activity": 388, "azure.keyvault": 3773},
    left_out=(
        LeftOut("2 records could not be read", ("2 × not JSON, first at a.ndjson:7",)),
        LeftOut("3 rules cannot run", tuple(f"reason {n}" for n in range(7)), 4),
    ),
)


def rule(name: str = "Secret Read", severity: Severity = Severity.HIGH, **more: object) -> Rule:
    tags = more.pop("tags", ())
    facts: dict[str, object] = {
        "id": name.lower().replace(" ", "-"),
        "ecosystem": "sigma",
        "kind": "detection",
        "pack": "own",
        "path": f"own/{name}.yml",
        "digest": "",
        "tags": tags,
        "attack": techniques_of(tuple(tags)),  # type: ignore[arg-type]
    }
    return Rule(name=name, severity=severity, **{**facts, **more})  # type: ignore[arg-type]


def alert(
    of: Rule | None = None,
    at: float | None = 0,
    *,
    number: int = 1,
    raw: str = "{}",
    source: str = "logs/a.ndjson",
    matched: Sequence[Evidence] = (),
    entities: Sequence[tuple[str, str]] = (),
    **named: str,
) -> Alert:
    """Make an alert; `at` is its time in seconds after `START`, `named` are entities."""
    time = None if at is None else START + timedelta(seconds=at)
    event = Event(f"{number:032x}", "azure.keyvault", time, source, number, raw)
    return Alert(
        f"{number:031x}a", of or rule(), (event,), tuple(matched), (*entities, *named.items())
    )


def written(
    form: str,
    alerts: Sequence[Alert],
    *,
    group: str | None = None,
    sizes: Sequence[int] = (1000,),
    run: RunInfo = RUN,
) -> str:
    """Write alerts that come in parts of some sizes, each through a pickle as from a worker."""
    stream = io.BytesIO()
    output = choose_output(form, group)(stream)
    worker = loads(dumps(output))
    rest = list(alerts)
    while rest:
        for size in sizes:
            output.add(loads(dumps(worker.part(rest[:size]))))
            rest = rest[size:]
    output.finish(run)
    return stream.getvalue().decode()
