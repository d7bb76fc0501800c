# SPDX-License-Identifier: Apache-2.0
"""What it costs a Python program to log ten series by a tracker; COUNT is points.

run: time, memory and disk, of a process that has done nothing else. killed: how many points a SIGKILL takes with it, right
after the last of them; paced: the same at 100 steps a second. A tracker is a class, made with a folder; it has `close`; `left`,
which gives the number of points there and each series' last value; and either `point`, one call for each scalar, or `row`, one
for each step."""

import os
import signal
import tempfile
import time
from array import array
from functools import partial
from pathlib import Path

import numpy as np

SERIES = 10
NAMES = [f"metric_{i}" for i in range(SERIES)]


def values_at(step):
    return [(step * SERIES + i) * 0.1 for i in range(SERIES)]


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines)


def kib(facts, key):
    return 1024 * int(facts[key].split()[0])


def helpers(of):
    """Processes that this one started, and those that they did: (pid, status)."""
    found, everyone = [], []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                everyone.append((int(entry), status(entry)))
            except (FileNotFoundError, ProcessLookupError):
                continue
    parents = {of}
    while parents:
        children = [(pid, facts) for pid, facts in everyone if int(facts["PPid"]) in parents]
        found += children
        parents = {pid for pid, _ in children}
    return found


def peak(pid):
    """Bytes: of this process, and of its helpers."""
    theirs = sum(kib(facts, "VmHWM") for _, facts in helpers(pid) if "VmHWM" in facts)
    return kib(status(pid), "VmHWM"), theirs


def disk(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def log(tracker, steps, calls, pause=0.0):
    """Leaves in `calls` how long each took."""
    now, at = time.perf_counter, 0
    for step in range(1, steps + 1):
        if pause:
            time.sleep(pause)
        values = values_at(step)
        if hasattr(tracker, "row"):
            start = now()
            tracker.row(step, values)
            calls[at] = now() - start
            at += 1
            continue
        for i, value in enumerate(values):
            start = now()
            tracker.point(i, step, value)
            calls[at] = now() - start
            at += 1


def p99(seconds):
    place = len(seconds) * 99 // 100
    return float(np.partition(seconds, place)[place])


def run(tracker_class, points):
    steps = points // SERIES
    in_call = SERIES if hasattr(tracker_class, "row") else 1
    calls = array("d", [1.0]) * (steps * SERIES // in_call)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = kib(status("self"), "VmRSS")
        tracker = tracker_class(folder)
        empty = disk(folder)
        start = time.perf_counter()
        log(tracker, steps, calls)
        tracker.close()
        seconds = time.perf_counter() - start
        own, theirs = peak(os.getpid())
        size = disk(folder) - empty
        count, last = tracker_class.left(folder)
    calls = np.frombuffer(calls)
    of_steps = calls.reshape(steps, -1).sum(axis=1)
    return {
        "seconds": seconds / (steps * SERIES),
        "call": p99(calls),
        "step": p99(of_steps),
        "worst": float(of_steps.max()),
        "memory": own - before + theirs,
        "helpers": theirs,
        "bytes": size,
        "equal": count == steps * SERIES
        and last == list(map(tracker_class.kept, values_at(steps))),
    }


def lost(tracker_class, points, pause=0.0):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        child = os.fork()
        if child == 0:
            steps = points // SERIES
            tracker = tracker_class(folder)  # kept to the end: some write the rest when they go
            log(tracker, steps, array("d", [0.0]) * (steps * SERIES), pause)
            os.kill(os.getpid(), signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        if not os.WIFSIGNALED(ended):
            raise RuntimeError("the process was not killed")
        time.sleep(1)  # its helpers may go on
        return {"lost": points - tracker_class.left(folder)[0]}


class Tracker:
    @staticmethod
    def kept(value):
        """A value as it reads back."""
        return value


def variants(tracker_class):
    return {
        "run": partial(run, tracker_class),
        "killed": partial(lost, tracker_class),
        "paced": partial(lost, tracker_class, pause=0.01),
    }
