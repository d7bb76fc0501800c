# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import made  # noqa: E402
from build_folder import BUILD  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

PARIBUS = os.environ.get("PARIBUS", str(BUILD / "bin" / "paribus"))


def paribus(*words, status=0) -> subprocess.CompletedProcess:
    run = subprocess.run([PARIBUS, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert run.returncode == status, run.stderr
    return run


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """By name, each with its page."""
    folder = tmp_path_factory.mktemp("studies")
    all_of_them = {}
    for make in (
        made.two_arms,
        made.hostile,
        made.sweep,
        made.factorial,
        made.seen,
        made.interpreted,
    ):
        all_of_them[make.__name__] = make(folder / make.__name__)
        paribus("report", folder / make.__name__)
    return all_of_them


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium")
    assert chromium, "no chromium; tools/test installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that is open, with all that it asked for and complained of."""

    def __init__(self, context):
        self.page = context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("popup", lambda popup: self.complaints.append(f"popup: {popup.url}"))
        self.page.on("console", self._hear)

    def _hear(self, said):
        is_driver = "GL Driver Message" in said.text  # of the machine's graphics, not of the page
        if said.type in ("error", "warning") and not is_driver:
            self.complaints.append(f"{said.type}: {said.text}")

    def drawn(self, figure: str):
        """The figure of that name, scrolled to and drawn."""
        plot = self.page.locator(f"#plot-{figure}")
        plot.scroll_into_view_if_needed()
        self.page.wait_for_selector(f"#plot-{figure}[data-drawn]", timeout=60_000)
        return plot


@pytest.fixture
def visit(browser, studies):
    """visit(study, width, height, ...) opens its page; afterwards it must have been quiet and asked for nothing."""
    contexts, visits = [], []

    def open_page(name, width=1440, height=900, **settings):
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **settings
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        visit = Visit(context)
        visits.append(visit)
        visit.url = (studies[name] / "report.html").as_uri()
        visit.page.goto(visit.url)
        visit.page.wait_for_selector("html[data-ready]")
        return visit

    yield open_page
    for visit in visits:
        asked = [
            url
            for url in visit.requests
            if url.split("#")[0] != visit.url and not url.startswith(("data:", "blob:"))
        ]
        assert asked == [] and visit.complaints == []
    for context in contexts:
        context.close()
