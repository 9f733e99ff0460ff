"""The mapped types of fields: what a comparison means depends on them.

The fields of the Elastic Common Schema (https://www.elastic.co/guide/en/ecs) that are not keywords
follow from how their names end. What is not listed is a keyword.
"""

from enum import StrEnum
from typing import Protocol


class FieldType(StrEnum):
    """The types that KQL tells apart; `lower` says what each means."""

    KEYWORD = "keyword"
    CONSTANT_KEYWORD = "constant_keyword"
    WILDCARD = "wildcard"
    FLATTENED = "flattened"
    """The root of a flattened field; its sub-fields are keywords."""
    TEXT = "text"
    MATCH_ONLY_TEXT = "match_only_text"
    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    IP = "ip"
    DATE = "date"


class TypeOf(Protocol):
    """Says what a field is mapped as; a name may be a pattern with `*`."""

    def __call__(self, name: str, /) -> FieldType:
        """Return the type of a field."""
        ...


def ecs_type(name: str) -> FieldType:
    """Return the type of a field by what is known of its name."""
    if name in _FIELDS:
        return _FIELDS[name]
    segments = name.split(".")
    if segments[0] not in _SETS:
        return FieldType.KEYWORD
    endings = (".".join(segments[-length:]) for length in (3, 2, 1) if length <= len(segments))
    return next((_ENDINGS[one] for one in endings if one in _ENDINGS), FieldType.KEYWORD)


def _table(names: dict[FieldType, str]) -> dict[str, FieldType]:
    return {name: kind for kind, text in names.items() for name in text.split()}


_FIELDS = _table(
    {
        FieldType.DATE: "@timestamp",
        FieldType.MATCH_ONLY_TEXT: "message",
        FieldType.CONSTANT_KEYWORD: "data_stream.dataset data_stream.namespace data_stream.type",
        FieldType.TEXT: "powershell.file.script_block_text",
        FieldType.LONG: "powershell.file.script_block_length powershell.sequence powershell.total "
        "powershell.file.script_block_unique_symbols",
        FieldType.DOUBLE: "powershell.file.script_block_entropy_bits "
        "powershell.file.script_block_surprisal_stdev ml_is_dga.malicious_probability",
    }
)
"""Whole names: those of no field set, and some of Elastic's integrations."""

_ENDINGS = _table(
    {
        FieldType.IP: "ip resolved_ip forwarded_ip",
        FieldType.DATE: "event.created event.start event.end event.ingested file.accessed "
        "file.created file.ctime file.mtime process.start process.end not_before not_after "
        "parent.start parent.end package.installed first_seen last_seen "
        "modified_at delivery_timestamp origination_timestamp creation_date "
        "entry_leader.start group_leader.start session_leader.start previous.start "
        "entry_leader.end group_leader.end session_leader.end previous.end",
        FieldType.LONG: "port bytes packets pid vpid pgid thread.id args_count exit_code uptime "
        "event.sequence event.severity event.duration as.number status_code ttl size file.line "
        "log.syslog.priority facility.code severity.code public_key_exponent public_key_size "
        "sightings scanner_stats virtual_size physical_size entropy names_entropy "
        "names_var_entropy var_entropy major minor rows columns bytes_skipped.length "
        "bytes_skipped.offset total_bytes_captured total_bytes_skipped",
        FieldType.DOUBLE: "calculated_score calculated_score_norm static_score static_score_norm "
        "event.risk_score event.risk_score_norm score.base score.environmental score.temporal "
        "cpu.usage memory.usage",
        FieldType.BOOLEAN: "code_signature.exists code_signature.valid code_signature.trusted "
        "process.interactive parent.interactive entry_leader.interactive "
        "group_leader.interactive session_leader.interactive same_as_process tls.established "
        "tls.resumed coldstart max_bytes_per_process_exceeded",
        FieldType.WILDCARD: "command_line url.full url.original url.path stack_trace "
        "data.strings body.content",
        FieldType.MATCH_ONLY_TEXT: "error.message text",
        FieldType.FLATTENED: "elf.exports elf.imports macho.imports pe.imports elf.go_imports "
        "macho.go_imports pe.go_imports",
    }
)
"""How names of the field sets end; the longest ending decides."""

_SETS = frozenset(
    """
    agent as client cloud code_signature container data_stream destination device dll dns ecs elf
    email error event faas file geo group hash host http interface log macho network observer
    orchestrator organization os package pe process registry related risk rule server service
    source span threat tls trace transaction url user user_agent vlan volume vulnerability x509
    """.split()  # noqa: SIM905
)
