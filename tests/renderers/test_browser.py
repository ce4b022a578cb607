"""The page in a real browser; skipped where Chromium or what drives it is not installed."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.renderers import cases, redeploy_cases
from tests.renderers.gallery import render_report
from tests.renderers.test_html import make_large_fleet
from tests.renderers.test_strangers import NASTY
from vmdiag.diagnosis.model import Case

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (400, 900, 1600)
# Wakes whatever a stranger's words would have become.
BAIT = "<img src=https://evil.example/x onerror=alert(1)><svg onload=alert(2)></svg><b>name</b>\"'><script>alert(3)"
VERDICTS = ("confirmed", "suspected", "inconclusive", "clear")
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="pip install '.[test-page]'")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with driver.sync_playwright() as started:
        # A container's root has no sandbox; the pages are our own.
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


class Visit:
    """A page that was opened, and what the browser said and asked for meanwhile."""

    def __init__(self, browser: Any, folder: Path, found: list[Case], **settings: Any) -> None:
        path = folder / "report.html"
        path.write_text(render_report("html", cases.make_report(found, others=3)), encoding="utf-8")
        self.said: list[str] = []
        self.asked: list[str] = []
        self.failed: dict[str, str] = {}
        self.page = browser.new_context(**settings).new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dismiss_dialog)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.failed.update({request.url: request.failure}))
        self.url = path.as_uri()
        self.clock = self.page.context.new_cdp_session(self.page)
        self.clock.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(self.url)

    def _dismiss_dialog(self, dialog: Any) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()

    def list_shown(self, column: str = "vm") -> list[str]:
        """The texts of a column, of the rows that are shown."""
        texts: list[str] = self.page.evaluate(
            """name => {
                const heads = [...document.querySelectorAll("#vms thead th")];
                const place = heads.findIndex(head => head.dataset.name === name);
                return [...document.querySelectorAll("#vms tbody tr")].filter(row => row.offsetParent !== null)
                    .map(row => row.cells[place].textContent.trim());
            }""",
            column,
        )
        return texts


def test_no_strangers_text_runs_is_shown_as_markup_or_asks_for_anything(browser: Any, tmp_path: Path) -> None:
    found = [cases.make_hostile_case(text) for text in (BAIT, *NASTY)]
    visit = Visit(browser, tmp_path, [*found, *redeploy_cases.make_redeployed_fleet()])
    visit.page.wait_for_timeout(200)

    assert visit.asked == [visit.url]
    assert visit.said == []
    assert visit.page.locator("img, b:text-is('name')").count() == 0
    assert any(row.startswith(BAIT[:60]) for row in visit.list_shown())
    # The policy would have stopped it, too: this is what such a text would be without the escaping.
    visit.page.evaluate("text => document.body.insertAdjacentHTML('beforeend', text)", BAIT)
    visit.page.wait_for_timeout(200)
    assert visit.failed == {"https://evil.example/x": "csp"}
    assert visit.said
    assert all("Content Security Policy" in line for line in visit.said)


def rank_verdict(text: str) -> str:
    """The verdicts have an order of their own."""
    return str(VERDICTS.index(text.rpartition(" ")[2]))


def test_the_table_sorts_by_every_column_both_ways_and_by_keyboard(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, [*cases.make_fleet(), *redeploy_cases.make_redeployed_fleet()])
    heads = visit.page.locator("#vms thead th")
    for place in range(heads.count()):
        head = heads.nth(place)
        name = head.get_attribute("data-name") or ""
        words = visit.list_shown(name)
        key = rank_verdict if name == "verdict" else str.casefold
        filled = sorted(filter(None, words), key=key)
        empty = [""] * words.count("")
        head.locator("button").focus()
        visit.page.keyboard.press("Enter")
        assert (head.get_attribute("aria-sort"), visit.list_shown(name)) == ("ascending", filled + empty)
        visit.page.keyboard.press("Space")
        assert head.get_attribute("aria-sort") == "descending"
        assert [key(word) for word in visit.list_shown(name) if word] == [key(word) for word in reversed(filled)]
        assert visit.page.locator("[aria-sort]").count() == 1
    assert visit.said == []


def test_the_table_is_filtered_by_words_verdict_and_state_together(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, cases.make_fleet())
    page = visit.page
    page.get_by_role("searchbox", name="Find").fill("PROD 08:14")
    assert sorted(visit.list_shown()) == [
        "prod/api-03",
        "prod/cache-04",
        "prod/web-01",
        "rg-payments-production-westeurope/sql-02",
    ]
    page.get_by_role("combobox", name="Verdict").select_option("confirmed")
    page.get_by_role("combobox", name="State").select_option("still lost")
    assert sorted(visit.list_shown()) == ["prod/cache-04", "prod/web-01"]
    assert page.get_by_role("status").inner_text() == "2 of 6 shown"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.getElementById('count').textContent === '6 of 6 shown'")
    assert len(visit.list_shown()) == 6


def test_it_follows_the_readers_colours_and_no_width_makes_the_page_wider_than_the_screen(
    browser: Any, tmp_path: Path
) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        visit = Visit(browser, tmp_path, redeploy_cases.make_redeployed_fleet(), color_scheme=scheme)
        grounds[scheme] = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 800})
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"

    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 24)"}


def test_a_screen_reader_is_told_what_the_chart_shows_and_paper_shows_what_is_folded(
    browser: Any, tmp_path: Path
) -> None:
    visit = Visit(browser, tmp_path, cases.make_fleet())
    page = visit.page
    chart = page.get_by_role("img", name="Timeline of prod/web-01, 2026-03-02 06:00 to 10:00 UTC")
    described = chart.evaluate("svg => svg.querySelector('desc').textContent")

    assert "lost since 2026-03-02 08:16:00 UTC, still lost at the end of the window" in described
    assert page.get_by_role("article", name="web-01 lost its network path after a live migration").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.locator("details[open]").count() == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0


def test_two_thousand_vms_open_in_two_seconds_and_are_searched_at_once(browser: Any, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, make_large_fleet(2000))
    found = {metric["name"]: metric["value"] for metric in visit.clock.send("Performance.getMetrics")["metrics"]}
    took = visit.page.evaluate(
        """() => { const start = performance.now(), field = document.querySelector("[name=words]");
        field.value = "web-01999"; field.dispatchEvent(new Event("input", {bubbles: true}));
        document.body.offsetHeight; return performance.now() - start; }"""
    )

    assert len(visit.list_shown()) == 1
    # The thread's own time: what else runs on the machine is no property of the page.
    assert found["TaskDuration"] < 2
    assert took < 1000
