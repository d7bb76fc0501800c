# SPDX-License-Identifier: Apache-2.0
"""The rows `page` and `live`: how soon a large study is seen, and what being watched costs it."""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

from figure import Figure
from rows import ROOT, over, take_turns
from tracker_rows import trained

TRIALS = 8  # watched at once
SIZES = {"10,000 trials": 2, "10 M points": 3}  # and the bar of each, s

# From the navigation to the first figure drawn, scrolled to at once, and to a sorted table.
WHEN_READY = """new MutationObserver(() => {
  if (document.documentElement.dataset.ready) window.readyAt ??= performance.now();
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });"""
SEEN = """async () => {
  document.getElementById("figure-curves").scrollIntoView();
  const plot = document.getElementById("plot-curves");
  while (!plot.dataset.drawn) await new Promise(requestAnimationFrame);
  const drawn = performance.now();
  document.querySelector("#trials thead button").click();
  await new Promise(requestAnimationFrame);
  return [readyAt / 1000, drawn / 1000, (performance.now() - drawn) / 1000];
}"""


def studies(folder):
    sys.path.append(str(ROOT / "tests" / "report"))
    import made

    return {
        "10,000 trials": made.sweep(folder / "trials", points=10_000),
        "10 M points": made.long_study(folder / "points", trials=100, points=100_000),
    }


def opened(browser, page):
    """A turn: a new reader opens the page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        one = context.new_page()
        one.add_init_script(WHEN_READY)
        one.goto(page.as_uri())
        one.wait_for_selector("html[data-ready]")
        return one.evaluate(SEEN)
    finally:
        context.close()


def page(setting):
    """the report of a large study: written, then opened in Chromium until its curves are drawn and its table is sorted"""
    from playwright.sync_api import sync_playwright

    figures = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        made = studies(Path(name))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for size, folder in made.items():
            file = folder / "report.html"

            def write(folder=folder):
                start = time.perf_counter()
                subprocess.run(
                    [setting.build / "bin" / "paribus", "report", folder],
                    check=True,
                    capture_output=True,
                )
                return time.perf_counter() - start

            wrote, seen = take_turns(
                setting.turns(5), write, lambda file=file: opened(browser, file)
            )
            told = f"{file.stat().st_size / 1e6:.1f} MB"
            figures += [
                Figure(f"{size}: written in", "s", wrote, ours=told),
                Figure(f"{size}: answer there after", "s", [one[0] for one in seen]),
                Figure(f"{size}: drawn after", "s", [one[1] for one in seen], bar=SIZES[size]),
                Figure(f"{size}: table sorted in", "s", [one[2] for one in seen]),
            ]
        browser.close()
    return figures


@contextmanager
def watched(setting, directory):
    """The live page of what will be in this directory, with a reader that takes all that comes."""
    journal = directory / "journal" / "study.log"
    server, over_, taken = None, threading.Event(), []

    def follow():
        nonlocal server
        while not over_.is_set() and (not journal.exists() or journal.stat().st_size < 100):
            time.sleep(0.01)
        if over_.is_set():
            return
        server = subprocess.Popen(
            [setting.build / "bin" / "paribus", "watch", directory, "--web"],
            stdout=subprocess.PIPE,
            text=True,
        )
        url = server.stdout.readline().strip()
        with suppress(OSError), urllib.request.urlopen(url) as whole:
            whole.read()
        with suppress(OSError), urllib.request.urlopen(url + "events?since=0") as stream:
            while line := stream.readline():
                taken.append(len(line))

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        yield taken
    finally:
        over_.set()
        if server is not None:
            server.kill()
            server.wait()
        reader.join()


def live(setting):
    """the steps of eight trials of an MLP, each of them logged: with the live page read as it grows over without"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def with_page():
            directory = Path(tempfile.mkdtemp(dir=folder)) / "runs"
            with watched(setting, directory) as taken:
                got = trained(setting, folder, "", directory, TRIALS)
            return got | {"events": len(taken)}

        alone, seen = take_turns(
            setting.turns(7), lambda: trained(setting, folder, "", seeds=TRIALS), with_page
        )
    figure = over(
        "a step with the live page read",
        [one["step"] for one in seen],
        [one["step"] for one in alone],
    )
    figure.equal = [one["weights"] for one in seen] == [one["weights"] for one in alone]
    figure.notes.append(f"{min(one['events'] for one in seen)} lines or more came of each")
    return [figure]


ROWS = {row.__name__: row for row in (page, live)}
