"""The query of a rule, with its errors where they stand in the rule's file."""

from tocsin.errors import RuleError
from tocsin.rules.elastic.document import Document
from tocsin.rules.elastic.fields import field_type
from tocsin.rules.elastic.kql.lower import Lowered, lower

_LANGUAGES = {"query": "language", "threat_query": "threat_language"}


def lower_query(document: Document, key: str) -> Lowered:
    """Lower a KQL query of a rule; raise `RuleError` with the place in the file."""
    from tocsin.rules.elastic.kql.parse import QueryError, parse

    language = document.text(_LANGUAGES[key]) or "kuery"
    if language != "kuery":
        raise document.wrong(_LANGUAGES[key], f"{language!r} queries do not run yet; KQL does")
    text = document.text(key)
    if not text.strip() and key == "query" and document.rule.get("saved_id"):
        raise document.wrong("saved_id", "a saved query is not in the rule's file")
    written = document.written
    try:
        return lower(parse(text), field_type, None)
    except QueryError as error:
        lines = text.split("\n")[: (error.place.line or 1) - 1]
        at = sum(len(line) + 1 for line in lines) + (error.place.column or 1) - 1
        place = written.place(written.find_in(key, at))
        reason = f"KQL: {error.problem} at `{error.excerpt}`: {error.hint}"
        raise RuleError(reason, place) from None
    except RuleError as error:
        raise RuleError(f"KQL: {error.reason}", written.place(written.find(key))) from None
