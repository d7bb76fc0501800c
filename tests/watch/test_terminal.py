# SPDX-License-Identifier: Apache-2.0
"""The view at a terminal, of studies that grow."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from watching import ENVIRONMENT, PARIBUS, Growing, journals, made, paribus


def test_study_that_grows(running, screen):
    running.make(1, 250)
    view = screen("watch", running.folder)
    view.until("250/1000", "1 of 4 done", "0.004")
    running.make(251, 500)
    view.until("500/1000")
    record = journals.points(0, range(501, 601), [0.25] * 100)
    other = Growing(running.folder / "journal" / "01000001.log", running.begun())
    view.until("0/1000")
    for i, part in enumerate((record[:3], record[3:100])):  # a write that is not done yet
        running.trial.add(part)
        for step in (3 * i + 1, 3 * i + 2, 3 * i + 3):  # each seen by a look of its own
            other.add(journals.points(0, [step], [0.5]))
            assert "journal/" not in view.until(f" {step}/1000")
    other.close()
    running.trial.add(record[100:])
    assert "journal/" not in view.until("600/1000", "0.25")
    running.end(0.875)
    text = view.until("2 of 4 done", "in 12 s")
    assert "0.875" in text and "1000" in text
    view.type("q")
    assert view.ended() == 0


def test_journal_that_is_made_anew(running, screen):
    running.make(1, 250)
    view = screen("watch", running.folder)
    view.until("250/1000")
    path = running.folder / "journal" / "00000000.log"
    running.trial.close()
    path.unlink()
    running.trial.__init__(path, running.begun())
    running.make(1, 7)
    view.until("7/1000", "0.14286")


def test_keys(tmp_path, screen):
    folder = made.hostile(tmp_path / "s")
    (folder / "logs").mkdir()
    for journal in (folder / "journal").glob("*.log"):
        log = folder / "logs" / f"{journal.stem}.txt"
        log.write_bytes(
            b"one\n\x1b[2J\x1b]0;title\x07two\n10 %\r20 %\r\nlast of " + journal.stem.encode()
        )
    view = screen("watch", folder, columns=90, rows=40)
    view.until("q: quit", "valid.accuracy")
    first = view.text()
    view.type("\x1b[B")
    view.wait_for(lambda: view.text() != first)
    view.type("\r")
    text = view.until("one", "Esc: back", "last of ")
    assert "20 %" in text and "10 %" not in text
    assert "?]0;title?two" in text and "?[2J" in text
    view.type("\x1b")
    view.until("q: quit", "m: metric")
    view.type("m")
    view.until("train.loss")
    view.type("?")
    view.until("the curve of another metric", "s, then y        stops the trial")
    view.type("?")
    view.until("m: metric")
    view.type("q")
    assert view.ended() == 0
    assert (
        b"\x07" not in view.raw and b"\x1b]" not in view.raw and b"\x1b[2J\x1b[31m" not in view.raw
    )


def test_selection_stays_with_its_trial(running, screen):
    running.make(1, 250)
    view = screen("watch", running.folder)
    view.until("> sgd, seed 0", "250/1000")
    view.type("j")
    view.until("> adam, seed 0")
    running.end(0.875)
    view.until("2 of 4 done", "> adam, seed 0")
    view.type("\x1b[F")
    view.until("> sgd, seed 1")
    view.type("\x1b[H")
    view.until("> adam, seed 0")


def test_trial_that_two_arms_share(tmp_path, screen):
    folder = journals.write_study(tmp_path / "s", {"one": {0: 0.5}, "same": {0: 0.5}})
    log = folder / "journal" / "study.log"
    plan = json.loads(log.read_bytes()[len(journals.MAGIC) + 5 : -4])
    plan["trials"] = [[0, 0, "00000000"], [1, 0, "00000000"]]
    log.write_bytes(journals.MAGIC + journals.event(**plan))
    view = screen("watch", folder)
    view.until("> one, seed 0", "  same, seed 0")
    view.type("j")
    view.until("  one, seed 0", "> same, seed 0")


@pytest.mark.parametrize("how", ["key", signal.SIGTERM, signal.SIGHUP])
def test_terminal_is_given_back(running, screen, how):
    view = screen("watch", running.folder)
    view.until("q: quit")
    assert b"\x1b[?1049h" in view.raw and view.picture.cursor.hidden
    if how == "key":
        view.type("\x03")
    else:
        view.process.send_signal(how)
    assert view.ended() == 130
    assert not view.picture.cursor.hidden


def test_stopped_and_taken_up_again(running, screen):
    view = screen("watch", running.folder)
    view.until("q: quit")
    view.process.send_signal(signal.SIGTSTP)
    state = Path(f"/proc/{view.process.pid}/stat")
    view.wait_for(lambda: state.read_text().split()[2] == "T")
    view.read(0.5)
    assert view.raw.endswith(b"\x1b[?1049l")  # the shell has its screen
    view.picture.reset()
    view.process.send_signal(signal.SIGCONT)
    view.until("q: quit", "1 of 4 done")


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_nothing_of_a_running_trial_is_cut(running, screen, columns):
    running.make(1, 250)
    running.trial.add(journals.points(1, [250], [0.123456789]))
    text = screen("watch", running.folder, columns=columns, rows=24).until("250/1000", "step 0")
    row = next(line for line in text.splitlines() if line.startswith("> sgd, seed 0 "))
    assert " 0.12346 " in row and row.endswith(" s left") and "…" not in row
    assert ("0.004" in row) is (columns >= 100)


def test_window_that_changes(running, screen):
    running.make(1, 250)
    view = screen("watch", running.folder)
    view.until("250/1000", "q: quit", "step 0")
    for columns, rows in ((40, 8), (200, 60), (20, 3)):
        view.resize(columns, rows)
        view.picture.reset()
        view.until("up" if columns < 40 else "1 of 4" if columns == 40 else "q: quit")
        view.wait_for(lambda: view.picture.display[-1].startswith("up/down"))
    view.type("q")
    assert view.ended() == 0


def test_directory_that_goes_away(running, screen):
    view = screen("watch", running.folder)
    view.until("q: quit")
    os.rename(running.folder, running.folder.with_name("gone"))
    view.until("study.log")
    os.rename(running.folder.with_name("gone"), running.folder)
    view.wait_for(lambda: "1 of 4 done" in view.text() and "can't open" not in view.text())


def test_no_other_process_is_stopped(running, screen):
    """A number in a journal may be that of another process by now."""
    other = subprocess.Popen(["sleep", "60"])
    try:
        begun = journals.event(event="start", facts={}, time=1.0, pid=other.pid)
        running.trial.add(begun)
        view = screen("watch", running.folder)
        view.until("> sgd, seed 0")
        view.type("s")
        view.until("stop sgd, seed 0? It can be resumed.")
        view.type("n")
        view.until("q: quit")
        view.type("s")
        view.until("y: yes")
        view.type("y")
        view.until(f"not stopped: process {other.pid} of this machine doesn't run it")
        view.type("js")
        view.until("only a trial that runs can be stopped")
        time.sleep(0.2)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


STUDY = """\
[study]
seeds = 2
[data]
use = "glyphs"
batch = 128
[model]
use = "mlp"
[train]
epochs = 25
[arms]
sgd = {}
fast = { optimizer = { use = "sgd", lr = 0.05 } }
"""


def run_study(folder, name) -> subprocess.Popen:
    command = [PARIBUS, "run", "study.toml", "-j", "2", "--no-report", "--dir", name, "-q"]
    run = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    log = folder / name / "journal" / "study.log"
    while not log.exists() or log.stat().st_size < 100:
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.02)
    return run


def weights_of(folder, name) -> list[tuple[str, str]]:
    results = [PARIBUS, "results", name, "--format", "csv"]
    table = subprocess.run(results, cwd=folder, capture_output=True, text=True, check=True)
    head, *rows = [line.split(",") for line in table.stdout.splitlines()]
    at = head.index("weights_sha256")
    return [(row[0], row[at]) for row in rows]


def process_of(journal: Path) -> int:
    """The trial that writes it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        said = re.search(rb'"pid":(\d+)', journal.read_bytes()) if journal.exists() else None
        if said:
            return int(said[1])
        time.sleep(0.01)
    raise AssertionError(f"{journal} has no beginning")


def held_study(tmp_path):
    """A study that runs as "watched"; its first trial holds still, or it might be over before anybody stops it: the id,
    and the process."""
    (tmp_path / "study.toml").write_text(STUDY)
    run = run_study(tmp_path, "watched")
    folder = tmp_path / "watched"
    status = json.loads(paribus("status", folder, "--json").stdout)
    first = next(t["id"] for t in status["trials"] if (t["arm"], t["seed"]) == ("sgd", 0))
    trial = process_of(folder / "journal" / f"{first}.log")
    os.kill(trial, signal.SIGSTOP)
    return run, first, trial


def goes_on_as_if_alone(tmp_path, run):
    """What was stopped says how to go on; taken up again it has the weights of a study that nobody touched."""
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1 and b"go on with: paribus resume" in err
    resume = [PARIBUS, "resume", "watched", "-q", "--no-report"]
    subprocess.run(resume, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    assert run_study(tmp_path, "alone").wait(120) == 0
    assert weights_of(tmp_path, "watched") == weights_of(tmp_path, "alone")
    assert len(weights_of(tmp_path, "alone")) == 4


def test_real_study(tmp_path, screen):
    """Watched, with one trial stopped by a key and taken up again: the same weights as alone."""
    folder = tmp_path / "watched"
    run, _, trial = held_study(tmp_path)
    view = screen("watch", folder)
    view.until("> sgd, seed 0")
    view.type("s")
    view.until("stop sgd, seed 0? It can be resumed.")
    view.type("y")
    view.until("asked to stop; it ends the update that it is in")
    os.kill(trial, signal.SIGCONT)
    view.until("3 of 4 done, 1 stopped", seconds=120)
    goes_on_as_if_alone(tmp_path, run)
    view.until("4 of 4 done", "100 %", seconds=60)
