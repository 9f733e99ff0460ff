"""Cached rules are those that loading gives, whatever has changed since."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.rules import cache
from tocsin.rules.cache import RuleIndex, cache_key, load_rules_cached
from tocsin.rules.load import LoadOptions, RuleLoader, load_rules
from tocsin.rules.model import RuleSet, Verdict

ID = "0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a{}"


def text(title: str, number: int = 1, field: str = "mark") -> str:
    return (
        f"title: {title}\nid: {ID.format(number)}\nlogsource: {{product: acme}}\n"
        f"detection: {{s: {{{field}: x}}, condition: s}}\n"
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where entries are kept."""
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name, content in {
        "a": text("A", 1),
        "b": text("B", 2),
        "broken": text("Broken", 3, "mark|nope"),
        "repeated": text("Repeated", 1),
        "no_rule": "about: nothing\n",
    }.items():
        (pack / f"{name}.yml").write_text(content)
    return pack


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read, not taken from the cache."""
    names: list[str] = []
    honest = RuleLoader.load

    def load(self: RuleLoader, file: object) -> object:
        names.append(file.path.name)
        return honest(self, file)

    monkeypatch.setattr(RuleLoader, "load", load)
    return names


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_warm_equals_cold(folder: Path, pack: Path, read: list[str]) -> None:
    expected = load_rules([pack])
    read.clear()
    assert load_rules_cached([pack]) == expected
    assert len(read) == 5
    assert load_rules_cached([pack]) == expected
    assert len(read) == 5
    assert len(entries(folder)) == 1


def test_warm_equals_cold_for_packs_that_share_files(folder: Path, pack: Path) -> None:
    inner = pack / "inner"
    inner.mkdir()
    (inner / "c.yml").write_text(text("C", 4))
    for roots in ([pack, inner], [inner, pack], [inner, inner / "c.yml"]):
        expected = load_rules(roots)
        assert load_rules_cached(roots) == expected
        assert load_rules_cached(roots) == expected


Change = Callable[[Path], object]


def edit(name: str, content: str) -> Change:
    return lambda pack: (pack / name).write_text(content)


def edit_unseen(pack: Path) -> None:
    """Change a file, keep its size and put its time back."""
    file = pack / "a.yml"
    before = file.stat()
    file.write_text(text("Z", 1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(pack: Path) -> None:
    """Put another file of the same size and time in the place of one."""
    file, other = pack / "a.yml", pack / "other"
    other.write_text(text("Z", 1))
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)


CHANGES: dict[str, tuple[Change, list[str]]] = {
    "changed": (edit("a.yml", text("Other", 1)), ["a.yml"]),
    "changed, of the same size and time": (edit_unseen, ["a.yml"]),
    "replaced, by one of the same size and time": (replace, ["a.yml"]),
    "touched": (lambda pack: os.utime(pack / "b.yml", (1, 1)), ["b.yml"]),
    "added": (edit("new.yml", text("New", 5)), ["new.yml"]),
    "removed": (lambda pack: (pack / "a.yml").unlink(), []),
    "renamed": (lambda pack: (pack / "a.yml").rename(pack / "z.yml"), ["z.yml"]),
    "repaired": (edit("broken.yml", text("Broken", 3)), ["broken.yml"]),
    "emptied": (edit("b.yml", ""), ["b.yml"]),
    "made a rule": (edit("no_rule.yml", text("Now", 6)), ["no_rule.yml"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_is_read_again_and_it_alone(
    change: str, folder: Path, pack: Path, read: list[str]
) -> None:
    before = load_rules_cached([pack])
    act, expected = CHANGES[change]
    act(pack)
    read.clear()
    after = load_rules_cached([pack])
    assert read == expected
    assert after == load_rules([pack])
    assert (after == before) is (change == "touched")
    read.clear()
    assert load_rules_cached([pack]) == after
    assert read == []


def test_removing_the_first_of_two_rules_of_one_id_lets_the_second_run(
    folder: Path, pack: Path
) -> None:
    def repeated(loaded: RuleSet) -> Verdict:
        return next(rule.verdict for rule in loaded.rules if rule.name == "Repeated")

    assert repeated(load_rules_cached([pack])) is Verdict.CANNOT
    (pack / "a.yml").unlink()
    assert repeated(load_rules_cached([pack])) is Verdict.RUNS


def damage(whole: bytes) -> dict[str, bytes]:
    _checksum, _, data = whole.partition(b"\n")
    return {
        "empty": b"",
        "cut off": whole[: len(whole) // 2],
        "without its last byte": whole[:-1],
        "a flipped bit": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
        "a wrong checksum": b"0" * 64 + b"\n" + data,
        "without checksum": data,
        "no JSON behind a right checksum": hashlib.sha256(b"x").hexdigest().encode() + b"\nx",
        "noise": bytes(range(256)),
    }


@pytest.mark.parametrize("how", damage(b"x" * 100 + b"\n" + b"y" * 100))
def test_a_damaged_entry_is_built_anew(
    how: str, folder: Path, pack: Path, read: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tocsin")
    expected = load_rules_cached([pack])
    [entry] = entries(folder)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole)[how])
    read.clear()
    assert load_rules_cached([pack]) == expected
    assert len(read) == 5
    assert "is damaged and is built anew" in caplog.text
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_not_matter(
    tmp_path: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "file" / "cache"))
    assert load_rules_cached([pack]) == load_rules([pack])


def test_an_empty_variable_switches_the_cache_off(
    tmp_path: Path, pack: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    monkeypatch.setenv("TOCSIN_CACHE", "")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert len(load_rules_cached([pack]).rules) == 4
    assert len(read) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


class TestKey:
    """Everything that can change what loading gives, but the rule files themselves."""

    @pytest.fixture
    def options(self, tmp_path: Path) -> LoadOptions:
        (tmp_path / "pipeline.yml").write_text("transformations: []\n")
        (tmp_path / "values.yml").write_text("who: [x]\n")
        return LoadOptions((tmp_path / "pipeline.yml",), tmp_path / "values.yml")

    @pytest.fixture
    def key(self, pack: Path, options: LoadOptions) -> str:
        return cache_key([pack], options)

    def test_is_the_same_for_the_same(self, pack: Path, options: LoadOptions, key: str) -> None:
        assert cache_key([pack], options) == key

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FORMAT", 0),
            ("__version__", "0"),
            ("version", lambda name: "0" if name == "pysigma" else "1"),
            ("_code_state", list),
        ],
    )
    def test_holds_our_version_and_that_of_libraries(
        self, name: str, value: object, pack: Path, options: LoadOptions, key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(cache, name, value)
        assert cache_key([pack], options) != key

    @pytest.mark.parametrize("library", cache.LIBRARIES)
    def test_holds_the_version_of_each_library(
        self, library: str, pack: Path, options: LoadOptions, key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        honest = cache.version
        monkeypatch.setattr(
            cache, "version", lambda name: "other" if name == library else honest(name)
        )
        assert cache_key([pack], options) != key

    def test_holds_the_code_that_reads_rules(self) -> None:
        names = {Path(name).name for name, *_ in cache._code_state()}
        assert {"parse.py", "lower.py", "build.py", "load.py", "codec.py", "tree.py"} <= names

    def test_holds_the_content_of_pipelines_and_placeholders(
        self, pack: Path, options: LoadOptions, key: str
    ) -> None:
        found = {key}
        for file in (*options.pipelines, options.placeholders):
            assert file
            file.write_text(file.read_text() + "# changed\n")
            found.add(cache_key([pack], options))
        found.add(cache_key([pack], LoadOptions(options.pipelines)))
        found.add(cache_key([pack], LoadOptions((), options.placeholders)))
        found.add(cache_key([pack], LoadOptions(options.pipelines * 2, options.placeholders)))
        assert len(found) == 6

    def test_holds_the_roots_and_how_they_are_shown(
        self, pack: Path, tmp_path: Path, options: LoadOptions, key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        other = tmp_path / "other"
        other.mkdir()
        keys = [
            cache_key(roots, options)
            for roots in ([Path("pack")], [other], [pack, other], [other, pack])
        ]
        assert len({key, *keys}) == 5
        monkeypatch.chdir(other)
        (other / "pack").mkdir()
        assert cache_key([Path("pack")], options) not in keys


LOADED = """
import sys
from pathlib import Path
from tocsin.rules.cache import load_rules_cached
rules = load_rules_cached([Path(sys.argv[1])]).rules
print(len(rules), sorted({name.split(".")[0] for name in sys.modules} & {"sigma", "yaml", "re2"}))
"""


def test_a_warm_start_loads_no_rule_parser(folder: Path, pack: Path) -> None:
    def load() -> str:
        done = subprocess.run(
            [sys.executable, "-c", LOADED, pack], capture_output=True, text=True, check=True
        )
        return done.stdout

    assert load() == "4 ['re2', 'sigma', 'yaml']\n"
    assert "sigma" not in load()


def test_an_entry_is_json_behind_a_checksum(folder: Path, pack: Path) -> None:
    load_rules_cached([pack])
    [entry] = entries(folder)
    assert entry.suffix == ".json"
    checksum, _, data = entry.read_bytes().partition(b"\n")
    assert hashlib.sha256(data).hexdigest().encode() == checksum
    index, rules = json.loads(data)
    assert len(index) == len(rules) == 5


@pytest.mark.parametrize("cached", ["cold", "warm", "off"])
def test_an_index_finds_what_a_look_through_all_rules_finds(
    cached: str, folder: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_rules([pack]).rules
    if cached == "warm":
        load_rules_cached([pack])
    if cached == "off":
        monkeypatch.setenv("TOCSIN_CACHE", "")
    index = RuleIndex([pack])
    for wanted in ("A", "b", "BROKEN", "Repeated", "nope", *(ID.format(at) for at in range(1, 5))):
        found = {one for one in expected if wanted.lower() in {one.id.lower(), one.name.lower()}}
        assert set(index.find(wanted)) == found, wanted


def test_an_index_decodes_only_what_is_wanted(
    folder: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.rules import codec

    load_rules_cached([pack])
    decoded: list[str] = []
    honest = codec.decode_rule
    monkeypatch.setattr(
        codec, "decode_rule", lambda data: decoded.append(data[0][1]) or honest(data)
    )
    index = RuleIndex([pack])
    assert decoded == []
    assert [rule.name for rule in index.find("B")] == ["B"]
    assert decoded == ["B"]


def test_a_second_rule_of_an_id_cannot_run_when_it_is_found_by_its_name(
    folder: Path, pack: Path
) -> None:
    [rule] = RuleIndex([pack]).find("Repeated")
    assert rule.verdict is Verdict.CANNOT
    assert "is already used in this pack by" in rule.reasons[-1]
