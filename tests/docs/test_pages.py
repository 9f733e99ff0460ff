import configparser
import re

import pytest

from pages import (
    DOCS,
    PAGES,
    ROOT,
    blocks,
    generator,
    make_checkout,
    run_step,
    steps,
    write_files,
)

GENERATED = [page for page in PAGES if "<!-- generated: " in page.read_text("utf-8")]
WITH_COMMANDS = [page for page in PAGES if page.parent == DOCS and blocks(page, "runs")]
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def by_name(page):
    return page.name


@pytest.mark.parametrize("page", GENERATED, ids=by_name)
def test_generated_parts_are_what_the_code_says(page):
    assert page.read_text("utf-8") == generator().render(page)


def test_coverage_is_what_the_rules_say(sigma_corpus):
    generate = generator()
    counted = generate.count_coverage([sigma_corpus / name for name in generate.CORPUS])
    assert counted in (DOCS / "coverage.md").read_text("utf-8")


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=by_name)
def test_commands_print_what_the_page_shows(page, tmp_path):
    folder = make_checkout(tmp_path)
    write_files(page, folder)
    for block in blocks(page, "runs"):
        for step in steps(block):
            run_step(step, folder)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_lead_somewhere(page):
    for path, anchor in LINK.findall(page.read_text("utf-8")):
        if path.startswith("https:"):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_is_linked_from_the_readme():
    linked = {path for path, _ in LINK.findall((ROOT / "README.md").read_text("utf-8"))}
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked


def test_layers_are_those_of_the_import_contract():
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    layers = contract["importlinter:contract:layers"]["layers"].split("\n")
    listed = re.search(r"```\n(tocsin\.cli\n.*?)```", (DOCS / "architecture.md").read_text(), re.S)
    assert listed[1].splitlines() == [layer.strip() for layer in layers if layer.strip()]
