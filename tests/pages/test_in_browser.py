"""The report in a real browser: it opens, fits, works, and runs nothing but its own script."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_samples import ALERTS, LISTED, evil_alert

from outputs.making import alert, rule, written

BROWSER = os.environ.get("TOCSIN_BROWSER") or shutil.which("chromium") or ""
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"phone": 390, "desktop": 1440}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install playwright)"
    )
    if not BROWSER:
        pytest.skip("no browser: chromium is not installed (or set TOCSIN_BROWSER)")
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=BROWSER, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with many events and entities, long names, and contents that attack the page."""
    long = rule("A Rule With a Name of One Very Long Word " + "x" * 300, tags=("attack.t1059",))
    many = [
        alert(LISTED, at * 60, number=at, user=f"user{at}", source="logs/" + "long-name-" * 30)
        for at in range(300)
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(written("html", [*ALERTS, *many, alert(long, host="h" * 300), evil_alert()]))
    return path


PAINTED = (
    "at => [...document.querySelectorAll(at)].every(one => one.innerText || !one.checkVisibility())"
)
"""What is outside of the screen has no text until it is painted."""


class Tab:
    """A page, and all that it complained of or asked the network for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", self._request)
        self.page.goto(f"file://{path}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith("file:"):
            self.complaints.append(request.url)

    def __enter__(self) -> "Tab":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def shown(self, selector: str) -> list[str]:
        return [one.inner_text() for one in self.page.locator(selector).all() if one.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_it_opens_without_complaint_and_fits(
    browser: Any, report: Path, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 900}
    with Tab(browser, report, viewport=size, color_scheme=scheme) as tab:
        tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.complaints == []
        ground = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ("244" in ground) is (scheme == "light")


def test_the_theme_can_be_changed(browser: Any, report: Path) -> None:
    with Tab(browser, report, color_scheme="light") as tab:
        read = "getComputedStyle(document.body).backgroundColor"
        before = tab.page.evaluate(read)
        tab.page.click("text=Dark")
        dark = tab.page.evaluate(read)
        tab.page.click("text=Light")
        assert before != dark
        assert tab.page.evaluate(read) == before


def test_rules_are_filtered_by_words_and_severity(browser: Any, report: Path) -> None:
    with Tab(browser, report) as tab:
        assert len(tab.shown("#overview tbody tr")) == 4
        tab.page.fill("#words", "grace SECRET")
        tab.page.wait_for_function(PAINTED, arg="article h3")
        assert [text.splitlines()[0] for text in tab.shown("article h3")] == ["high Secret Read"]
        assert tab.shown("#matches") == ["1 of 4 rules"]
        tab.page.uncheck("input[value=high]")
        assert tab.shown("article") == []
        tab.page.evaluate("location.hash = 'rule-1'")
        tab.page.wait_for_selector("#rule-1", state="visible")


def test_rules_are_sorted_by_a_click_on_a_heading(browser: Any, report: Path) -> None:
    with Tab(browser, report) as tab:
        assert tab.shown("#overview tbody tr")[0].startswith("high")
        tab.page.click("thead button:has-text('Alerts')")
        assert "Vault Listed" in tab.shown("#overview tbody tr")[0]
        assert tab.page.get_attribute("th:has-text('Alerts')", "aria-sort") == "ascending"


def test_a_link_to_an_event_opens_it(browser: Any, report: Path) -> None:
    with Tab(browser, report) as tab:
        event = tab.page.locator("li[id]:has-text('anna@corp.example')").locator("pre").first
        assert not event.is_visible()
        tab.page.evaluate("location.hash = 'entity-user-1'")
        tab.page.click("#entity-user-1 a[href*='-event-']")
        tab.page.wait_for_function("document.querySelector(location.hash + ' > details').open")
        assert tab.page.evaluate("document.querySelector(location.hash).checkVisibility()")


def test_everything_can_be_read_without_javascript(browser: Any, report: Path) -> None:
    with Tab(browser, report, java_script_enabled=False) as tab:
        assert tab.shown("#filter, #theme") == []
        tab.page.click("article:has-text('Secret Read') > details > summary")
        tab.page.click("article:has-text('Secret Read') .events li >> nth=0 >> summary >> nth=0")
        assert any("operationName" in text or "condition" in text for text in tab.shown(".held"))
        assert tab.complaints == []


def test_the_policy_of_the_page_runs_no_other_script_and_loads_nothing(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    html = report.read_text("utf-8")
    own = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
    (tmp_path / "evil.html").write_text(html.replace('<main id="main"', own + '<main id="main"'))
    with Tab(browser, tmp_path / "evil.html") as tab:
        assert tab.page.evaluate("window.pwned") is None
        assert any("Content Security Policy" in text for text in tab.complaints)


def test_the_page_can_be_used_with_the_keyboard(browser: Any, report: Path) -> None:
    with Tab(browser, report) as tab:
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.textContent") == "Skip to content"
        tab.page.focus("#words")
        tab.page.focus("article .events > summary >> nth=0")
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.parentElement.open")
