"""The catalogue in a real browser: search, facets, themes, keyboard, and without JavaScript."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_in_browser import Tab, browser

from catalog.catalog_samples import EVIL, write_packs
from catalog.test_catalog_search import QUERIES
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.matrix import make_matrix
from tocsin.catalog.named import named_rules
from tocsin.pages.catalog.frame import NamedMatrix
from tocsin.pages.catalog.site import build_site

__all__ = ["browser"]

ALONE = "rules/sigma/11111111-1111-4111-8111-111111111111.html"
EVIL_PAGE = "rules/sigma/66666666-6666-4666-8666-666666666666.html"
VAULT = "rules/elastic/44444444-4444-4444-8444-444444444444.html"
PAGES = (
    "index.html", "search.html", ALONE, VAULT, EVIL_PAGE, "attack/index.html", "attack/some.html",
    "attack/T1059.html", "attack/azure.html", "operations/index.html",
    "operations/microsoft.keyvault.html", "packs/sigma.html", "about.html",
)  # fmt: skip
WIDTHS = {"phone": 390, "desktop": 1280}


def build(folder: Path, **more: str) -> Path:
    loaded = load_catalogue(write_packs(folder / "packs", **more))
    some = make_matrix(named_rules(entry.rule for entry in loaded.entries[:2]))
    matrix = NamedMatrix("some", "Some", ("rule", "rules"), "Two of them.", some)
    site = folder / "a folder" / "site"
    build_site(loaded.entries, loaded.roots, site, more=[matrix], workers=1)
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("hostile"), evil=EVIL)


def found(tab: Tab) -> set[str]:
    return {text.split("\n")[0] for text in tab.shown("#hits .name")}


def wait(tab: Tab) -> None:
    """Wait until there are results; the policy of pages lets no function be polled for."""
    tab.page.locator("#status", has_text=re.compile(r"\d rules$")).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_complaint_and_fits(
    browser: Any, hostile: Path, name: str, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 900}
    with Tab(browser, hostile / name, viewport=size, color_scheme=scheme) as tab:
        if name == "search.html":
            wait(tab)
        tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.page.evaluate("window.pwned") is None
        assert tab.complaints == []


GUIDES = {"triage", "text:triage"}
"""Queries for words of guides, which the browser does not have."""
IN_BROWSER = {
    query: wanted
    for query, wanted in QUERIES.items()
    if query not in GUIDES and (len(wanted) < 6 or not query)
}


@pytest.mark.parametrize(("query", "wanted"), IN_BROWSER.items(), ids=IN_BROWSER)
def test_a_query_finds_what_the_index_finds(search: Any, query: str, wanted: set[str]) -> None:
    search.page.fill("#q", query)
    search.page.keyboard.press("Enter")
    wait(search)
    assert found(search) == wanted


@pytest.fixture(scope="module")
def search(browser: Any, site: Path) -> Iterator[Tab]:
    with Tab(browser, site / "search.html") as tab:
        wait(tab)
        yield tab
        assert tab.complaints == []


def test_facets_narrow_down_and_are_cleared(browser: Any, site: Path) -> None:
    with Tab(browser, site / "search.html") as tab:
        wait(tab)
        facets = tab.page.locator("#facets")
        facets.get_by_label("sigma").first.check()
        facets.get_by_label("panther").first.check()
        assert tab.page.input_value("#q") == "ecosystem:sigma,panther"
        assert tab.shown("#status") == ["4 of 6 rules"]
        facets.get_by_label("medium").check()
        assert found(tab) == {"Rundll32 Started by Office"}
        assert "elastic1" in facets.locator("details").first.inner_text().replace("\n", "")
        facets.get_by_role("button", name="Clear Ecosystem").click()
        assert found(tab) == {"Rundll32 Started by Office", "Vault Changed by Anybody"}
        tab.page.get_by_role("button", name="Remove severity:medium").click()
        assert tab.shown("#status") == ["6 rules"]


def test_a_query_has_an_address(browser: Any, site: Path) -> None:
    with Tab(browser, f"{site}/search.html?q=rundll*%20-office") as tab:  # type: ignore[arg-type]
        wait(tab)
        assert found(tab) == {"Rundll32 Without Arguments"}
        assert tab.shown("#hits mark")[0] == "Rundll"


def test_the_count_of_an_indicator_leads_to_those_rules(browser: Any, site: Path) -> None:
    with Tab(browser, site / ALONE) as tab:
        tab.page.locator("table.indicators a.shared").first.click()
        wait(tab)
        assert found(tab) == {"Rundll32 Without Arguments", "Rundll32 Started by Office"}


def test_a_hostile_query_is_text(browser: Any, hostile: Path) -> None:
    query = "%3Cimg%20src=x%20onerror=window.pwned=1%3E"
    with Tab(browser, f"{hostile}/search.html?q={query}") as tab:  # type: ignore[arg-type]
        tab.page.locator("#status", has_text="no field src").wait_for()
        tab.page.fill("#q", "evil")
        tab.page.wait_for_selector("#hits mark")
        assert tab.page.evaluate("window.pwned") is None
        assert tab.complaints == []


def test_the_theme_is_kept_from_page_to_page(browser: Any, served: str) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(f"{served}/index.html")
    page.click("#theme")
    page.goto(f"{served}/{ALONE}")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The site in a folder of a server, not at its root."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(site.parent.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a%20folder/site"
        server.shutdown()


def test_it_works_from_a_folder_of_a_server(browser: Any, served: str) -> None:
    page = browser.new_page()
    page.goto(f"{served}/index.html")
    page.fill("#q", "value:winword")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hits .name")
    with page.expect_navigation(wait_until="load"):
        page.click("#hits .name")
    assert page.title().startswith("Rundll32 Started by Office")
    page.close()


def test_it_is_read_without_javascript(browser: Any, site: Path) -> None:
    with Tab(browser, site / "search.html", java_script_enabled=False) as tab:
        tab.page.click("main a:has-text('sigma')")
        tab.page.click("main a:has-text('Rundll32 Without Arguments')")
        assert any("rundll32" in text for text in tab.shown(".logic"))
        assert tab.shown("#theme") == []
        assert tab.complaints == []


def test_it_is_used_with_the_keyboard(browser: Any, site: Path) -> None:
    with Tab(browser, site / "index.html") as tab:
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.textContent") == "Skip to content"
        tab.page.keyboard.press("/")
        assert tab.page.evaluate("document.activeElement.id") == "q"
        tab.page.keyboard.type("winword")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#hits .name")
        tab.page.focus("#facets input >> nth=0")
        tab.page.keyboard.press("Space")
        assert "ecosystem:" in tab.page.input_value("#q")
        assert tab.page.evaluate("document.activeElement.dataset.key").startswith("ecosystem:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_violation(browser: Any, site: Path, name: str, scheme: str) -> None:
    script = axe()
    if name == EVIL_PAGE:
        name = "attack/TA0002.html"
    options = {"color_scheme": scheme, "bypass_csp": True}
    with Tab(browser, site / name, **options) as tab:
        tab.page.wait_for_timeout(0)
        if name == "search.html":
            wait(tab)
        tab.page.evaluate(script)
        violations = tab.page.evaluate("axe.run().then(result => result.violations)")
    serious = [
        (one["id"], one["nodes"][0]["html"])
        for one in violations
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def axe() -> str:
    """Return axe-core, which a package of tests brings with it: it is not ours to ship."""
    package = pytest.importorskip(
        "axe_playwright_python", reason="no axe-core (pip install axe-playwright-python)"
    )
    return (Path(package.__path__[0]) / "axe.min.js").read_text("utf-8")
