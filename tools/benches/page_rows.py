# SPDX-License-Identifier: Apache-2.0
"""The rows `page` and `live`: how soon a large study is seen, and what being watched costs it."""

import json
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

# From the navigation to the first figure drawn, scrolled to at once, and to a sorted table; told in the title, for no
# debugger may look on: while one does, the engine reads a script again for every error that it throws and catches.
SEEN = """<script>(async () => {
  const html = document.documentElement, frame = () => new Promise(requestAnimationFrame);
  while (!html.dataset.ready) await frame();
  const ready = performance.now();
  document.getElementById("figure-curves").scrollIntoView();
  while (!document.getElementById("plot-curves").dataset.drawn) await frame();
  const drawn = performance.now();
  document.querySelector("#trials thead button").click();
  await frame();
  document.title = JSON.stringify([ready, drawn, performance.now() - drawn].map((ms) => ms / 1000));
})();</script>"""
PATIENCE = 60  # s


def studies(folder):
    sys.path.append(str(ROOT / "tests" / "report"))
    import made

    return {
        "10,000 trials": made.sweep(folder / "trials", points=10_000),
        "10 M points": made.long_study(folder / "points", trials=100, points=100_000),
    }


@contextmanager
def chromium(folder):
    """One that is asked for its pages' titles and nothing else: a function that opens a page and tells its title."""
    process = subprocess.Popen(
        [
            shutil.which("chromium"),
            *("--headless", "--no-sandbox", "--remote-debugging-port=0", "--window-size=1440,900"),
            f"--user-data-dir={folder}",
            "about:blank",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = next(line for line in process.stderr if "DevTools listening on" in line)
        base = "http://" + told.split("ws://")[1].split("/")[0] + "/json/"
        threading.Thread(target=process.stderr.read, daemon=True).start()

        def asked(what, method="GET"):
            request = urllib.request.Request(base + what, method=method)
            with urllib.request.urlopen(request) as answer:
                return answer.read()

        def opened(page):
            one = json.loads(asked("new?" + page.as_uri(), "PUT"))["id"]
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                title = next(tab["title"] for tab in json.loads(asked("list")) if tab["id"] == one)
                if title.startswith("["):
                    asked("close/" + one)
                    return json.loads(title)
                time.sleep(0.1)
            raise TimeoutError(f"{page} was not drawn within {PATIENCE} s")

        yield opened
    finally:
        process.kill()
        process.wait()


def page(setting):
    """the report of a large study: written, then opened in Chromium until its curves are drawn and its table is sorted"""
    figures = []
    with tempfile.TemporaryDirectory() as name, chromium(Path(name) / "browser") as opened:
        made = studies(Path(name))
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

            def read(file=file, asking=folder / "asking.html"):
                asking.write_text(file.read_text() + SEEN)
                return opened(asking)

            wrote, seen = take_turns(setting.turns(5), write, read)
            told = f"{file.stat().st_size / 1e6:.1f} MB"
            figures += [
                Figure(f"{size}: written in", "s", wrote, ours=told),
                Figure(f"{size}: answer there after", "s", [one[0] for one in seen]),
                Figure(f"{size}: drawn after", "s", [one[1] for one in seen], bar=SIZES[size]),
                Figure(f"{size}: table sorted in", "s", [one[2] for one in seen]),
            ]
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
