import shutil

import pytest

from pages import ROOT, blocks, make_checkout, run_step, steps
from tocsin.content.demo import write_demo

README = ROOT / "README.md"
BLOCKS = blocks(README, "runs")


def test_every_command_prints_what_the_readme_shows(tmp_path):
    folder = make_checkout(tmp_path)
    for block in BLOCKS:
        if not block.name:
            for step in steps(block):
                run_step(step, folder)


def test_rules_of_sigmahq_find_what_the_readme_shows(tmp_path, sigma_corpus):
    folder = make_checkout(tmp_path)
    write_demo(folder / "demo-logs")
    (folder / "sigma").mkdir()
    (folder / "sigma" / "rules").symlink_to(sigma_corpus / "rules" / "cloud")
    (block,) = [block for block in BLOCKS if block.name == "sigma"]
    for step in steps(block):
        run_step(step, folder)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_every_make_target_that_is_named_exists():
    names = set()
    for page in (README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text("utf-8")
        names |= {line.split()[1] for line in text.splitlines() if line.startswith("make ")}
    targets = {
        line.split(":")[0]
        for line in (ROOT / "Makefile").read_text("utf-8").splitlines()
        if ":" in line and not line.startswith(("\t", "#", "."))
    }
    assert {name for name in names if name != "#"} <= targets
