"""What is known of the types of fields."""

import pytest

from tocsin.rules.elastic.kql.readings import READINGS
from tocsin.rules.elastic.kql.types import FieldType, ecs_type

KNOWN = {
    "source.ip": FieldType.IP,
    "client.nat.ip": FieldType.IP,
    "dns.resolved_ip": FieldType.IP,
    "related.ip": FieldType.IP,
    "destination.port": FieldType.LONG,
    "process.parent.pid": FieldType.LONG,
    "process.parent.thread.id": FieldType.LONG,
    "source.as.number": FieldType.LONG,
    "http.request.body.bytes": FieldType.LONG,
    "event.duration": FieldType.LONG,
    "event.risk_score": FieldType.DOUBLE,
    "powershell.file.script_block_entropy_bits": FieldType.DOUBLE,
    "process.code_signature.trusted": FieldType.BOOLEAN,
    "process.interactive": FieldType.BOOLEAN,
    "tls.established": FieldType.BOOLEAN,
    "@timestamp": FieldType.DATE,
    "event.created": FieldType.DATE,
    "file.mtime": FieldType.DATE,
    "process.start": FieldType.DATE,
    "process.parent.start": FieldType.DATE,
    "message": FieldType.MATCH_ONLY_TEXT,
    "error.message": FieldType.MATCH_ONLY_TEXT,
    "process.name.text": FieldType.MATCH_ONLY_TEXT,
    "powershell.file.script_block_text": FieldType.TEXT,
    "process.command_line": FieldType.WILDCARD,
    "url.full": FieldType.WILDCARD,
    "threat.indicator.url.full": FieldType.WILDCARD,
    "registry.data.strings": FieldType.WILDCARD,
    "file.elf.imports": FieldType.FLATTENED,
    "data_stream.dataset": FieldType.CONSTANT_KEYWORD,
    "event.action": FieldType.KEYWORD,
    "process.thread.name": FieldType.KEYWORD,
    "user.id": FieldType.KEYWORD,
    "file.hash.*": FieldType.KEYWORD,
    "okta.client.ip": FieldType.KEYWORD,
    "labels.port": FieldType.KEYWORD,
    "port": FieldType.KEYWORD,
    "": FieldType.KEYWORD,
}


@pytest.mark.parametrize(("name", "kind"), KNOWN.items())
def test_a_field_has_the_type_it_is_known_to_have(name, kind):
    assert ecs_type(name) is kind


def test_every_type_has_a_reading():
    assert set(READINGS) == set(FieldType)
