"""Rule files and folders → rules: documents, packs, ids, and pages that quote a rule."""

import socket
from collections import Counter
from pathlib import Path

import pytest

from tocsin.condition.tree import And, Condition, Not, Or, Predicate
from tocsin.errors import UsageError
from tocsin.rules.load import find_rule_files, load_rules
from tocsin.rules.model import LogSource, Rule, Severity, Verdict

ID = "0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a{}"


def text(title: str, number: int | None = None, value: object = "x") -> str:
    given = "" if number is None else f"id: {ID.format(number)}\n"
    return (
        f"title: {title}\n{given}logsource: {{product: acme}}\n"
        f"detection: {{s: {{mark: {value}}}, condition: s}}\n"
    )


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(content)
    return folder


def values(rule: Rule) -> list[object]:
    """Return what the predicates of a rule compare with."""

    def walk(condition: Condition) -> list[object]:
        match condition:
            case And(parts) | Or(parts):
                return [value for part in parts for value in walk(part)]
            case Not(part):
                return walk(part)
            case Predicate(_, _, found):
                return list(found)
        return []

    return [value for one in rule.inputs for value in walk(one.condition)]


class TestDocuments:
    def test_a_file_may_hold_several_rules(self, tmp_path: Path) -> None:
        broken = text("Broken", 2).replace("mark:", "mark|nope:")
        folder = write(tmp_path, many="---\n".join([text("A", 1), broken, text("C", 3), "", "\n"]))
        loaded = load_rules([folder]).rules
        assert [(rule.name, rule.verdict) for rule in loaded] == [
            ("A", Verdict.RUNS),
            ("Broken", Verdict.CANNOT),
            ("C", Verdict.RUNS),
        ]
        assert f"{tmp_path}/many.yml:9:17: Unknown modifier" in loaded[1].reasons[0]

    def test_rules_without_id_are_named_by_their_place(self, tmp_path: Path) -> None:
        folder = write(tmp_path, two=f"{text('A')}---\n{text('B')}")
        assert [rule.id for rule in load_rules([folder]).rules] == [
            f"{tmp_path}/two.yml",
            f"{tmp_path}/two.yml#2",
        ]

    def test_a_global_document_is_part_of_those_after_it(self, tmp_path: Path) -> None:
        shared = (
            f"action: global\ntitle: Shared\nid: {ID.format(1)}\nauthor: Ada\nlevel: high\n"
            "detection: {condition: s}\n"
        )
        web = "logsource: {product: acme, service: web}\ndetection: {s: {mark: one}}\n"
        audit = "logsource: {product: acme, service: audit}\ndetection: {s: {mark: two}}\n"
        own = (
            f"id: {ID.format(2)}\nlogsource: {{product: acme}}\ndetection: {{s: {{mark: three}}}}\n"
        )
        folder = write(tmp_path, shared="---\n".join([shared, web, audit, own]))
        loaded = load_rules([folder]).rules
        assert [rule.verdict for rule in loaded] == [Verdict.RUNS] * 3
        assert [(rule.author, rule.severity) for rule in loaded] == [(("Ada",), "high")] * 3
        assert [rule.inputs[0].scope.service for rule in loaded] == ["web", "audit", None]
        assert [values(rule) for rule in loaded] == [["one"], ["two"], ["three"]]
        assert [rule.id for rule in loaded] == [
            ID.format(1),
            f"{ID.format(1)}#2",
            ID.format(2),
        ]

    def test_reset_ends_what_is_shared(self, tmp_path: Path) -> None:
        parts = ["action: global\nlevel: high\n", text("A"), "action: reset\n", text("B")]
        folder = write(tmp_path, reset="---\n".join(parts))
        severities = [rule.severity for rule in load_rules([folder]).rules]
        assert severities == [Severity.HIGH, Severity.MEDIUM]

    def test_repeat_changes_parts_of_the_document_before(self, tmp_path: Path) -> None:
        repeat = "action: repeat\ntitle: Again\ndetection: {s: {mark: y}}\n"
        folder = write(tmp_path, repeat=f"{text('First')}---\n{repeat}")
        loaded = load_rules([folder]).rules
        assert [(rule.name, values(rule)) for rule in loaded] == [
            ("First", ["x"]),
            ("Again", ["y"]),
        ]

    def test_a_broken_part_is_named_where_it_stands(self, tmp_path: Path) -> None:
        shared = "action: global\ntitle: Shared\nlogsource: {product: acme}\n"
        one = "detection: {s: {mark|nope: x}, condition: s}\n"
        folder = write(tmp_path, bad=f"{shared}---\n{one}")
        [rule] = load_rules([folder]).rules
        assert rule.reasons == (f"{tmp_path}/bad.yml:5:17: Unknown modifier 'nope'",)

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self, tmp_path: Path) -> None:
        (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbf" + text("A").replace("\n", "\r\n").encode())
        [rule] = load_rules([tmp_path]).rules
        assert (rule.name, rule.verdict) == ("A", Verdict.RUNS)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("017", 15), ("0x17", 23), ("1_000", 1000), ("1:30", 90), ("12:30:45", 45045),
        ("089", "089"), ("00000429", "00000429"), ("1e3", "1e3"), ("y", "y"), ("'7'", "7"),
        ("yes", "true"), ("off", "false"), ("9007199254740993", 9007199254740993),
        ("18446744073709551617", 18446744073709551617), ("-9007199254740993", -9007199254740993),
    ],
)  # fmt: skip
def test_values_are_typed_as_yaml_1_1_has_it(written: str, value: object, tmp_path: Path) -> None:
    [rule] = load_rules([write(tmp_path, a=text("A", value=written))]).rules
    assert values(rule) == [value]


def test_large_integers_stay_exact_wherever_they_stand(tmp_path: Path) -> None:
    big = 2**53 + 1
    found = (
        "title: A\nlogsource: {product: acme}\ndetection:\n"
        f"  k: [{big}, word]\n  s:\n    - a: {big}\n      b|gt: {big}\n    - c: [1, {big}]\n"
        "  condition: s or k\n"
    )
    [rule] = load_rules([write(tmp_path, a=found)]).rules
    assert rule.verdict is Verdict.RUNS
    assert values(rule).count(big) == 3
    assert float(big) not in [value for value in values(rule) if isinstance(value, float)]


class TestPacks:
    def test_an_id_that_stands_twice_in_a_pack_names_both_places(self, tmp_path: Path) -> None:
        folder = write(tmp_path, a=text("A", 1), b=text("B", 1), c=text("C", 2))
        loaded = load_rules([folder]).rules
        assert [rule.verdict for rule in loaded] == [Verdict.RUNS, Verdict.CANNOT, Verdict.RUNS]
        assert loaded[1].reasons == (
            (
                f"{tmp_path}/b.yml: the id {ID.format(1)} is already used in this pack by "
                f"{tmp_path}/a.yml"
            ),
        )

    def test_the_same_id_in_two_packs_loads_twice(self, tmp_path: Path) -> None:
        ours, theirs = write(tmp_path / "a", x=text("A", 1)), write(tmp_path / "b", x=text("B", 1))
        loaded = load_rules([ours, theirs]).rules
        assert [rule.verdict for rule in loaded] == [Verdict.RUNS, Verdict.RUNS]
        assert [rule.key for rule in loaded] == [f"a:{ID.format(1)}", f"b:{ID.format(1)}"]

    def test_packs_of_one_name_are_told_apart_by_the_folders_above(self, tmp_path: Path) -> None:
        roots = [
            write(tmp_path / name / "rules", x=text("A", 1)) for name in ("old", "new", "old/old")
        ]
        loaded = load_rules(roots).rules
        assert [rule.verdict for rule in loaded] == [Verdict.RUNS] * 3
        assert [rule.pack for rule in loaded] == ["rules", "new/rules", "old/rules"]

    def test_a_pack_that_is_named_twice_loads_once(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "pack", x=text("A", 1))
        loaded = load_rules([folder, tmp_path / "pack" / ".." / "pack", folder]).rules
        assert [rule.verdict for rule in loaded] == [Verdict.RUNS]

    def test_a_pack_inside_another_is_a_pack_of_its_own(self, tmp_path: Path) -> None:
        write(tmp_path / "all", a=text("A", 1))
        inner = write(tmp_path / "all" / "inner", b=text("B", 2))
        loaded = load_rules([tmp_path / "all", inner]).rules
        assert [(rule.pack, rule.name) for rule in loaded] == [
            ("all", "A"), ("all", "B"), ("inner", "B"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "pack"), [("rules-1.2", "rules-1.2"), (".rules", ".rules"), ("rules", "rules")]
    )
    def test_a_folder_names_its_pack_whole(self, name: str, pack: str, tmp_path: Path) -> None:
        [rule] = load_rules([write(tmp_path / name, x=text("A"))]).rules
        assert rule.pack == pack

    def test_files_are_in_the_order_of_their_paths(self, tmp_path: Path) -> None:
        for name in ("b/z", "a/y", "c", "a/x"):
            write((tmp_path / name).parent, **{Path(name).name: text(name)})
        (tmp_path / "a" / "x.cases.yaml").write_text("rule: x.yml\ncases: []\n")
        (tmp_path / "notes.txt").write_text("x")
        found = find_rule_files([tmp_path])
        assert [str(file.path.relative_to(tmp_path)) for file in found] == [
            "a/x.yml", "a/y.yml", "b/z.yml", "c.yml",
        ]  # fmt: skip

    def test_what_does_not_exist_or_holds_no_rules_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no such rule file or folder"):
            load_rules([tmp_path / "nowhere"])
        with pytest.raises(UsageError, match=r"no rule files \(\*.yml, \*.yaml, \*.toml, "):
            load_rules([tmp_path])


SECRET_ACTIONS = [
    f"MICROSOFT.KEYVAULT/VAULTS/SECRETS/{action}"
    for action in (
        "WRITE", "DELETE", "BACKUP/ACTION", "PURGE/ACTION", "UPDATE/ACTION", "RECOVER/ACTION",
        "RESTORE/ACTION", "SETSECRET/ACTION",
    )
]  # fmt: skip


class TestPages:
    def test_a_page_that_quotes_a_rule_is_read_as_it_stands(self, shared: Path) -> None:
        [page] = (shared / "seeds").glob("000*")
        [rule] = load_rules([page]).rules
        assert rule.verdict is Verdict.RUNS
        assert rule.name == "Azure Keyvault Secrets Modified or Deleted"
        assert rule.id == "b831353c-1971-477b-abb6-2828edc3bca1"
        assert rule.author == ("Austin Songer @austinsonger",)
        assert rule.severity is Severity.MEDIUM
        assert rule.inputs[0].scope == LogSource("azure", None, "azure.activitylogs")
        assert values(rule) == SECRET_ACTIONS

    def test_so_is_the_rule_as_it_is_today(self, sigma_corpus: Path) -> None:
        [file] = sigma_corpus.rglob("azure_keyvault_secrets_modified_or_deleted.yml")
        [rule] = load_rules([file]).rules
        assert rule.verdict is Verdict.RUNS
        assert rule.id == "b831353c-1971-477b-abb6-2828edc3bca1"
        assert rule.inputs[0].scope == LogSource("azure", None, "activitylogs")
        assert set(SECRET_ACTIONS) >= set(values(rule)) >= set(SECRET_ACTIONS[:2])

    def test_the_lines_of_a_page_are_counted_from_its_beginning(self, tmp_path: Path) -> None:
        rule = text("A").replace("mark:", "mark|nope:")
        page = f"# A page\n\n```yaml\nother: thing\n```\n\n```yaml\n{rule}```\n\nMore.\n"
        (tmp_path / "page.md").write_text(page)
        [loaded] = load_rules([tmp_path / "page.md"]).rules
        assert loaded.reasons == (f"{tmp_path}/page.md:10:17: Unknown modifier 'nope'",)


@pytest.fixture(scope="module")
def corpus(sigma_corpus: Path) -> tuple[Rule, ...]:
    """Load SigmaHQ's main folder with the network out of reach."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("loading rules asked for the network")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("socket", "create_connection", "getaddrinfo"):
            patch.setattr(socket, name, refuse)
        return load_rules([sigma_corpus / "rules"]).rules


class TestCorpus:
    def test_every_rule_runs(self, corpus: tuple[Rule, ...]) -> None:
        assert Counter(rule.verdict for rule in corpus) == {Verdict.RUNS: 3140}
        assert Counter(rule.kind for rule in corpus) == {"detection": 3140}

    def test_every_rule_names_its_author_and_where_it_looks(self, corpus: tuple[Rule, ...]) -> None:
        assert all(rule.author and rule.id and rule.name for rule in corpus)
        assert all(any((s.product, s.category, s.service)) for r in corpus for s in scopes(r))

    def test_keys_are_unique(self, corpus: tuple[Rule, ...]) -> None:
        assert len({rule.key for rule in corpus}) == len(corpus)

    @pytest.mark.parametrize(
        ("folder", "unresolved"),
        [("rules-emerging-threats", 2), ("rules-threat-hunting", 0), ("rules-compliance", 0)],
    )
    def test_the_smaller_folders_run_but_for_placeholders(
        self, folder: str, unresolved: int, sigma_corpus: Path
    ) -> None:
        loaded = load_rules([sigma_corpus / folder]).rules
        reasons = [reason for rule in loaded for reason in rule.reasons]
        assert len(reasons) == unresolved
        assert all("needs placeholder known_cdcs" in reason for reason in reasons)
        assert {rule.verdict for rule in loaded if not rule.reasons} == {Verdict.RUNS}

    def test_placeholder_rules_say_what_they_need(self, sigma_corpus: Path) -> None:
        loaded = load_rules([sigma_corpus / "rules-placeholder"]).rules
        assert loaded
        for rule in loaded:
            assert rule.verdict is Verdict.CANNOT
            assert "needs placeholder" in rule.reasons[0]
            assert rule.reasons[0].startswith(f"{rule.path}:")


def scopes(rule: Rule) -> list[LogSource]:
    return [one.scope for one in rule.inputs]
