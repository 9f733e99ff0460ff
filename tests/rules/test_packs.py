"""Packs come from folders, git remotes and archives, pinned and without harm."""

import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.errors import UsageError
from tocsin.rules import unpack as unpacking
from tocsin.rules.git import clone, export, is_remote
from tocsin.rules.packs import (
    PIN,
    files_at_revision,
    is_pack_source,
    pack_name,
    pack_rules,
    packs_in,
    read_pin,
    staged,
)
from tocsin.rules.unpack import unpack

RULE = """\
title: {title}
id: {id}
license: MIT
logsource: {{product: azure, service: activitylogs}}
detection:
  selection: {{operationName: A/B}}
  condition: selection
level: {level}
"""
ID = "7d0f3b52-3a14-4f0e-9d3c-6a1f7e2b9c1{}"


def write_rules(folder: Path, *levels: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        text = RULE.format(title=f"rule {number}", id=ID.format(number), level=level)
        (folder / f"{number}.yml").write_text(text)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write_rules(tmp_path / "origin", "low", "low")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "v1")
    return folder


def commit(repository: Path) -> str:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "more")
    return git(repository, "rev-parse", "HEAD")


def take(source: str, folder: Path, **more):
    with staged(source, folder, **more) as coming:
        return coming.take()


def test_a_pack_from_git_is_pinned_to_its_commit(repository: Path, tmp_path: Path) -> None:
    pack = take(f"file://{repository}", tmp_path / "rules")
    place = tmp_path / "rules" / "origin"
    assert (pack.kind, pack.name) == ("git", "origin")
    assert pack.revision == git(repository, "rev-parse", "HEAD")
    assert pack.license == "MIT (2 rules)"
    assert read_pin(place) == pack
    assert packs_in(tmp_path / "rules") == (pack,)
    assert [rule.path for rule in pack_rules(place)] == ["0.yml", "1.yml"]
    assert not (place / ".git").exists()
    assert sorted(one.name for one in (tmp_path / "rules").iterdir()) == ["origin"]


def test_a_pack_can_follow_a_tag(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    write_rules(repository, "high", "low", "low")
    commit(repository)
    pack = take(f"file://{repository}", tmp_path / "rules", follows="v1")
    assert (pack.revision, pack.follows) == (first, "v1")
    with pytest.raises(UsageError, match="has no revision 'v9'"):
        take(f"file://{repository}", tmp_path / "rules", follows="v9")


def test_an_update_is_seen_before_it_is_taken(repository: Path, tmp_path: Path) -> None:
    remote, rules = f"file://{repository}", tmp_path / "rules"
    take(remote, rules)
    with staged(remote, rules) as coming:
        assert not coming.is_new
    write_rules(repository, "high", "low", "low")
    revision = commit(repository)
    with staged(remote, rules) as coming:
        assert coming.is_new
        assert len(pack_rules(coming.folder)) == 3
        assert len(pack_rules(coming.place)) == 2, "nothing is taken yet"
    assert len(pack_rules(rules / "origin")) == 2
    with staged(remote, rules) as coming:
        coming.take()
    assert len(pack_rules(rules / "origin")) == 3
    assert read_pin(rules / "origin").revision == revision
    assert sorted(one.name for one in rules.iterdir()) == ["origin"]


def test_a_pack_from_a_folder_has_the_digest_of_its_files(tmp_path: Path) -> None:
    origin = write_rules(tmp_path / "mine", "low")
    (origin / "LICENSE.txt").write_text("\n# Detection Rule License\n\nmore\n")
    (origin / "link.yml").symlink_to("/etc/passwd")
    pack = take(str(origin), tmp_path / "rules")
    place = tmp_path / "rules" / "mine"
    assert (pack.kind, pack.license) == ("folder", "Detection Rule License (LICENSE.txt)")
    assert sorted(one.name for one in place.iterdir()) == [PIN, "0.yml", "LICENSE.txt"]
    with staged(str(origin), tmp_path / "rules") as coming:
        assert not coming.is_new
    write_rules(origin, "high")
    with staged(str(origin), tmp_path / "rules") as coming:
        assert coming.is_new


def as_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def as_tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def rule_bytes(level: str = "low") -> bytes:
    return RULE.format(title="one", id=ID.format(0), level=level).encode()


@pytest.mark.parametrize(
    ("name", "make"),
    [("p.zip", as_zip), ("p.tar.gz", as_tar), ("p.tgz", as_tar), ("p.tar.xz", as_tar)],
)
def test_a_pack_from_an_archive(name: str, make: Callable, tmp_path: Path) -> None:
    more = {"mode": "w:xz"} if name.endswith("xz") else {}
    members = {"root/rules/one.yml": rule_bytes(), "root/LICENSE": b"MIT License\n"}
    archive = make(tmp_path / name, members, **more)
    pack = take(str(archive), tmp_path / "rules", path="rules")
    assert pack.name == "p"
    assert pack.kind == "archive"
    assert pack.revision == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert [rule.path for rule in pack_rules(tmp_path / "rules" / "p")] == ["one.yml"]


OUTSIDE = ["../evil.yml", "/etc/evil.yml", "a/../../evil.yml", "..\\evil.yml", "C:\\evil.yml"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize(("ending", "make"), [("zip", as_zip), ("tar", as_tar)])
def test_an_archive_that_leads_outside_is_refused(
    name: str, ending: str, make: Callable, tmp_path: Path
) -> None:
    more = {"mode": "w"} if ending == "tar" else {}
    archive = make(tmp_path / f"p.{ending}", {"ok.yml": rule_bytes(), name: b"x"}, **more)
    before = {path for path in tmp_path.rglob("*") if path != archive}
    with pytest.raises(UsageError, match=r"refused: .* leads outside"):
        take(str(archive), tmp_path / "rules")
    assert {path for path in tmp_path.rglob("*") if path != archive} - before == {
        tmp_path / "rules"
    }


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc"
        archive.addfile(info)
        inside = tarfile.TarInfo("link/evil.yml")
        inside.size = 1
        archive.addfile(inside, io.BytesIO(b"x"))
    with pytest.raises(UsageError, match=r"refused: 'link' is"):
        take(str(tmp_path / "p.tar"), tmp_path / "rules")


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc")
    with pytest.raises(UsageError, match=r"refused: 'link' is a link"):
        take(str(tmp_path / "p.zip"), tmp_path / "rules")


def test_an_archive_that_expands_without_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = as_zip(tmp_path / "p.zip", {f"{number}.yml": b"\0" * 3000 for number in range(9)})
    monkeypatch.setattr(unpacking, "MAX_FILES", 5)
    with pytest.raises(UsageError, match="more than 5 files"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr(unpacking, "MAX_FILES", 50)
    monkeypatch.setattr(unpacking, "MAX_BYTES", 7000)
    with pytest.raises(UsageError, match="goes beyond"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr(unpacking, "MAX_FILE_BYTES", 2000)
    with pytest.raises(UsageError, match="is larger than"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("name", ["p.zip", "p.tar.gz", "p.tar"])
def test_a_damaged_archive_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(UsageError, match="cannot be unpacked"):
        take(str(tmp_path / name), tmp_path / "rules")


def test_a_member_that_is_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    archive = as_tar(tmp_path / "p.tar.gz", {"a": b"x", "a/b.yml": rule_bytes()})
    with pytest.raises(UsageError, match="cannot be unpacked"):
        take(str(archive), tmp_path / "rules")


def test_what_holds_no_rules_is_refused(tmp_path: Path) -> None:
    archive = as_zip(tmp_path / "p.zip", {"readme.md": b"nothing"})
    with pytest.raises(UsageError, match="holds no rules"):
        take(str(archive), tmp_path / "rules")
    with pytest.raises(UsageError, match=r"has no folder '\.\./\.\.'"):
        take(str(write_rules(tmp_path / "m", "low")), tmp_path / "rules", path="../..")


def test_a_folder_that_is_no_pack_is_not_replaced(tmp_path: Path) -> None:
    origin = write_rules(tmp_path / "mine", "low")
    (tmp_path / "rules" / "mine").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already, and is no pack"):
        take(str(origin), tmp_path / "rules")
    for name in ("../x", ".hidden", "a/b"):
        with pytest.raises(UsageError, match="is no name for a pack"):
            take(str(origin), tmp_path / "rules", name=name)


def test_a_damaged_pin_is_said(tmp_path: Path) -> None:
    take(str(write_rules(tmp_path / "mine", "low")), tmp_path / "rules")
    for text in ("{", "[]", json.dumps({"schema": 1, "strange": 2})):
        (tmp_path / "rules" / "mine" / PIN).write_text(text)
        with pytest.raises(UsageError, match="is damaged"):
            packs_in(tmp_path / "rules")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://example.com/some/sigma.git", "sigma"),
        ("git@example.com:some/sigma.git", "sigma"),
        ("ssh://git@example.com/some/sigma/", "sigma"),
        ("../packs/mine/", "mine"),
        ("mine-1.2.tar.gz", "mine-1.2"),
        ("C:\\packs\\mine.zip", "mine"),
    ],
)
def test_a_pack_is_named_by_its_source(source: str, name: str) -> None:
    assert pack_name(source) == name


def test_remotes_are_told_from_files(tmp_path: Path) -> None:
    assert is_remote("https://example.com/x")
    assert is_remote("git@example.com:x/y")
    assert is_remote("/srv/git/x.git")
    assert not is_remote("rules/x.yml")
    assert is_pack_source(str(tmp_path))
    assert not is_pack_source("rules/x.yml")


def test_git_is_asked_nothing_dangerous(tmp_path: Path) -> None:
    for remote in ("--upload-pack=touch evil", "ext::sh -c 'touch evil'"):
        with pytest.raises(UsageError):
            clone(remote, tmp_path / "x")
    with pytest.raises(UsageError):
        export(tmp_path, "--output=evil", tmp_path / "a.tar")
    assert not list(tmp_path.rglob("evil"))


def test_links_of_a_repository_lead_nowhere(repository: Path, tmp_path: Path) -> None:
    (repository / "secret.yml").symlink_to("/etc/passwd")
    commit(repository)
    take(f"file://{repository}", tmp_path / "rules")
    place = tmp_path / "rules" / "origin" / "secret.yml"
    assert not place.is_symlink()
    assert place.read_text() == "/etc/passwd"


def test_rules_at_a_revision(repository: Path) -> None:
    write_rules(repository, "high")
    commit(repository)
    with files_at_revision(repository, "v1") as folder:
        assert [rule.severity.value for rule in pack_rules(folder)] == ["low", "low"]
    with files_at_revision(repository / "0.yml", "HEAD") as folder:
        assert [rule.severity.value for rule in pack_rules(folder)] == ["high"]
    with (
        pytest.raises(UsageError, match="has no git revision 'nope'"),
        files_at_revision(repository, "nope"),
    ):
        pass
