"""Counts of what rules share, and which rules belong together, with the reason."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.catalog_samples import SIGMA, write_packs
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.counts import Corpus
from tocsin.catalog.entries import Entry


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("packs")
    packs = write_packs(folder)
    (folder / "copy").mkdir()
    (folder / "copy" / "rundll32.yml").write_text(SIGMA)
    return Corpus(load_catalogue([*packs, folder / "copy"]).entries)


def entry(corpus: Corpus, address: str) -> Entry:
    return next(one for one in corpus.entries if one.address == address)


def test_counts_are_of_other_rules(corpus: Corpus) -> None:
    own = entry(corpus, "sigma/11111111-1111-4111-8111-111111111111")
    shared = {one.value: corpus.shared(own, one) for one in own.indicators}
    assert shared["\\rundll32.exe"].triple == {"sigma": 2}
    assert shared["rundll32"].triple == {"sigma": 1}
    alone = entry(corpus, "elastic/44444444-4444-4444-8444-444444444444")
    assert [corpus.shared(alone, one).pair for one in alone.indicators] == [{}, {}]


def test_related_rules_have_their_reasons(corpus: Corpus) -> None:
    found = corpus.related(entry(corpus, "sigma/11111111-1111-4111-8111-111111111111"))
    reasons = {one.entry.address: one.reason for one in found}
    assert reasons["copy/11111111-1111-4111-8111-111111111111"] == "version of this rule: same id"
    vault = corpus.related(entry(corpus, "panther/Azure.Vault.Read"))
    assert [one.reason for one in vault] == []


def test_a_rule_is_related_once(corpus: Corpus) -> None:
    for one in corpus.entries:
        addresses = [related.entry.address for related in corpus.related(one)]
        assert len(addresses) == len(set(addresses))
        assert one.address not in addresses


def brute_force(entries: Sequence[Entry]) -> dict[str, dict[object, Counter[str]]]:
    """Count rules per key, key by key, as plainly as it can be said."""
    found: dict[str, dict[object, Counter[str]]] = {
        kind: defaultdict(Counter) for kind in ("triple", "pair", "value")
    }
    for one in entries:
        ecosystem = one.rule.ecosystem
        folded = [(i.field.lower(), i.canonical, i.op, i.value.lower()) for i in one.indicators]
        for key in {(field, op, value) for field, _, op, value in folded}:
            found["triple"][key][ecosystem] += 1
        for pair in {(canonical, value) for _, canonical, _, value in folded if value}:
            found["pair"][pair][ecosystem] += 1
        for value in {value for *_, value in folded if value}:
            found["value"][value][ecosystem] += 1
    return found


def test_counts_equal_those_of_brute_force_on_the_corpora(
    sigma_corpus: Path, elastic_corpus: Path
) -> None:
    packs = [sigma_corpus, elastic_corpus, sigma_corpus.parent / "panther"]
    corpus = Corpus(load_catalogue(packs).entries)
    counts = brute_force(corpus.entries)
    for one in corpus.entries[::7]:
        own = Counter({one.rule.ecosystem: 1})
        for i in one.indicators:
            shared = corpus.shared(one, i)
            value = i.value.lower()
            assert shared.triple == dict(counts["triple"][i.field.lower(), i.op, value] - own)
            if value:
                assert shared.pair == dict(counts["pair"][i.canonical, value] - own)
                assert shared.value == dict(counts["value"][value] - own)


def test_our_own_packs_relate_by_operation_and_its_twin() -> None:
    import tocsin.content

    packs = Path(tocsin.content.__path__[0]) / "packs"
    corpus = Corpus(load_catalogue([packs]).entries)
    reasons = [one.reason for each in corpus.entries for one in corpus.related(each)]
    assert any(reason.startswith("same operation: SecretGet") for reason in reasons)
