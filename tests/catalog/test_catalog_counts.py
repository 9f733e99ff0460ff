"""Counts of what rules share, and which rules belong together, with the reason."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.catalog_samples import SIGMA, SIGMA_VAULT, write_packs
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.counts import TWINS, VERSIONS, Corpus
from tocsin.catalog.entries import Entry
from tocsin.catalog.indicators import Counts
from tocsin.condition.functions import fold


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("packs")
    packs = write_packs(folder)
    (folder / "copy").mkdir()
    (folder / "copy" / "rundll32.yml").write_text(SIGMA)
    return Corpus(load_catalogue([*packs, folder / "copy"]).entries)


def entry(corpus: Corpus, address: str) -> Entry:
    return next(one for one in corpus.entries if one.address == address)


def values(corpus: Corpus, address: str) -> dict[str, Counts]:
    counts = corpus.counts(entry(corpus, address))
    return {each.value: each for _, of_one in counts for each in of_one}


def test_counts_are_of_other_rules(corpus: Corpus) -> None:
    shared = values(corpus, "sigma/11111111-1111-4111-8111-111111111111")
    assert shared["\\rundll32.exe"].same == {"sigma": 2}
    assert shared["rundll32"].same == {"sigma": 1}
    alone = values(corpus, "elastic/44444444-4444-4444-8444-444444444444")
    assert [each.same_canonical for each in alone.values()] == [{}, {}]


def test_related_rules_have_their_reasons(corpus: Corpus) -> None:
    found = corpus.related(entry(corpus, "sigma/11111111-1111-4111-8111-111111111111"))
    kinds = {one.entry.address: (one.kind, one.reasons) for one in found}
    kind, reasons = kinds["copy/11111111-1111-4111-8111-111111111111"]
    assert kind == VERSIONS
    assert "version of the same rule in pack copy" in reasons[0]


def test_a_rule_is_related_once(corpus: Corpus) -> None:
    for one in corpus.entries:
        addresses = [related.entry.address for related in corpus.related(one)]
        assert len(addresses) == len(set(addresses))
        assert one.address not in addresses


def brute_force(entries: Sequence[Entry]) -> dict[object, Counter[str]]:
    """Count rules per key, key by key, as plainly as it can be said."""
    found: dict[object, Counter[str]] = defaultdict(Counter)
    for one in entries:
        keys: set[object] = set()
        for field, canonical, op, value in one.tests():
            keys |= {("test", field, op, value), ("pair", canonical, value), ("value", value)}
        for key in keys:
            found[key][one.rule.ecosystem] += 1
    return found


def test_counts_equal_those_of_brute_force_on_the_corpora(
    sigma_corpus: Path, elastic_corpus: Path
) -> None:
    packs = [sigma_corpus, elastic_corpus, sigma_corpus.parent / "panther"]
    corpus = Corpus(load_catalogue(packs).entries)
    counts = brute_force(corpus.entries)
    for one in corpus.entries[::7]:
        own = Counter({one.rule.ecosystem: 1})
        for indicator, each in ((i, each) for i, of_one in corpus.counts(one) for each in of_one):
            value, canonical = fold(each.value), indicator.canonical
            test = ("test", fold(indicator.field), indicator.op, value)
            assert each.same == dict(counts[test] - own)
            assert each.same_canonical == dict(counts["pair", canonical, value] - own)
            if value:
                assert each.same_value == dict(counts["value", value] - own)


def test_rules_relate_by_an_operation_and_its_twin(tmp_path: Path) -> None:
    other = SIGMA_VAULT.replace("33333333", "99999999").replace("activitylogs", "keyvault")
    other = other.replace("MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION", "SecretGet")
    packs = write_packs(tmp_path, other=other)
    corpus = Corpus(load_catalogue(packs).entries)
    found = corpus.related(entry(corpus, "sigma/33333333-3333-4333-8333-333333333333"))
    [twin] = [one for one in found if one.kind == TWINS]
    assert twin.entry.rule.id.startswith("9999")
    assert twin.reasons[0].startswith("SecretGet stands for MICROSOFT.KEYVAULT/")
