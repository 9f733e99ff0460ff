"""`tocsin rules overlap`, `convert`, `diff`, and packs, as they are called."""

import json
import subprocess
from pathlib import Path

import pytest

from cli.calling import tocsin

RULE = """\
title: {title}
id: {id}
license: MIT
logsource: {{product: azure, service: activitylogs}}
detection:
  selection: {{operationName: [{operations}]}}
  condition: selection
level: {level}
"""
IDS = ("7d0f3b52-3a14-4f0e-9d3c-6a1f7e2b9c10", "7d0f3b52-3a14-4f0e-9d3c-6a1f7e2b9c11")


def write(path: Path, *operations: str, number: int = 0, level: str = "low") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"title": path.stem, "id": IDS[number], "level": level}
    path.write_text(RULE.format(operations=", ".join(operations), **said))
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    few = write(tmp_path / "mine" / "few.yml", "A.B/C/WRITE")
    return few, write(tmp_path / "theirs" / "more.yml", "A.B/C/WRITE", "A.B/C/DELETE", number=1)


def test_two_files(pair: tuple[Path, Path]) -> None:
    result = tocsin("rules", "overlap", *pair)
    assert result.status == 0
    assert "implies: the first implies the second" in result.text


def test_ids_among_rules(pair: tuple[Path, Path]) -> None:
    folders = [one for path in pair for one in ("-r", path.parent)]
    result = tocsin("rules", "overlap", IDS[1], "few", *folders, "-f", "json")
    record = json.loads(result.out)
    assert (record["relation"], record["a"]["name"]) == ("implied", "more")
    assert record["log_types"][0]["events"]["tried"] >= 1000


def test_two_versions_of_one_id(pair: tuple[Path, Path], tmp_path: Path) -> None:
    write(tmp_path / "old" / "few.yml", "A.B/C/WRITE", "A.B/C/READ")
    folders = ["-r", pair[0].parent, "-r", tmp_path / "old"]
    result = tocsin("rules", "overlap", IDS[0], IDS[0], *folders)
    assert "Both have the same id: they are versions of one rule." in result.text
    assert "\nimplies: " in result.text
    result = tocsin("rules", "overlap", IDS[0], pair[1], *folders)
    assert (result.status, "there are 2 such rules, in mine, old" in result.err) == (2, True)


def test_folders_are_packs(pair: tuple[Path, Path]) -> None:
    result = tocsin("rules", "overlap", *(path.parent for path in pair))
    assert result.text.split("\n")[0].split() == ["implies", "few", "(sigma,", "mine)"]
    assert result.err == "1 pairs: 1 implies\n"
    (record,) = json.loads(
        tocsin("rules", "overlap", *(path.parent for path in pair), "-f", "json").out
    )
    assert record["relation"] == "implies"


def test_what_a_pack_adds(pair: tuple[Path, Path]) -> None:
    few, more = (path.parent for path in pair)
    result = tocsin("rules", "overlap", few, "--adds", more)
    assert result.text == "wider    more, than few (sigma, mine)\n"
    assert result.err.startswith("0 new, 1 wider, 0 covered")
    record = json.loads(tocsin("rules", "overlap", more, "--adds", few, "-f", "json").out)
    assert [one["relation"] for one in record["covered"]] == ["implies"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "else"), "nowhere: no such file; an id or name needs --rules PATH"),
        (("nowhere", "else", "-r", "{folder}"), "no rule 'nowhere' at"),
    ],
)
def test_rules_that_are_not_there(
    arguments: tuple[str, ...], said: str, pair: tuple[Path, Path]
) -> None:
    result = tocsin("rules", "overlap", *(one.format(folder=pair[0].parent) for one in arguments))
    assert result.status == 2
    assert said in result.err


def test_a_rule_in_another_language(pair: tuple[Path, Path]) -> None:
    result = tocsin("rules", "convert", pair[0], "--to", "kql")
    assert (result.status, result.text) == (0, 'event.action: "A.B/C/WRITE"\n')
    assert result.err == "note: indices: logs-azure.activitylogs-*\n"
    (record,) = json.loads(tocsin("rules", "convert", pair[0], "--to", "sql", "-f", "json").out)
    assert record["language"] == "sql"
    assert "list_filter" in record["text"]
    assert record["cannot_say"] == record["lost"] == []


def test_what_cannot_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yml", "x")
    path.write_text(path.read_text().replace("operationName", "correlationId"))
    result = tocsin("rules", "convert", path, "--to", "kql")
    assert (result.status, result.text) == (3, "")
    assert 'r: cannot say azure.correlation.id is "x": KQL minds' in result.err
    result = tocsin("rules", "convert", path, "--to", "sql", "--log-type", "windows")
    assert result.status == 3
    assert "is not about windows, but about azure.activity" in result.err
    assert tocsin("rules", "convert", "x", path.parent, "--to", "sql").status == 2


def test_two_files_of_different_ids_are_versions(pair: tuple[Path, Path]) -> None:
    result = tocsin("rules", "diff", *pair)
    assert result.status == 0
    assert "matches more events than before" in result.text
    assert result.err == "0 added, 0 removed, 1 changed, 0 reworded, 0 the same\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write(tmp_path / "origin" / "rule.yml", "A.B/C/WRITE").parent
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    write(folder / "rule.yml", "A.B/C/WRITE", level="high")
    write(folder / "new.yml", "A.B/C/DELETE", number=1)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "two")
    return folder


@pytest.mark.parametrize("way", ["at", "git", "worktree"])
def test_two_revisions(way: str, repository: Path) -> None:
    arguments = {
        "at": (f"{repository}@HEAD~1", f"{repository}@HEAD"),
        "git": (repository, "--git", "HEAD~1..HEAD"),
        "worktree": (repository, "--git", "HEAD~1.."),
    }
    result = tocsin("rules", "diff", *arguments[way])
    assert result.text.splitlines() == [
        "added    new (low, new.yml)",
        "changed  rule (rule.yml)",
        "         severity: low → high",
        "         risk score: 21 → 73",
    ]
    record = json.loads(tocsin("rules", "diff", *arguments[way], "-f", "json").out)
    assert record["added"][0]["name"] == "new"
    assert "-level: low" in record["changed"][0]["diff"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{folder}",), "name two versions"),
        (("{folder}", "--git", "HEAD"), "--git takes REV..REV"),
        (("{folder}", "{folder}", "--git", "HEAD..HEAD"), "--git takes REV..REV"),
        (("{folder}@nope", "{folder}"), "has no git revision 'nope'"),
        (("nowhere", "{folder}"), "nowhere: no such rule file or folder"),
    ],
)
def test_wrong_calls_of_diff(arguments: tuple[str, ...], said: str, repository: Path) -> None:
    result = tocsin("rules", "diff", *(one.format(folder=repository) for one in arguments))
    assert result.status == 2
    assert said in result.err


def test_a_pack_is_added_updated_and_listed(repository: Path, tmp_path: Path) -> None:
    remote, rules = f"file://{repository}", tmp_path / "rules"
    result = tocsin("rules", "add", remote, "--to", rules, "--revision", "HEAD~1")
    assert (result.status, result.text) == (0, f"{rules}/origin\n")
    assert "added 1 rules of origin at " in result.err
    assert "licence: MIT (1 rules)" in result.err
    assert "use tocsin rules update" in tocsin("rules", "add", remote, "--to", rules).err
    result = tocsin("rules", "update", "--to", rules)
    assert "origin: unchanged at " in result.err
    result = tocsin("rules", "update", "--to", rules, "--revision", "HEAD")
    assert "added    new (low, new.yml)" in result.text
    assert result.err == "origin: not taken; --yes takes it\n"
    assert not (rules / "origin" / "new.yml").exists()
    result = tocsin("rules", "update", "origin", "--to", rules, "--revision", "HEAD", "--yes")
    assert "origin: now at " in result.err
    assert (rules / "origin" / "new.yml").exists()
    (record,) = json.loads(tocsin("rules", "list", "--packs", rules, "-f", "json").out)
    assert (record["name"], record["kind"], record["source"]) == ("origin", "git", remote)
    assert "1 packs" in tocsin("rules", "list", "--packs", rules).err


def test_wrong_calls_of_packs(tmp_path: Path) -> None:
    assert "no such file, folder or git remote" in tocsin("rules", "add", "nowhere").err
    result = tocsin("rules", "update", "--to", tmp_path)
    assert (result.status, "has no packs" in result.err) == (2, True)
    write(tmp_path / "p" / "r.yml", "x")
    tocsin("rules", "add", tmp_path / "p", "--to", tmp_path / "rules")
    result = tocsin("rules", "update", "q", "--to", tmp_path / "rules")
    assert "has no pack 'q'; known: p" in result.err
