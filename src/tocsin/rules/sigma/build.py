"""One Sigma file → Rules: what pySigma parsed, lowered, with everything people need to know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sigma.correlations import SigmaCorrelationRule
from sigma.filters import SigmaFilter
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from tocsin.errors import RuleError
from tocsin.ids import digest
from tocsin.rules.attack import techniques_of
from tocsin.rules.model import Input, LogSource, Rule, Severity, Verdict
from tocsin.rules.sigma.lower import FieldError, lower
from tocsin.rules.sigma.parse import Parsed, parse_documents

_NOT_YET = {
    SigmaCorrelationRule: ("correlation", "correlation rules do not run yet"),
    SigmaFilter: ("filter", "filters do not run yet"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rule comes from, and how its path is shown."""

    pack: str
    path: Path
    shown: str


def load_sigma(
    text: str, origin: Origin, pipelines: tuple[ProcessingPipeline, ...] = ()
) -> Iterator[Rule]:
    """Load the rules of one Sigma file; what cannot run has the verdict `cannot` and a reason."""
    for number, parsed in enumerate(parse_documents(text, Path(origin.shown), pipelines)):
        yield _build(parsed, origin, number)


def _build(parsed: Parsed, origin: Origin, number: int) -> Rule:
    document = parsed.document
    if parsed.error:
        return _rule(parsed, origin, number, problem=str(parsed.error))
    if not isinstance(document, SigmaRule):
        kind, reason = _NOT_YET[type(document)]
        return _rule(parsed, origin, number, kind=kind, problem=f"{parsed.place()}: {reason}")
    try:
        condition = lower(parsed.conditions)
    except RuleError as error:
        field = error.field if isinstance(error, FieldError) else None
        return _rule(parsed, origin, number, problem=f"{parsed.place(field)}: {error}")
    source = document.logsource
    scope = LogSource(source.product, source.category, source.service)
    return _rule(parsed, origin, number, inputs=(Input(condition, scope),))


def _rule(
    parsed: Parsed,
    origin: Origin,
    number: int,
    *,
    inputs: tuple[Input, ...] = (),
    kind: str = "detection",
    problem: str = "",
) -> Rule:
    data = parsed.data
    suffix = f"#{number + 1}" if number else ""
    tags = _texts(data, "tags")
    return Rule(
        id=_id(parsed, suffix) or f"{origin.shown}{suffix}",
        name=_text(data, "title") or Path(origin.shown).stem,
        ecosystem="sigma",
        kind=kind,
        pack=origin.pack,
        path=origin.shown,
        digest=digest(parsed.text),
        inputs=inputs,
        severity=_severity(_text(data, "level")),
        status=_text(data, "status"),
        description=_text(data, "description").strip(),
        author=tuple(name.strip() for name in _text(data, "author").split(",") if name.strip()),
        license=_text(data, "license") or None,
        date=_text(data, "date") or None,
        modified=_text(data, "modified") or None,
        tags=tags,
        references=_texts(data, "references"),
        false_positives=_texts(data, "falsepositives"),
        attack=techniques_of(tags),
        verdict=Verdict.CANNOT if problem else Verdict.RUNS,
        reasons=(problem,) if problem else (),
        notes=parsed.notes,
    )


def _id(parsed: Parsed, suffix: str) -> str:
    """Return the rule's id; one that several documents of a file share is told apart."""
    own = _text(parsed.data, "id")
    return f"{own}{suffix}" if own and "id" in parsed.inherited else own


def _severity(level: str) -> Severity:
    return Severity(level) if level in set(Severity) else Severity.MEDIUM


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    return "" if value is None or isinstance(value, list | dict) else str(value)


def _texts(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = data.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item).strip() for item in items if item is not None)
