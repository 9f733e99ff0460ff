"""The static site: every element of a rule's page, links that lead somewhere, hostile rules."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from catalog.catalog_samples import EVIL, write_packs
from tocsin.catalog.build import load_catalogue
from tocsin.errors import UsageError
from tocsin.pages.catalog.site import build_site

ALONE = "rules/sigma/11111111-1111-4111-8111-111111111111"
VAULT = "rules/elastic/44444444-4444-4444-8444-444444444444"
SEQUENCE = "rules/elastic/55555555-5555-4555-8555-555555555555"
UUID = "66666666-6666-4666-8666-666666666666"
STRANGER = "rules/panther/Azure.Vault.Read"


INLINE = {"a", "b", "code", "em", "i", "span", "strong", "wbr"}


class Page(HTMLParser):
    """What a page links to, names, and says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        self.links += [value for key in ("href", "src", "action") if (value := named.get(key))]
        if own := named.get("id"):
            self.ids.append(own)
        if tag not in INLINE:
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


DEEP = """
title: Deep
id: deep
logsource: {{product: windows}}
detection:
  a: {{b: c}}
  condition: {}
"""


def build(folder: Path, **more: str) -> Path:
    loaded = load_catalogue(write_packs(folder / "packs", **more))
    build_site(loaded.entries, loaded.roots, folder / "site", workers=1)
    return folder / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    passwd = EVIL.replace(UUID, "../../../../etc/passwd").replace(
        "status: test", 'status: "</title><script>window.pwned = 1</script>"'
    )
    nested = DEEP.format("not (" * 60 + "a" + ")" * 60)
    files = {
        "evil": EVIL,
        "passwd": passwd,
        "again": passwd,
        "nested": nested,
        "broken": "detection: [",
    }
    return build(tmp_path_factory.mktemp("hostile"), **files)


def page(site: Path, name: str) -> Page:
    return Page((site / f"{name}.html").read_text("utf-8"))


def section(site: Path, name: str, anchor: str) -> str:
    html = (site / f"{name}.html").read_text("utf-8")
    found = re.search(rf'<section id="{anchor}".*?</section>', html, re.DOTALL)
    assert found, anchor
    return " ".join(Page(found[0]).text.split())


ELEMENTS = {
    "description": (VAULT, "description", "Vaults that were changed."),
    "a tactic and its techniques": (VAULT, "attack", "Credentials from Password Stores T1555"),
    "an older technique as what it became": (ALONE, "attack", "T1685 (T1562.001 until"),
    "logic": (ALONE, "logic", "CommandLine ends with any of rundll32.exe rundll32"),
    "what must not hold": (ALONE, "logic", "not ParentImage is C:\\Windows\\explorer.exe"),
    "scope": (VAULT, "logic", "Waits for events in logs-azure*"),
    "stage": (VAULT, "logic", "Then values of user.name that are new within 14 days"),
    "query": (VAULT, "logic", "The query in KQL"),
    "no logic, and why": (SEQUENCE, "logic", "EQL rules do not run yet"),
    "the query of a language that is not read": (SEQUENCE, "logic", "sequence by host.id"),
    "indicators": (ALONE, "indicators", "\\rundll32.exe sigma 1 sigma 1 sigma 1"),
    "an indicator that no other rule has": (VAULT, "indicators", "only here"),
    "output fields of Sigma": (ALONE, "output", "ParentImage named by the author"),
    "output fields of Elastic": (VAULT, "output", "user.name new term"),
    "output fields of Panther": (STRANGER, "output", "callerIpAddress look at first"),
    "the same in another language": (ALONE, "convert", "DuckDB SQL"),
    "what cannot be said in another": (VAULT, "convert", "Sigma"),
    "false positives": (ALONE, "false-positives", "Software that is badly made"),
    "guide": (VAULT, "guide", "Triage Look at user.name"),
    "setup": (VAULT, "setup", "The Azure integration."),
    "tests": (STRANGER, "tests", "no alert It was not"),
    "raw text": (VAULT, "raw", "creation_date = "),
    "Python beside it": (STRANGER, "raw", "def rule(event):"),
}


@pytest.mark.parametrize(("name", "anchor", "says"), ELEMENTS.values(), ids=ELEMENTS)
def test_the_page_of_a_rule_has(site: Path, name: str, anchor: str, says: str) -> None:
    assert says in section(site, name, anchor)


FACTS = {
    "schedule": (VAULT, "Runs every 5 minutes"),
    "window": (VAULT, "Looks at the last 25 minutes (from now-25m)"),
    "index patterns": (VAULT, "Index patterns logs-azure*"),
    "maximum alerts": (VAULT, "Maximum alerts 100 per run"),
    "risk score": (VAULT, "Severity medium, risk score 47"),
    "author": (VAULT, "Author Linus Example"),
    "licence": (VAULT, "Licence Elastic License 2.0"),
    "verdict": (SEQUENCE, "Verdict does not run here"),
    "path inside the pack": (ALONE, "File rundll32.yml"),
    "deduplication": (STRANGER, "Alerts are one for 15 minutes"),
    "operation": (VAULT, "Operations MICROSOFT.KEYVAULT/VAULTS/WRITE"),
}


@pytest.mark.parametrize(("name", "says"), FACTS.values(), ids=FACTS)
def test_the_facts_beside_it_say(site: Path, name: str, says: str) -> None:
    assert says in " ".join(page(site, name).text.split())


def test_a_page_has_a_twin_in_json(site: Path) -> None:
    twin = json.loads((site / f"{ALONE}.json").read_bytes())
    assert twin["address"] == ALONE.removeprefix("rules/")
    assert twin["indicators"][0]["values"][0]["same_test"] == {"sigma": 1}
    assert twin["inputs"][0]["logic"][0] == "all of"
    assert twin["path"] == "rundll32.yml"
    assert all(one["reasons"] for one in twin["related"])


def test_a_uuid_leads_to_its_rule(site: Path) -> None:
    alias = page(site, "rule/11111111-1111-4111-8111-111111111111")
    assert f"../{ALONE}.html" in alias.links
    assert any(tag == "meta" and "refresh" in attrs.values() for tag, attrs in alias.tags)


def test_lines_have_addresses(site: Path) -> None:
    assert {"L1", "L9"} <= set(page(site, ALONE).ids)


def all_pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


@pytest.mark.parametrize("kind", ["site", "hostile"])
def test_every_link_inside_leads_somewhere(kind: str, request: pytest.FixtureRequest) -> None:
    site: Path = request.getfixturevalue(kind)
    known: dict[Path, set[str]] = {}
    for path in all_pages(site):
        for link in Page(path.read_text("utf-8")).links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"http", "https"}
                continue
            assert not link.startswith("/")
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path}: {link}"
            assert target.is_relative_to(site)
            if parts.fragment:
                ids = known.setdefault(target, set(Page(target.read_text("utf-8")).ids))
                assert unquote(parts.fragment) in ids, f"{path}: {link}"


def test_no_page_holds_code_or_loads_from_elsewhere(hostile: Path) -> None:
    for path in all_pages(hostile):
        html = path.read_text("utf-8")
        found = Page(html)
        assert "default-src 'none'" in html
        for tag, attrs in found.tags:
            assert tag not in {"iframe", "object", "embed", "style", "base"}
            assert not any(name.startswith("on") or name == "style" for name in attrs)
            if tag in {"script", "link", "img"} and (source := attrs.get("src")):
                assert not urlsplit(source).scheme
            if tag == "script":
                assert attrs.get("src")
        assert len(found.ids) == len(set(found.ids)), path


def test_a_hostile_rule_is_shown_as_text(hostile: Path) -> None:
    html = (hostile / "rules" / "sigma" / f"{UUID}.html").read_text("utf-8")
    assert "<script>window" not in html
    assert "&lt;script&gt;window.pwned" in html
    assert "\\u202e" in html
    assert "\u202e" not in html
    assert "more characters" in html
    assert len(html) < 200_000
    assert "https://ok.example/x" in Page(html).links


def test_duplicate_ids_unknown_tactics_and_broken_files_are_noted(hostile: Path) -> None:
    twins = (hostile / "rules" / "sigma").glob("*passwd*.json")
    both = [json.loads(one.read_bytes()) for one in twins]
    assert len(both) == 2
    assert any("already used in this pack" in " ".join(one["reasons"]) for one in both)
    assert "T9999" in page(hostile, "attack/index").text
    assert page(hostile, "attack/T9999").text.count("not in ATT&CK")
    assert "Deep" in page(hostile, "rules/sigma/deep").text


def test_scripts_of_data_hold_nothing_but_data(hostile: Path) -> None:
    for name in ("rules", "tests"):
        text = (hostile / "static" / f"{name}.js").read_text("utf-8")
        found = re.fullmatch(r'tocsin\("(\w+)", (.*)\);\n', text, re.DOTALL)
        assert found
        assert json.loads(found[2])


def test_pages_of_rules_that_are_gone_are_removed(tmp_path: Path) -> None:
    site = build(tmp_path)
    assert (site / f"{ALONE}.html").exists()
    (tmp_path / "packs" / "sigma" / "rundll32.yml").unlink()
    loaded = load_catalogue([tmp_path / "packs" / "sigma"])
    build_site(loaded.entries, loaded.roots, site, workers=1)
    assert not (site / f"{ALONE}.html").exists()
    assert not (site / "rule" / f"{Path(ALONE).name}.html").exists()


def test_a_folder_of_other_files_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    loaded = load_catalogue(write_packs(tmp_path / "packs"))
    with pytest.raises(UsageError, match="holds other files"):
        build_site(loaded.entries, loaded.roots, tmp_path, workers=1)


def test_several_processes_write_the_same(tmp_path: Path, site: Path) -> None:
    loaded = load_catalogue(write_packs(tmp_path / "packs"))
    build_site(loaded.entries, loaded.roots, tmp_path / "site", workers=2)
    made = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*")}
    assert made == {path.relative_to(site) for path in site.rglob("*")}
