"""Search: the syntax, facets, excerpts and order; the index is made anew when rules change."""

from contextlib import suppress
from pathlib import Path

import pytest

from catalog.catalog_samples import SIGMA, write_packs
from tocsin.catalog.index import open_index
from tocsin.catalog.search import FACETS, MARK, UNMARK, Found, Searcher
from tocsin.errors import UsageError

OFFICE, ALONE, READ, CHANGED, TWO, STRANGER = (
    "Rundll32 Started by Office",
    "Rundll32 Without Arguments",
    "Secret Read in a Key Vault",
    "Vault Changed by Anybody",
    "Two Things One After the Other",
    "Vault Read by a Stranger",
)
ALL = {OFFICE, ALONE, READ, CHANGED, TWO, STRANGER}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return Searcher(open_index(write_packs(tmp_path_factory.mktemp("packs"))))


def names(found: Found) -> set[str]:
    return {str(hit.facts["name"]) for hit in found.hits}


QUERIES = {
    "": ALL,
    "ecosystem:sigma": {OFFICE, ALONE, READ},
    "ecosystem:sigma,panther": {OFFICE, ALONE, READ, STRANGER},
    "ecosystem:elastic ecosystem:panther": {CHANGED, TWO, STRANGER},
    "ecosystem:elastic severity>=high": {TWO},
    "-ecosystem:sigma": {CHANGED, TWO, STRANGER},
    "severity:high,low": {ALONE, READ, TWO, STRANGER},
    "rundll32": {OFFICE, ALONE},
    "RUNDLL32": {OFFICE, ALONE},
    "rundll": set(),
    "rundll*": {OFFICE, ALONE},
    '"key vault"': {READ},
    '"vault key"': set(),
    "vault -secret": {CHANGED, STRANGER},
    "winword": {OFFICE},
    "triage": {CHANGED},
    "text:triage": {CHANGED},
    "value:rundll32.exe": {OFFICE, ALONE},
    "value:RunDLL32.exe": {OFFICE, ALONE},
    "value:ll": {OFFICE, ALONE},
    "value=rundll32.exe": {ALONE},
    r"value=\rundll32.exe": {OFFICE, ALONE},
    r"value:*word.exe": {OFFICE},
    "field:image": {OFFICE, ALONE},
    "field:Image value:winword": {OFFICE},
    "field:azure.*": {CHANGED},
    r'indicator:"Image|endswith|\rundll32.exe"': {OFFICE, ALONE},
    r'indicator:"Image|equals|\rundll32.exe"': set(),
    r'indicator:"process.executable|*|\rundll32.exe"': {OFFICE, ALONE},
    "technique:T1555": {READ, CHANGED, STRANGER},
    "technique:T1555.006": {READ},
    "technique:T1562.001": {ALONE},
    "technique:T1685": {ALONE},
    "tactic:TA0006": {READ, CHANGED, STRANGER},
    "tag:AZT604.1": {READ, STRANGER},
    "platform:azure": {READ, CHANGED, STRANGER},
    "has:test": {STRANGER},
    "-has:logic": {TWO, STRANGER},
    "has:stage": {CHANGED, STRANGER},
    "verdict:cannot": {TWO},
    "kind:new_terms": {CHANGED},
    "license:apache-2.0": {STRANGER},
    "license:detection*": {OFFICE, ALONE, READ},
    "author:grace": {OFFICE},
    "changed>=2025-06": {CHANGED},
    "changed<2024": {READ},
    "date:2025": {ALONE, CHANGED, TWO},
    "year:2024": {OFFICE},
    "name:vault id:3333*": {READ},
    "id:Azure.Vault.Read": {STRANGER},
    "pack:panther": {STRANGER},
    "log_type:windows": {OFFICE, ALONE},
    "log_type:azure.activity": {READ, CHANGED, STRANGER},
    "operation:*getsecret*": {READ},
    "index:logs-azure*": {CHANGED},
    "source:windows/process_creation/*": {OFFICE, ALONE},
    "...": ALL,
}  # fmt: skip


@pytest.mark.parametrize(("query", "wanted"), QUERIES.items(), ids=QUERIES)
def test_a_query_finds(searcher: Searcher, query: str, wanted: set[str]) -> None:
    found = searcher.search(query)
    assert names(found) == wanted
    assert found.total == len(wanted)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("colour:red", "no field 'colour'"),
        ("severity>=bad", "no severity 'bad'"),
        ("severity>=low,high", "takes one severity"),
        ("name>x", "has no order"),
        ('"open', "No closing quotation"),
        ("value:", "asks for nothing"),
    ],
)
def test_a_query_that_means_nothing_is_refused(searcher: Searcher, query: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        searcher.search(query)


@pytest.mark.parametrize(
    "query", ['"', "'", "a OR b", "NEAR(a b)", "{name}", "a^2", "*", "-", "\0", "x:"]
)
def test_no_query_reaches_the_database_as_its_own_syntax(searcher: Searcher, query: str) -> None:
    with suppress(UsageError):
        searcher.search(query)


def test_a_facet_counts_without_its_own_choice(searcher: Searcher) -> None:
    found = searcher.search("ecosystem:sigma severity:high")
    assert dict(found.facets["ecosystem"]) == {"sigma": 1, "elastic": 1, "panther": 1}
    assert dict(found.facets["severity"]) == {"high": 1, "medium": 1, "low": 1}
    assert dict(found.facets["platform"]) == {"windows": 1}
    assert found.chosen == {"ecosystem": ["sigma"], "severity": ["high"]}


def test_what_is_chosen_is_counted_even_if_it_has_none(searcher: Searcher) -> None:
    found = searcher.search("platform:azure kind:detection secret")
    assert dict(found.facets["platform"]) == {"azure": 1}
    assert ("new_terms", 0) in searcher.search("kind:new_terms rundll32").facets["kind"]


@pytest.mark.parametrize("facet", FACETS)
def test_every_facet_is_counted_as_a_query_for_it_finds(searcher: Searcher, facet: str) -> None:
    for text, count in searcher.search("").facets[facet]:
        assert searcher.search(f'{facet}="{text}"').total == count


def test_an_excerpt_marks_what_was_looked_for(searcher: Searcher) -> None:
    [hit] = searcher.search("winword").hits
    assert f"{MARK}winword{UNMARK}" in hit.excerpt


def test_the_worst_and_newest_come_first_and_pages_follow_each_other(searcher: Searcher) -> None:
    everything = [hit.number for hit in searcher.search("").hits]
    severities = [hit.severity.rank for hit in searcher.search("").hits]
    assert severities == sorted(severities, reverse=True)
    pages = [searcher.search("", first=at, count=2) for at in (0, 2, 4)]
    assert [hit.number for page in pages for hit in page.hits] == everything


def test_a_name_weighs_more_than_a_text(searcher: Searcher) -> None:
    assert str(searcher.search("office").hits[0].facts["name"]) == OFFICE


def test_the_index_follows_the_rules(tmp_path: Path) -> None:
    packs = write_packs(tmp_path)
    made: list[str] = []
    assert Searcher(open_index(packs, progress=made.append)).size == 6
    assert Searcher(open_index(packs, progress=made.append)).size == 6
    assert len(made) == 1
    changed = SIGMA.replace("Without Arguments", "Renamed").replace("1111-1111", "1111-9999")
    (packs[0] / "another.yml").write_text(changed)
    assert Searcher(open_index(packs, progress=made.append)).search("name:renamed").total == 1
    assert len(made) == 2


def test_a_damaged_index_is_made_again(tmp_path: Path, rule_cache: Path) -> None:
    packs = write_packs(tmp_path)
    open_index(packs).close()
    newest = max(rule_cache.glob("catalogue-*.sqlite"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:5000])
    assert Searcher(open_index(packs)).size == 6


def test_there_is_an_index_without_a_folder_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_CACHE", "")
    assert Searcher(open_index(write_packs(tmp_path))).search("rundll32").total == 2
