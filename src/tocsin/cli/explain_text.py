"""Explanations as text for a terminal; colours say again what words say."""

from collections.abc import Iterator, Sequence

import click

from tocsin.cli.explain_stage import stage_lines
from tocsin.condition.changes import distance
from tocsin.condition.closeness import Closeness
from tocsin.condition.describe import field_name, in_one_line, phrase
from tocsin.condition.evaluate import compile_test
from tocsin.condition.functions import Scalar, fold, quote
from tocsin.condition.trace import Node, Reading
from tocsin.condition.tree import (
    TRUE,
    And,
    AnyElement,
    FieldsCompare,
    Glob,
    Not,
    Or,
    Predicate,
    Regex,
    Value,
)
from tocsin.engine.explain import AskedInput, Attempt, Explanation, NearMiss
from tocsin.jsontext import Number, compact
from tocsin.printable import printable
from tocsin.run.explain import Explained
from tocsin.times import format_time

SHOWN_VALUES = 5
SHOWN_ELEMENTS = 3
SHOWN_MISSES = 5
WIDTH = 100
"""Characters of a value that are shown."""


def summary_line(one: Explained) -> str:
    """Say in one line what became of an event."""
    return f"{printable(one.given.place)}  {_verdict(one)}"


def text_lines(one: Explained) -> Iterator[str]:
    """Explain an event in full: the verdict, near misses, the log source, the condition."""
    found = one.explanation
    if found is None:
        yield _verdict(one)
        return
    yield click.style(printable(found.rule.name), bold=True)
    yield _dim(printable(f"{found.rule.path}  {found.rule.id}"))
    yield f"{printable(one.given.place)}  {_taken_for(found)}"
    yield _verdict(one)
    yield from (f"note: {printable(note)}" for note in found.notes)
    yield from _near_misses(found.near_misses(SHOWN_MISSES))
    for asked in found.inputs:
        yield from _input(asked, found.best)
    stage = list(stage_lines(one))
    if stage:
        yield from ("", _heading("What comes of a match"), *stage)
    if found.reasons:
        yield from ("", _heading("Why it was not asked"), *_reasons(found.reasons))


def _verdict(one: Explained) -> str:
    found = one.explanation
    if found is None:
        return _no(f"cannot be read: {printable(one.given.problem)}")
    if found.matches:
        return _yes("matches")
    if found.best is None:
        reasons = [*found.reasons, *(reason for asked in found.inputs for reason in asked.reasons)]
        return _no("does not match: ") + printable((reasons or ["the rule has no condition"])[0])
    count = found.best.distance
    parts = f"{count} {'part' if count == 1 else 'parts'} would have to change"
    if not found.best.gate.holds:
        scopes = " or ".join(dict.fromkeys(str(one.input.scope) for one in found.inputs))
        parts = f"no event of {printable(scopes)}; {parts}"
    return _no("does not match: ") + parts


def _taken_for(found: Explanation) -> str:
    time = f"  {format_time(found.time)}" if found.time else ""
    return f"{found.log_type} / {found.shape}{time}" if found.log_type else "of no known log type"


def _near_misses(misses: Sequence[tuple[NearMiss, ...]]) -> Iterator[str]:
    if not misses:
        return
    yield ""
    yield _heading("Near misses")
    for number, changes in enumerate(misses, start=1):
        if number > 1:
            yield _dim("  or")
        for change in changes:
            yield from _near_miss(change)


def _near_miss(change: NearMiss) -> Iterator[str]:
    node = change.node
    wanted = "" if change.wanted else "not "
    where = " (log source)" if change.in_gate else ""
    yield f"  {wanted}{printable(_asked(node, shown=3))}{where}"
    hint = change.hint
    said = printable(hint.text)
    if hint.closeness is Closeness.ABSENT or hint.value is None:
        yield f"      {_warn(said)}"
    elif change.wanted and hint.path != (node.reading.path if node.reading else ()):
        yield f"      {_warn(said)}: {_shown(hint.value, node)}"
    else:
        at = f" at {printable('.'.join(hint.path))}" if hint.path else ""
        yield f"      {_shown(hint.value, node)}{at}: {_warn(said)}"


def _input(asked: AskedInput, best: Attempt | None) -> Iterator[str]:
    yield ""
    yield _heading(f"Log source {printable(str(asked.input.scope))}")
    yield from _reasons(asked.reasons)
    for attempt in asked.attempts:
        yield f"  {_mark(attempt.gate.holds)} {_name(attempt, asked)}{_gate(attempt.gate)}"
    for attempt in asked.attempts:
        if attempt is best or attempt.matches:
            yield ""
            yield _heading(f"Condition{_of(attempt, asked)}")
            yield from _tree(attempt.condition, "  ")


def _name(attempt: Attempt, asked: AskedInput) -> str:
    if attempt.bridge:
        return f"bridge {attempt.bridge}: "
    return f"variant {attempt.number}: " if len(asked.attempts) > 1 or attempt.number > 1 else ""


def _of(attempt: Attempt, asked: AskedInput) -> str:
    if len(asked.attempts) == 1:
        return ""
    return f" over bridge {attempt.bridge}" if attempt.bridge else f", variant {attempt.number}"


def _gate(gate: Node) -> str:
    if gate.condition == TRUE:
        return "every event"
    text = printable(in_one_line(gate.condition))
    failing = [node for node in _failing(gate) if node.reading]
    found = "; ".join(dict.fromkeys(_found_short(node) for node in failing))
    return f"{text}{_dim(f'   {found}') if found else ''}"


def _failing(node: Node) -> Iterator[Node]:
    """Yield the predicates because of which a condition does not hold."""
    if node.holds:
        return
    if isinstance(node.condition, Predicate | FieldsCompare):
        yield node
    for child in node.children:
        yield from _failing(child)


def _found_short(node: Node) -> str:
    assert node.reading is not None
    name = field_name(node.condition.field) if isinstance(node.condition, Predicate) else ""
    return f"{printable(name)}: {_values(node.reading, node)}"


def _reasons(reasons: Sequence[str]) -> Iterator[str]:
    yield from (f"  {printable(reason)}" for reason in reasons)


def _tree(node: Node, indent: str) -> Iterator[str]:
    """Render a condition, one predicate per line with what it found."""
    start = f"{indent}{_mark(node.holds)} "
    match node.condition:
        case And() | Or():
            word = "all of" if isinstance(node.condition, And) else "any of"
            yield f"{start}{word}" if node.children else f"{start}{in_one_line(node.condition)}"
            for child in node.children:
                yield from _tree(child, indent + "  ")
        case Not():
            yield f"{start}not"
            yield from _tree(node.children[0], indent + "  ")
        case AnyElement(path):
            yield f"{start}one element of {printable('.'.join(path))}:"
            yield from _elements(node, indent + "  ")
        case _:
            yield from _leaf(start, node, indent)


def _leaf(start: str, node: Node, indent: str) -> Iterator[str]:
    """Render a predicate, and what it found beside it, or below it where that is long."""
    asked, found = printable(_asked(node, SHOWN_VALUES)), _found(node)
    if len(indent) + len(asked) + len(found) <= WIDTH:
        yield f"{start}{asked}   {_dim(found)}".rstrip()
        return
    yield f"{start}{asked}"
    yield f"{indent}        {_dim(found)}"


def _elements(node: Node, indent: str) -> Iterator[str]:
    if not node.children:
        yield f"{indent}{_dim('no objects there')}"
    nearest = sorted(node.children, key=distance)
    for child in nearest[:SHOWN_ELEMENTS]:
        yield from _tree(child, indent)
    if len(nearest) > SHOWN_ELEMENTS:
        yield f"{indent}{_dim(f'… {len(nearest) - SHOWN_ELEMENTS} more elements')}"


def _asked(node: Node, shown: int) -> str:
    """Say what a predicate asks: of many values the one that was met, or the first."""
    condition = node.condition
    if not isinstance(condition, Predicate):
        return in_one_line(condition)
    operand = _operand_met(condition, node.met)
    if operand is None or len(condition.values) == 1:
        return phrase(condition, shown)
    one = Predicate(condition.field, condition.op, (operand,), condition.fold_case)
    return f"{phrase(one)} (one of {len(condition.values)})"


def _operand_met(predicate: Predicate, met: Sequence[Scalar]) -> "Value | None":
    return next(
        (
            operand
            for operand in predicate.values
            if met and compile_test(predicate.op, (operand,), predicate.fold_case)(met[0])
        ),
        None,
    )


def _found(node: Node) -> str:
    reading = node.reading
    if reading is None:
        return ""
    condition = node.condition
    if isinstance(condition, Predicate) and not condition.field.path and not node.holds:
        return "stands nowhere in the event"
    text = f"{_values(reading, node)}{_at(reading, condition)}"
    if isinstance(condition, FieldsCompare) and node.other:
        other = printable(field_name(condition.right))
        text += f", {other}: {_values(node.other, node)}"
    return text


def _at(reading: Reading, condition: object) -> str:
    path = ".".join(reading.path)
    named = isinstance(condition, Predicate) and path == ".".join(condition.field.path)
    return f" at {printable(path)}" if path and not named else ""


def _values(reading: Reading, node: Node) -> str:
    if reading.raw is None:
        return "absent"
    if node.met and reading is node.reading:
        return _shown(node.met[0], node)
    shown = [_shown(value, node) for value in reading.raw[:3]]
    more = f" … {len(reading.raw) - 3} more" if len(reading.raw) > 3 else ""
    return ", ".join(shown) + more if shown else "[]"


def _shown(value: Scalar, node: Node) -> str:
    """Show a value; of a long text the part around what was met."""
    if isinstance(value, str):
        return printable(quote(_excerpt(value, node)))
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict | list):
        return printable(_cut(compact(value), 0))
    return "null" if value is None else str(value).lower()


def _excerpt(text: str, node: Node) -> str:
    if len(text) <= WIDTH or not isinstance(node.condition, Predicate):
        return _cut(text, 0)
    operand = _operand_met(node.condition, node.met)
    return _cut(text, _position(text, operand))


def _position(text: str, operand: "Value | None") -> int:
    """Return about where in a text an operand stands."""
    if isinstance(operand, Regex):
        return 0
    parts = operand.parts if isinstance(operand, Glob) else (operand,)
    literals = [part for part in parts if isinstance(part, str) and part]
    longest = max(literals, key=len, default="")
    return max(fold(text).find(fold(longest)), 0)


def _cut(text: str, around: int) -> str:
    if len(text) <= WIDTH:
        return text
    start = max(0, min(around - WIDTH // 3, len(text) - WIDTH))
    before, after = "…" * (start > 0), "…" * (start + WIDTH < len(text))
    return f"{before}{text[start : start + WIDTH]}{after}"


def _mark(holds: bool) -> str:
    return _yes("yes") if holds else _no("no ")


def _heading(text: str) -> str:
    return click.style(text, bold=True)


def _yes(text: str) -> str:
    return click.style(text, fg="green")


def _no(text: str) -> str:
    return click.style(text, fg="red")


def _warn(text: str) -> str:
    return click.style(text, fg="yellow")


def _dim(text: str) -> str:
    return click.style(text, dim=True)
