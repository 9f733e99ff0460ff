"""The report: it says all that there is to say, in one file that can do no harm."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from page_reading import Page, read_page
from page_samples import ALERTS, EVIL, LISTED, READ, evil_alert

from cli.calling import jsonl, scan
from cli.calling import rule as rule_text
from outputs.making import RUN, alert, rule, written
from tocsin.alerts.run import LeftOut, Pack
from tocsin.pages import collect, report
from tocsin.rules.model import Severity


@pytest.fixture(scope="module")
def page() -> Page:
    return read_page(written("html", ALERTS))


def test_the_page_is_well_formed_and_every_link_in_it_leads_somewhere(page: Page) -> None:
    assert page.broken == []
    assert page.open == []
    assert [name for name, count in page.ids.items() if count > 1] == []
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_summary_has_totals_severities_and_the_range_of_times(page: Page) -> None:
    text = page.parts["summary"]
    assert "3 alerts from 2 rules" in text
    assert "2026-01-02 03:04:05 – 2026-01-02 05:04:05 UTC" in text
    assert "4,161 events in 2 files were scanned with 16 rules on 2026-02-03 04:05:06 UTC" in text
    assert "high 2 from 1 rule" in text
    assert "low 1 from 1 rule" in text
    assert "critical 0 none" in text
    assert "Rules fired 2 of 16" in text
    assert "Users 2" in text
    assert "Resources 1" in text


def test_the_timeline_has_a_bar_per_step_and_says_what_has_no_time(page: Page) -> None:
    text = page.parts["timeline"]
    assert "Alerts per 5 minutes, by severity" in text
    assert "2026-01-02 05:00:00: 1 alert (1 high)" in text
    assert "1 alert is of an event without a time that can be read" in text


def test_a_rule_has_all_that_is_known_of_it(page: Page) -> None:
    text = page.parts["rule-1"]
    for part in (
        "high Secret Read",
        "2 alerts · 2026-01-02 03:04:05 – 2026-01-02 05:04:05",
        "Someone reads a secret. It may be you.",
        "TA0006 Credential Access",
        "T1555.006 Credentials from Password Stores: Cloud Secrets Management Stores",
        "T1685 Disable or Modify Tools (T1562.001 until it was replaced)",
        "Authors Ada, Grace",
        "Licence DRL-1.1",
        "False positives Backups",
        "What to do Ask Ada.",
        "secret-read sigma, test, 2026-01-02, pack own own/Secret Read.yml",
        "anna@corp.example 2",
        "2 events",
    ):
        assert part in text.replace("\xa0", " "), part
    assert "https://example.com/a?b=1&c=2" in page.links
    assert "a book" in text


def test_events_of_a_rule_stand_in_the_order_of_their_times(page: Page) -> None:
    first, second = page.parts["rule-1-event-1"], page.parts["rule-1-event-2"]
    assert first.startswith("2026-01-02 03:04:05")
    assert "logs/b.ndjson:2" in first
    assert second.startswith("2026-01-02 05:04:05 anna@corp.example · 203.0.113.7 a.ndjson:1")
    assert "operationName is SecretGet" in second
    assert '{ "operationName": "SecretGet", "n": 1.50 }' in second
    assert ALERTS[0].id in second
    assert ALERTS[0].events[0].id in second


def test_entities_lead_to_rules_and_events_and_back() -> None:
    html = written("html", ALERTS)
    section = re.search(r'<li id="entity-user-1">.*?</details></li>', html, re.DOTALL)
    assert section
    anna = read_page(section[0])
    assert "anna@corp.example" in anna.text.lower()
    assert "2 alerts, 1 rule" in anna.text
    assert anna.links == ["#rule-1", "#rule-1-event-1", "#rule-1-event-2"]
    event = re.search(r'<li id="rule-1-event-2">.*?</details></li>', html, re.DOTALL)
    assert event
    assert read_page(event[0]).links == ["#entity-user-1", "#entity-address-1"]


def test_the_matrix_is_in_the_order_of_tactics_and_counts_alerts(page: Page) -> None:
    text = page.parts["attack"].replace("\xa0", " ")
    order = ["Defense Impairment 2 TA0112", "Credential Access 2 TA0006", "No known tactic 1"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "Cloud Secrets Management Stores T1555.006 2" in text
    assert "not in ATT&CK 19.1 T9999 1" in text


def test_authors_are_named_with_licences_and_rules(page: Page) -> None:
    text = page.parts["authors"]
    assert "Ada DRL-1.1, not stated in the rule Secret Read, Vault Listed" in text
    assert "Grace DRL-1.1 Secret Read" in text


def test_the_run_is_described(page: Page) -> None:
    text = page.parts["run"]
    assert "tocsin scan 'my logs' -f html" in text
    assert "2026-02-03 04:05:06 UTC, 1 min 15 s" in text
    assert "Tocsin 9.9.9, ATT&CK 19.1" in text
    assert "azure-keyvault: 12 rules, revision abababababab" in text
    assert "2 files, 4.9 MB" in text
    assert "azure.activity: 388 azure.keyvault: 3,773" in text
    assert "logs/a.ndjson: 2 logs/b.ndjson: 1" in text


def test_what_was_left_out_is_said(page: Page) -> None:
    text = page.parts["left-out"]
    assert "2 records could not be read: 2 × not JSON, first at a.ndjson:7" in text
    assert "3 rules cannot run: 7 of them reason 0" in text
    assert "reason 6 … 4 more" in text


def test_a_run_without_alerts_and_without_loss_says_so() -> None:
    page = read_page(written("html", [], run=replace(RUN, left_out=())))
    assert "0 alerts" in page.parts["summary"]
    assert "Nothing: every file and record was read" in page.parts["left-out"]
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert page.broken == []


def test_alerts_without_any_time_or_entity_make_a_page() -> None:
    page = read_page(written("html", [alert(at=None)]))
    assert page.broken == []
    assert "1 alert is of an event without a time" in page.text
    assert "entities" not in page.ids


def test_the_page_loads_nothing_and_runs_only_its_own_script(page: Page) -> None:
    assert not page.attributes & {
        "src",
        "srcset",
        "style",
        "action",
        "data",
        "poster",
        "xlink:href",
    }
    assert not [name for name in page.attributes if name.startswith("on")]
    assert not set(page.tags) & {"link", "img", "iframe", "object", "embed", "base", "form", "use"}
    assert (page.tags["script"], page.tags["style"]) == (1, 1)
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]
    assert page.policy == (
        f"default-src 'none'; style-src '{digest(page.raw['style'])}'; "
        f"script-src '{digest(page.raw['script'])}'; base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def test_nothing_from_rules_events_or_the_run_becomes_part_of_the_page() -> None:
    run = replace(
        RUN,
        version=EVIL,
        command=(EVIL,),
        packs=(Pack(EVIL, 1, EVIL),),
        events={EVIL: 1},
        left_out=(LeftOut(EVIL, (EVIL,)),),
    )
    html = written("html", [evil_alert()], run=run)
    page = read_page(html)
    assert page.broken == []
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert not set(page.tags) & {"img", "b"}
    assert (page.tags["script"], page.tags["style"], page.tags["title"]) == (1, 1, 2)
    assert "{{7*7}}{%x%}" in page.text
    assert [link for link in page.links if not link.startswith("#")] == []
    assert not set(html) & {"\x00", "\x1b", "\u202e", "\ud800"}
    assert "\\x1b\\u202e\\ud800" in page.text


def test_only_addresses_of_the_web_are_links() -> None:
    of = rule(references=("https://example.com/", "ftp://x/", "http://[", "HTTP://example.com"))
    page = read_page(written("html", [alert(of)]))
    assert [link for link in page.links if not link.startswith("#")] == [
        "https://example.com/",
        "HTTP://example.com",
    ]


def test_at_most_a_thousand_events_of_a_rule_are_shown_and_it_says_how_many_more() -> None:
    page = read_page(written("html", [alert(READ, at, number=at) for at in range(1234)]))
    assert "1,000 of 1,234 events" in page.parts["rule-1"]
    assert "234 events more are not shown here" in page.parts["rule-1"]
    assert "rule-1-event-1000" in page.ids
    assert "rule-1-event-1001" not in page.ids


def test_of_a_long_record_the_beginning_is_shown_and_it_says_so() -> None:
    raw = '{"a":"' + "x" * 9000 + '"}'
    page = read_page(written("html", [alert(raw=raw)]))
    assert "4,096 of 9,008 characters" in page.parts["rule-1-event-1"]


def test_the_worst_entities_are_shown_and_it_says_how_many_there_are() -> None:
    many = [alert(LISTED, user=f"user{at}") for at in range(report.MAX_ENTITIES + 20)]
    page = read_page(written("html", [*many, alert(READ, user="worst")]))
    assert page.parts["entity-user-1"].startswith("worst high")
    assert f"Users {report.MAX_ENTITIES + 21}" in page.parts["entities-user"]
    assert f"The {report.MAX_ENTITIES} with the worst and most alerts are shown" in page.text
    assert f"entity-user-{report.MAX_ENTITIES + 1}" not in page.ids


@pytest.mark.parametrize("sizes", [(1,), (3, 50), (400, 7)])
def test_the_page_does_not_depend_on_how_the_input_was_cut(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (
        ("MAX_EVENTS", 90), ("MAX_RECORDS", 40), ("MAX_FOLLOWED", 60), ("MAX_NAMES", 20),
        ("MAX_DISTINCT", 200), ("MAX_VALUES", 2),
    ):  # fmt: skip
        monkeypatch.setattr(collect, name, most)
    rules = [rule(f"Rule {n}", list(Severity)[n % 5]) for n in range(9)]
    alerts = [
        alert(rules[(at * at) % 9], (at * 7919) % 100_000, number=at, raw=f'{{"n":{at}}}',
              user=f"user{at * at % 331}", host=f"Host{at % 7}" if at % 2 else f"HOST{at % 7}")
        for at in range(700)
    ]  # fmt: skip
    assert written("html", alerts, sizes=sizes) == written("html", alerts, sizes=(700,))


def test_a_scan_gives_the_same_page_with_any_number_of_workers(rules: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    log.write_bytes(jsonl({"mark": f"needle {at}"} for at in range(50)))
    (rules / "broken.yml").write_text(rule_text("Broken", "{condition: nothing}"))
    pages = []
    for workers in (1, 2):
        html = scan(log, rules=rules, form="html", workers=workers).text
        pages.append(re.sub(r"<time datetime=.*?</time> UTC[^<]*|<pre tabindex.*?</pre>", "", html))
        page = read_page(html)
        assert "50 alerts from 1 rule" in page.parts["summary"]
        assert "1 rules cannot run: " in page.parts["left-out"]
        assert page.broken == []
    assert pages[0] == pages[1]


def test_any_number_of_alerts_makes_a_page_of_bounded_size() -> None:
    rules = [rule(f"Rule {n}", list(Severity)[n % 5]) for n in range(60)]
    alerts = [
        alert(rules[at % 60], at, number=at, raw='{"m":"' + "x" * 2000 + '"}', user=f"user{at}")
        for at in range(5000)
    ]
    html = written("html", alerts * 5, sizes=(5000,))
    assert "25,000 alerts from 60 rules" in html
    assert collect.MAX_EVENTS * 0.9 < html.count('<li id="rule-') <= collect.MAX_EVENTS
    assert collect.MAX_RECORDS * 0.9 < html.count("<pre") <= collect.MAX_RECORDS + 1
    assert len(html) < 40_000_000
