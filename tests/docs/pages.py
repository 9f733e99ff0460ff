"""Read the documentation as tests need it: its marked blocks, its tables, its commands."""

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")))

BLOCK = re.compile(r"<!-- (\w+)(?:: (\S+))? -->\n```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block under a comment: `<!-- kind: name -->`."""

    kind: str
    name: str
    language: str
    text: str


@dataclass(frozen=True)
class Step:
    """A command of a page and the output that the page shows for it."""

    command: str
    shown: list[str]


def blocks(page, kind):
    found = [Block(*(part or "" for part in match)) for match in BLOCK.findall(page.read_text())]
    return [block for block in found if block.kind == kind]


def write_files(page, folder):
    for block in blocks(page, "file"):
        (folder / block.name).write_text(block.text, "utf-8")


def steps(block):
    lines = block.text.splitlines()
    return [
        Step(line[2:], list(takewhile(lambda after: not after.startswith("$ "), lines[at + 1 :])))
        for at, line in enumerate(lines)
        if line.startswith("$ ")
    ]


def make_checkout(folder):
    """Make a folder that looks like a checkout to the commands of a page."""
    (folder / "src").symlink_to(ROOT / "src")
    return folder


def run_step(step, folder):
    """Run a command; raise if it fails or prints something else than the page shows."""
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "TOCSIN_CACHE": str(folder / "cache"),
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", step.command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{step.command}\n{done.stdout}"
    assert shows(step.shown, done.stdout), f"{step.command}\n{done.stdout}"


def shows(shown, output):
    """Say whether lines of a page stand for an output; `…` stands for anything, `[]` for all."""
    if not shown:
        return True
    pattern = "\n".join(line.rstrip() for line in shown)
    pattern = re.escape(pattern).replace("…", ".*")
    text = "\n".join(line.rstrip() for line in output.rstrip().splitlines())
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def rows(page, *heads):
    """Return the rows of every table of a page with these headings, code marks taken off."""
    found, inside = [], False
    for line in page.read_text("utf-8").splitlines():
        cells = tuple(_cell(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if cells == heads:
            inside = True
        elif not cells:
            inside = False
        elif inside and set(cells) != {"---"}:
            found.append(cells)
    return found


def _cell(text):
    return text.strip().replace("\\|", "|").strip("`")


@cache
def generator():
    """Return the module that writes the generated parts."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(DOCS))
    spec.loader.exec_module(module)
    return module
