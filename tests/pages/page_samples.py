"""Alerts that reports are made of, harmless ones and one that attacks the page."""

from dataclasses import replace

from outputs.making import alert, rule
from tocsin.alerts.model import Alert, Evidence
from tocsin.pages import report
from tocsin.rules.model import Severity

EVIDENCE = Evidence("operationName", "equals", "SecretGet", ("operationName",), "SecretGet")
READ = rule(
    "Secret Read",
    Severity.HIGH,
    description="Someone reads a secret.\nIt may be you.",
    author=("Ada", "Grace"),
    license="DRL-1.1",
    references=("https://example.com/a?b=1&c=2", "a book"),
    false_positives=("Backups",),
    tags=("attack.credential-access", "attack.t1555.006", "attack.t1562.001"),
    guide="Ask Ada.",
    status="test",
    modified="2026-01-02",
)
LISTED = rule("Vault Listed", Severity.LOW, author=("Ada",), tags=("attack.t9999",))
ALERTS = [
    alert(READ, 7200, number=1, user="anna@corp.example", address="203.0.113.7",
          matched=[EVIDENCE], raw='{"operationName":"SecretGet","n":1.50}'),
    alert(READ, 0, number=2, user="ANNA@corp.example", source="logs/b.ndjson"),
    alert(LISTED, None, number=3, user="ben@corp.example", resource="vault-7"),
]  # fmt: skip


EVIL = (
    "</script></style></title>'\"><img src=x onerror=alert(1)><b>&lt;{{7*7}}{%x%}\x1b\u202e\ud800"
)


def evil_alert() -> Alert:
    of = rule(
        EVIL,
        id=EVIL, pack=EVIL, path=EVIL, description=EVIL, author=(EVIL,), license=EVIL, status=EVIL,
        date=EVIL, references=(EVIL, "javascript:alert(1)", "data:text/html,x", "//evil.example"),
        false_positives=(EVIL,), tags=(f"attack.{EVIL}",), guide=EVIL,
    )  # fmt: skip
    kinds = [(kind, EVIL + kind) for kind in (*report.KINDS, EVIL)]
    held = [Evidence(EVIL, "equals", EVIL, (EVIL,), EVIL), Evidence("n", "exists", None, (), None)]
    raw = '{"a":"</pre><script>alert(1)</script>\\u0000"}'
    made = alert(of, source=EVIL, raw=raw, matched=held, entities=kinds)
    event = replace(made.events[0], log_type=EVIL, id=EVIL)
    return replace(made, id=EVIL, events=(event,), context={EVIL: EVIL})
