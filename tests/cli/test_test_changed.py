"""`tocsin test --changed`: the tests that a change calls for, in real repositories."""

import json
import os
import subprocess

import pytest

from cli.calling import rule, tocsin
from run.panther_pack import write_pack

IMPORTING = """
AnalysisType: rule
RuleID: Sample.{name}
Enabled: true
Filename: {name}.py
LogTypes: [{log_type}]
Severity: Low
Tests:
  - {{Name: any, ExpectedResult: true, Log: {{}}}}
"""
GLOBAL = "AnalysisType: global\nGlobalID: {name}\nFilename: {name}.py\n"
MORE = {
    "global_helpers/lower.py": "from os import path\nLIMIT = 1\n",
    "global_helpers/lower.yml": GLOBAL.format(name="lower"),
    "global_helpers/upper.py": "import lower\n",
    "global_helpers/upper.yml": GLOBAL.format(name="upper"),
    "rules/far.py": "def rule(e):\n    from upper import lower\n    return True\n",
    "rules/far.yml": IMPORTING.format(name="far", log_type="Other.Log"),
    "rules/apart.py": "def rule(e): return True\n",
    "rules/apart.yml": IMPORTING.format(name="apart", log_type="Other.Log"),
    "sigma/needle.yml": rule(title="Needle"),
    "sigma/needle.cases.yaml": "rule: needle.yml\ncases:\n"
    "  - {name: file, log_type: acme//web, events_file: needle.ndjson, alerts: [{}]}\n",
    "sigma/needle.ndjson": '{"mark": "needle"}\n',
    "sigma/broken.cases.yaml": "rule: [\n",
}


def git(folder, *arguments):
    names = {"GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a"}
    mails = {"GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_EMAIL": "a@example.com"}
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    call = ["git", "-C", str(folder), *arguments]
    subprocess.run(
        call, check=True, capture_output=True, env={**os.environ, **names, **mails, **nowhere}
    )


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")


@pytest.fixture
def pack(tmp_path):
    """A repository with rules of Panther and Sigma in a folder."""
    made = write_pack(tmp_path / "pack", **MORE)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return made


def called_for(*arguments):
    result = tocsin("test", *arguments, "-f", "json", "--without-isolation")
    tests = json.loads(result.out)["tests"]
    return {one["rule"].removeprefix("Sample.") for one in tests}


CALLED_FOR = {
    "a metadata file": ("rules/admin.yml", {"Admin"}),
    "a Python file": ("rules/far.py", {"far"}),
    "a Simple Detection": ("rules/simple.yml", {"Simple"}),
    "a policy": ("policies/open.py", {"Open"}),
    "a helper": ("global_helpers/sample_helpers.py", {"Admin"}),
    "a helper of a helper, imported in a function": ("global_helpers/lower.py", {"far"}),
    "the metadata of a helper": ("global_helpers/lower.yml", {"far"}),
    "a data model": ("data_models/sample.yml", {"Admin"}),
    "the Python of a data model": ("data_models/sample.py", {"Admin"}),
    "a Sigma rule": ("sigma/needle.yml", {"Needle"}),
    "a case file": ("sigma/needle.cases.yaml", {"Needle"}),
    "the events of a case file": ("sigma/needle.ndjson", {"Needle"}),
    "a part that no test needs": ("packs/sample.yml", set()),
}


@pytest.mark.parametrize("name", CALLED_FOR)
def test_what_a_change_calls_for(name, pack):
    file, expected = CALLED_FOR[name]
    assert called_for(pack, "--changed") == set()
    with (pack / file).open("a") as more:
        more.write("\n")
    assert called_for(pack, "--changed") == expected
    git(pack, "add", "-A")
    assert called_for(pack, "--changed") == expected


GONE = {
    "a helper": ("global_helpers/lower.py", {"far"}),
    "a data model": ("data_models/sample.yml", {"Admin", "far", "apart"}),
    "a rule": ("rules/far.py", {"far"}),
}


@pytest.mark.parametrize("name", GONE)
def test_what_is_gone_calls_for_tests(name, pack):
    file, expected = GONE[name]
    (pack / file).unlink()
    assert called_for(pack, "--changed") == expected


def test_new_files_count_and_ignored_ones_do_not(pack):
    for name in ("new", "ignored"):
        (pack / f"rules/{name}.py").write_text("def rule(e): return True")
        (pack / f"rules/{name}.yml").write_text(IMPORTING.format(name=name, log_type="Other.Log"))
    (pack / ".gitignore").write_text("ignored.*\n")
    assert called_for(pack, "--changed") == {"new"}


def test_since_a_branch_left_another(pack):
    git(pack, "checkout", "-q", "-b", "work")
    (pack / "rules/far.py").write_text("def rule(e): return 1 == 1\n")
    commit(pack)
    git(pack, "checkout", "-q", "main")
    (pack / "rules/apart.py").write_text("def rule(e): return 2 == 2\n")
    commit(pack)
    git(pack, "checkout", "-q", "work")
    (pack / "policies/open.py").write_text("def policy(r): return not r['open']\n")
    assert called_for(pack, "--changed") == {"Open"}
    assert called_for(pack, "--changed-since", "main") == {"Open", "far"}
    assert called_for(pack, "--changed", "--changed-since", "main", "--where", "id:*far") == {"far"}


def test_a_pipeline_that_changed_calls_for_every_case(pack):
    pipeline = pack / "pipeline.yml"
    pipeline.write_text("name: none\npriority: 1\ntransformations: []\n")
    assert called_for(pack / "sigma/needle.yml", "--changed", "--pipeline", pipeline) == {"Needle"}
    commit(pack)
    assert called_for(pack / "sigma/needle.yml", "--changed", "--pipeline", pipeline) == set()


def test_a_file_that_is_broken_fails_if_it_changed(pack):
    (pack / "sigma/broken.cases.yaml").write_text("rule: [[\n")
    assert called_for(pack, "--changed") == {str(pack / "sigma/broken.cases.yaml")}


def test_nothing_that_changed_is_no_failure(pack):
    result = tocsin("test", pack, "--changed")
    assert (result.status, result.text) == (0, "0 passed, 0 failed, 0 skipped\n")


def test_where_there_is_no_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = tocsin("test", write_pack(tmp_path / "pack"), "--changed")
    assert result.status == 2
    assert "is in no git repository, so nothing says what changed" in result.err


WRONG = {
    "no-such-branch": "is no-such-branch a commit that HEAD comes from?",
    "--output=x": "--output=x: no name of a commit",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_commit_that_is_not_there(name, pack):
    result = tocsin("test", pack, f"--changed-since={name}")
    assert result.status == 2
    assert WRONG[name] in result.err


def test_a_repository_without_a_commit(tmp_path):
    git(tmp_path, "init", "-q")
    result = tocsin("test", write_pack(tmp_path / "pack"), "--changed")
    assert result.status == 2
    assert "git: " in result.err


def test_without_git_it_says_so(pack, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    result = tocsin("test", pack, "--changed")
    assert "the program git is needed" in result.err


def test_monitors_and_diff_programs_of_a_repository_are_not_run(pack, tmp_path):
    made = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {made}\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external"):
        git(pack, "config", key, str(program))
    (pack / "rules/far.py").write_text("def rule(e): return True\n")
    assert called_for(pack, "--changed") == {"far"}
    assert not made.exists()
