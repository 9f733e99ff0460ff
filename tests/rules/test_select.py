"""`--where` chooses rules; what means nothing is refused."""

from dataclasses import replace

import pytest

from tocsin.condition.tree import TRUE, Field, Op, Predicate
from tocsin.errors import UsageError
from tocsin.rules.model import Indices, Input, LogSource, Rule, Severity, Technique
from tocsin.rules.select import FIELDS, parse_where

STARTED = Predicate(Field(("Image",)), Op.ENDSWITH, ("\\rundll32.exe", "a,b"), fold_case=True)
RULES = [
    Rule(
        id="0c7a0cb2-64ae", name="Key Vault [Secret] Read?", ecosystem="sigma", kind="detection",
        pack="ours", path="ours/azure/read.yml", digest="", severity=Severity.HIGH, status="test",
        inputs=(Input(TRUE, LogSource("azure", None, "keyvault")),), description="Reads of secrets",
        author=("Ada Example", "Grace"), license="MIT",
        tags=("attack.t1552.001", "attack.credential-access", "cloud.azure"),
        attack=(Technique("TA0006", None), Technique(None, "T1552.001")),
    ),
    Rule(
        id="1", name="Process Started", ecosystem="sigma", kind="detection", pack="theirs",
        path="theirs/windows/start.yml", digest="", severity=Severity.LOW, status="stable",
        inputs=(Input(STARTED, LogSource("windows", "process_creation", None)),),
        date="2024/03/01", modified="2025-6-7",
    ),
    Rule(
        id="2", name="Cloud Trail", ecosystem="elastic", kind="query", pack="theirs",
        path="theirs/trail.toml", digest="", severity=Severity.MEDIUM, tags=("Domain: Cloud",),
        inputs=(Input(TRUE, Indices(("filebeat-*", "logs-aws.cloudtrail-*"))),),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ("", "012"),
        ("   ", "012"),
        ("ecosystem:sigma", "01"),
        ("ecosystem:elastic", "2"),
        ("ecosystem:sigma,elastic", "012"),
        ("ecosystem:sigma severity>=medium", "0"),
        ("ecosystem:sigma tag:azure severity>=medium -id:1", "0"),
        ("severity>low", "02"),
        ("severity<=medium", "12"),
        ("severity<high", "12"),
        ("severity:high", "0"),
        ("severity:HIGH,low", "01"),
        ("severity=high", "0"),
        ("-severity:high", "12"),
        ("tag:azure", "0"),
        ("tag:cloud.azure", "0"),
        ("tag:t1552.001", "0"),
        ("tag:*cloud*", "02"),
        ("tag:clou", ""),
        ("tag:cloud", "02"),
        ("index:cloudtrail", "2"),
        ("index:filebeat-*", "2"),
        ("product:azure", "0"),
        ("technique:T1552", "0"),
        ("technique:t1552.001", "0"),
        ("technique:T155", ""),
        ("tactic:TA0006", "0"),
        ("name:secret", "0"),
        ("name:[Secret]", "0"),
        ("name:read?", "0"),
        ("'name:key vault'", "0"),
        ('name:"key vault"', "0"),
        ("author:grace", "0"),
        ("path:azure", "0"),
        ("path:*.toml", "2"),
        ("pack:theirs", "12"),
        ("category:process_creation", "1"),
        ("service:keyvault", "0"),
        ("status:test,stable", "01"),
        ("license:mit", "0"),
        ("kind:query", "2"),
        ("verdict:runs", "012"),
        ("id:0C7A*", "0"),
        ("-id:0c7a0cb2-64ae", "12"),
        ("ID:1", "1"),
        ("Severity>=Medium", "02"),
        ("cloud", "02"),
        ("READS", "0"),
        ("-cloud", "1"),
        ("-cloud -process", ""),
        ('"trail cloud"', ""),
        ('"cloud trail"', "2"),
        ('"name:read"', "0"),
        ("changed>=2025-06", "1"),
        ("changed<2025", ""),
        ("date:2024", "1"),
        ("modified<=2025-06-07", "1"),
        ("value:rundll32.exe", "1"),
        (r"value=\rundll32.exe", "1"),
        ("value=rundll32.exe", ""),
        ('value:"a,b"', "1"),
        ("field:image", "1"),
        ("platform:azure,windows", "01"),
        ("source:windows/*", "1"),
        ("has:logic,author", "01"),
        ("has:author", "0"),
        ("text:secret", "0"),
        ("technique:T1685", ""),
    ],
)
def test_an_expression_chooses(where: str, chosen: str) -> None:
    chooser = parse_where(where)
    assert "".join(str(at) for at, rule in enumerate(RULES) if chooser(rule)) == chosen


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("colour:red", "no field 'colour'; known: author, category"),
        ("name>x", "name has no order; write name:x"),
        ("name:", "asks for nothing"),
        ("severity>=", "asks for nothing"),
        ("severity>=bad", "no severity 'bad'; known: informational, low"),
        ("severity:low,bad", "no severity 'bad'"),
        ("'", "No closing quotation"),
    ],
)
def test_what_means_nothing_is_refused(where: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_where(where)
    assert says in str(caught.value)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_asked(field: str) -> None:
    at = {"category": 1, "index": 2, **dict.fromkeys(("changed", "date", "modified"), 1)}
    rule = replace(RULES[{**at, "field": 1, "value": 1}.get(field, 0)], collections=("core",))
    [value, *_] = FIELDS[field](rule)
    quoted = value.replace("'", "")
    assert parse_where(f"{field}:'{quoted}'")(rule)
    assert not parse_where(f"-{field}:'{quoted}'")(rule)
