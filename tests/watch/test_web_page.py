# SPDX-License-Identifier: Apache-2.0
"""The live page in a real browser: it grows under its reader, keeps what the reader did, and talks to nobody but its server."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from watching import journals, made, paribus

PATIENCE = 60_000  # ms, for what comes in a second or two


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    assert chromium, "no chromium; tools/test installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


class Reader:
    """A page that is open, with all that it asked for and complained of."""

    def __init__(self, context, served):
        self.served, self.page = served, context.new_page()
        self.requests, self.complaints, self.loads = [], [], 0
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("popup", lambda popup: self.complaints.append(f"popup: {popup.url}"))
        self.page.on("console", self._hear)
        self.page.on("load", self._load)
        self.page.goto(served.url)
        self.page.wait_for_selector("html[data-ready]")

    def _load(self):
        self.loads += 1

    def _hear(self, said):
        is_driver = "GL Driver Message" in said.text  # of the machine's graphics, not of the page
        if said.type in ("error", "warning") and not is_driver:
            self.complaints.append(f"{said.type}: {said.text}")

    def until(self, condition: str) -> None:
        self.page.wait_for_function(condition)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def drawn(self, figure: str):
        plot = self.page.locator(f"#plot-{figure}")
        plot.scroll_into_view_if_needed()
        self.page.wait_for_selector(f"#plot-{figure}[data-drawn]")
        return plot

    def quiet(self) -> None:
        foreign = [
            url
            for url in self.requests
            if not url.startswith((self.served.url, "data:", "blob:" + self.served.url[:-50]))
        ]
        assert foreign == [] and self.complaints == [] and self.loads == 1


@pytest.fixture
def read(browser):
    """read(served, ...) opens its page; afterwards it must have been loaded once, been quiet and asked nobody else."""
    readers = []

    def start(served, width=1440, height=900, **settings) -> Reader:
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_default_timeout(PATIENCE)
        readers.append(Reader(context, served))
        return readers[-1]

    yield start
    for one in readers:
        one.quiet()
        one.page.context.close()


LONGEST = (
    "Math.max(...document.getElementById('plot-curves').data.map((line) => Math.max(...line.x)))"
)


def choose(reader, metric):
    reader.page.get_by_role("combobox", name="Metric").select_option(label=metric)


def test_points_and_trials_arrive(running, serve, read):
    running.make(1, 250)
    reader = read(serve(running.folder))
    reader.until("document.getElementById('live').innerText.includes('this page grows')")
    assert "1 running" in reader.text("#study-state") and "50 % of all steps" in reader.text(
        "#live"
    )
    choose(reader, "train.batch_loss")
    reader.drawn("curves")
    reader.until(f"{LONGEST} === 250")
    running.make(251, 500)
    reader.until(f"{LONGEST} === 500")
    assert (
        reader.page.get_by_role("combobox", name="Metric").locator(":checked").inner_text()
        == "train.batch_loss"
    )
    running.end(0.875)
    reader.until("document.getElementById('study-state').innerText.includes('2 done')")
    assert "0.875" in reader.text("#trials tbody")
    first = made_journal(running, "01000001", 0.75)
    running.driver.add(first)
    reader.until("document.getElementById('study-state').innerText.includes('3 done')")
    reader.until("document.querySelector('#trials tbody').innerText.includes('0.75')")


def made_journal(running, trial, value) -> bytes:
    """One more trial, which ended at once; what the driver writes of it."""
    metrics = {"valid.accuracy": value}
    end = dict(event="end", status="done", message="", steps=1000, seconds=3.0)
    end |= {"final": metrics, "best": metrics, "weights_sha256": "00"}
    (running.folder / "journal" / f"{trial}.log").write_bytes(
        running.begun() + journals.points(1, [1000], [value]) + journals.event(**end)
    )
    return journals.event(event="exit", trial=trial, code=0, signal=0, end=end)


def test_what_the_reader_did_stays(running, serve, read):
    running.make(1, 250)
    (running.folder / "study.toml").write_text("seeds = 2\n" * 50)
    reader = read(serve(running.folder), height=700)
    page = reader.page
    choose(reader, "train.batch_loss")
    reader.drawn("curves")
    reader.until(f"{LONGEST} === 250")
    page.get_by_label("logarithmic").check()
    layout = "document.getElementById('plot-curves').layout"
    reader.until(f"{layout}.yaxis.type === 'log'")
    page.evaluate(
        "Plotly.relayout(document.getElementById('plot-curves'), {'xaxis.range[0]': 50, 'xaxis.range[1]': 90})"
    )
    page.locator("#provenance summary", has_text="study.toml").click()
    trials = page.locator("#trials")
    trials.get_by_role("columnheader", name="seed").get_by_role("button").click()
    search = trials.get_by_label("Keep those with")
    search.fill("sgd")
    page.get_by_role("button", name="Show the page dark").click()
    search.focus()
    page.evaluate("document.querySelector('#arms h2').wasThere = true")
    place = page.evaluate("scrollY")
    running.make(251, 400)
    page.evaluate("document.getElementById('plot-curves').scrollIntoView()")
    reader.until(f"{LONGEST} === 400")
    running.end(0.875)
    reader.until("document.getElementById('study-state').innerText.includes('2 done')")
    page.evaluate(f"scrollTo(0, {place})")
    assert page.evaluate(f"{layout}.xaxis.range.map(Math.round)") == [50, 90]
    assert page.evaluate(f"{layout}.yaxis.type") == "log"
    assert page.get_by_label("logarithmic").is_checked()
    assert (
        page.get_by_role("combobox", name="Metric").locator(":checked").inner_text()
        == "train.batch_loss"
    )
    assert page.locator("#provenance details[open]").count() == 1
    assert search.input_value() == "sgd" and "of 2" in trials.locator(".pager").inner_text()
    assert trials.locator("th[aria-sort=ascending]").inner_text() == "seed"
    assert page.evaluate("document.activeElement.type") == "search"
    assert page.evaluate("document.querySelector('#arms h2').wasThere"), "it is the same element"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Page before").click()  # its handlers are alive
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_study_that_ends_and_a_server_that_goes_away(running, serve, read):
    running.make(1, 250)
    served = serve(running.folder)
    reader = read(served)
    reader.until("document.getElementById('live').innerText.startsWith('live')")
    running.end(0.875)
    running.driver.add(made_journal(running, "01000001", 0.75))
    running.driver.close()
    reader.until(
        "document.getElementById('live').innerText.includes('the study is done; last look at')"
    )
    shown = reader.text("#answer")
    served.process.terminate()
    reader.until("document.getElementById('live').innerText.startsWith('connection lost')")
    assert reader.text("#answer") == shown
    reader.page.goto("about:blank")  # it would go on asking
    reader.complaints = [one for one in reader.complaints if "ERR_" not in one]
    reader.requests = [one for one in reader.requests if one != "about:blank"]
    reader.loads = 1


@pytest.mark.parametrize("make", [made.sweep, made.hostile])
def test_it_is_the_report(tmp_path, serve, read, browser, make):
    """Text by text, and once more after it was put together anew; hostile names are only text in both."""
    folder = make(tmp_path / "s")
    paribus("report", folder)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    still = context.new_page()
    still.goto((folder / "report.html").as_uri())
    still.wait_for_selector("html[data-ready]")
    wanted = still.locator("main").inner_text()
    context.close()
    reader = read(serve(folder))
    page = reader.page
    reader.until("document.getElementById('live').innerText.includes('the study is done')")
    assert page.locator("main").inner_text() == wanted
    page.evaluate("putTogether()")
    assert page.locator("main").inner_text() == wanted
    for figure in page.locator("figure").all():
        figure.scroll_into_view_if_needed()
    page.wait_for_function("figures.every((figure) => figure.drawn)")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img, main iframe, main b b, main u, main i").count() == 0


def test_the_file_has_nothing_of_it(tmp_path):
    folder = made.two_arms(tmp_path / "s")
    paribus("report", folder)
    text = (folder / "report.html").read_text()
    assert "EventSource" not in text.split('id="plotly"')[0] + text.split("</script>")[-2]
    assert "connect-src" not in text and os.path.getsize(folder / "report.html") < 3 << 20
