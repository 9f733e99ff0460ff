"""A wrong call ends in a sentence and status 2, never in a traceback."""

import gzip
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.calling import jsonl, rule, tocsin


@dataclass(frozen=True)
class Call:
    """A call in a folder of odd files, and what must be said of it."""

    arguments: str
    says: str
    status: int = 2

    def __str__(self) -> str:
        return self.arguments or "(nothing)"


CALLS = [
    Call("", "Usage: "),
    Call("frobnicate", "No such command 'frobnicate'"),
    Call("scan", "Missing argument 'PATHS...'"),
    Call("scan log", "Missing option '-r'"),
    Call("scan log -r nowhere", "nowhere: no such rule file or folder"),
    Call(
        "scan log -r folder",
        "folder: no rule files (*.yml, *.yaml, *.toml, ",
    ),
    Call("scan log -r log", "log: no rule: has no detection, correlation or filter"),
    Call("scan log -r zipped", "zipped: cannot be read: is not UTF-8 text"),
    Call("scan log -r broken.yml", "broken.yml:3:1: not YAML"),
    Call("scan nowhere -r rules", "nowhere: no such file or folder"),
    Call("scan folder -r rules", "folder: a folder without files; name one that holds logs"),
    Call("scan empty -r rules", "empty: is empty"),
    Call("scan blank -r rules", "blank: is empty"),
    Call("scan binary -r rules", "binary: is of no known format; logs are JSON"),
    Call("scan numbers.csv -r rules", "numbers.csv: has no header: its first row looks like data"),
    Call("scan log -r rules --tz Nowhere", "--tz 'Nowhere' is no time zone; write Europe/Berlin"),
    Call("scan log -r rules --tz +25:00", "--tz '+25:00' is no time zone"),
    Call("scan cut.gz -r rules", "cut.gz: cannot be decompressed"),
    Call("scan cut.zst -r rules", "cut.zst: cannot be decompressed"),
    Call("scan log/x -r rules", "log/x: "),
    Call(f"scan {'x' * 300} -r rules", "File name too long"),
    Call("scan log -r rules --log-type web", "'web' is no log type; known: "),
    Call("scan log -r rules --log-type a/b/c/d", "write product/category/service"),
    Call("scan log -r rules --log-type //", "write product/category/service"),
    Call("scan log -r rules --bridge nowhere", "'nowhere' is no bridge; known: keyvault"),
    Call("scan log -r rules --since yesterday", "--since 'yesterday' is no time; write 2026-01-02"),
    Call("scan log -r rules --until 2026-13-01", "--until '2026-13-01' is no time"),
    Call("scan log -r rules --severity bad", "no severity 'bad'; known: informational, low"),
    Call("scan log -r rules --fail-on bad", "no severity 'bad'; known: informational, low"),
    Call("scan log -r rules --where colour:red", "no field 'colour'; known: author"),
    Call("scan log -r rules --where severity>=bad", "no severity 'bad'"),
    Call("scan log -r rules --where severity:bad", "no severity 'bad'"),
    Call("scan log -r rules --where name>x", "name has no order; write name:x"),
    Call("scan log -r rules --where name:", "name: asks for nothing"),
    Call("scan log -r rules --where '", "No closing quotation"),
    Call("scan log -r rules -f xml", "'xml' is not one of"),
    Call("scan log -r rules --workers 0", "0 is not in the range"),
    Call("scan log -r rules --workers many", "'many' is not a valid integer"),
    Call("scan log -r rules -o nowhere/out", "nowhere/out: cannot be written"),
    Call("scan log -r rules -o folder", "folder"),
    Call("scan log -r rules --quarantine nowhere/q", "nowhere/q: cannot be written"),
    Call("scan log -r rules -o same --quarantine same", "same: would be written over"),
    Call("scan log -r rules --pipeline nowhere", "'nowhere' does not exist"),
    Call("scan log -r rules --pipeline list.yml", "a processing pipeline is a mapping"),
    Call("scan log -r rules --pipeline broken.yml", "broken.yml:3:1: not YAML"),
    Call("scan log -r rules --pipeline zipped", "zipped: is not UTF-8 text"),
    Call("scan log -r rules --pipeline unknown.yml", "Unknown transformation type 'nonsense'"),
    Call("scan log -r rules --placeholders list.yml", "placeholders are a mapping"),
    Call("scan log -r rules --placeholders nested.yml", "placeholder who needs a list"),
    Call("scan log -r rules --placeholders broken.yml", "broken.yml:3:1: not YAML"),
    Call("test", "Missing argument 'PATHS...'"),
    Call("test nowhere", "nowhere: no such file or folder"),
    Call("test folder", "folder: no case files (*.cases.yaml) below this folder"),
    Call("test rules/one.yml", "no case file beside this rule; its name would be one.cases.yaml"),
    Call("test bad.cases.yaml", "bad.cases.yaml:2:1: a case file has", 1),
    Call("rules", "Usage: "),
    Call("rules list nowhere", "nowhere: no such rule file or folder"),
    Call("rules check folder", "folder: no rule files"),
    Call("rules show Nobody rules", "no rule 'Nobody'; tocsin rules list PATH shows"),
    Call("rules show nowhere", "nowhere: no such rule file or folder"),
    Call("logs identify nowhere", "nowhere: no such file or folder"),
    Call("logs identify binary", "binary: is of no known format"),
    Call("logs identify cut.gz", "cut.gz: cannot be decompressed"),
    Call("demo --keep log", "'log' is a file"),
    Call("demo --keep log/x", "Not a directory"),
]


OWN_PROCESS = CALLS[::3]
"""A third of the calls is made as users make them; the others in this process, for speed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "folder").mkdir()
    (folder / "rules").mkdir()
    log = jsonl([{"mark": "needle"}] * 10)
    for name, data in {
        "log": log,
        "empty": b"",
        "blank": b"\n \r\n",
        "binary": bytes(range(256)) * 9,
        "numbers.csv": b"1,2,3\n4,5,6\n",
        "zipped": gzip.compress(log),
        "cut.gz": gzip.compress(log)[:10],
        "cut.zst": b"\x28\xb5\x2f\xfd",
        "rules/one.yml": rule().encode(),
        "broken.yml": b"detection: x\ntitle: [\n",
        "list.yml": b"[detection, x]\n",
        "nested.yml": b"who: {a: b}\n",
        "unknown.yml": b"transformations:\n  - type: nonsense\n",
        "bad.cases.yaml": b"\nrule: x\ncases: y\n",
    }.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("call", [call for call in CALLS if call not in OWN_PROCESS], ids=str)
def test_a_wrong_call_says_what_to_do(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = tocsin(*call.arguments.split())
    assert call.says in said(result.text, result.err)
    assert result.status == call.status


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[Call, tuple[int, str]]:
    """Make the calls that have a process of their own, two at a time."""

    def call(one: Call) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tocsin", *one.arguments.split()],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, said(done.stdout, done.stderr)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(OWN_PROCESS, pool.map(call, OWN_PROCESS), strict=True))


@pytest.mark.parametrize("call", OWN_PROCESS, ids=str)
def test_a_wrong_call_ends_without_a_traceback(
    call: Call, outcomes: dict[Call, tuple[int, str]]
) -> None:
    status, text = outcomes[call]
    assert "Traceback" not in text
    assert call.says in text
    assert status == call.status


def said(out: str, err: str) -> str:
    return " ".join((out + err).split())
