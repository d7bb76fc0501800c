# SPDX-License-Identifier: Apache-2.0
"""One second after the driver or any process below it is killed, nothing of it is left, whatever plugins had started."""

import contextlib
import os
import signal
import time

import pytest
from processes import field, marked, named, wait_for
from studies import Study

# Processes in the trial's session, in a session of their own, and with no parent; then it waits.
CLINGING = (
    '"callback.fail" = { use = "fail", how = "processes", step = 5 }, '
    '"callback.wait" = { use = "fail", name = "wait", how = "sleep", step = 6 }'
)


@pytest.fixture
def running(tmp_path):
    study = Study(tmp_path, {"clings": CLINGING})
    driver = study.start()
    wait_for(lambda: len(named(study.mark, "sleep")) == 3)
    yield study, driver
    driver.kill()
    driver.wait()
    for pid in marked(study.mark):
        with contextlib.suppress(ProcessLookupError):  # it may be about to go
            os.kill(pid, signal.SIGKILL)


def left(study, of: set[int] | None = None) -> dict[int, str]:
    """Which of them, or of all, live one second later."""
    end = time.monotonic() + 1
    while True:
        found = {pid: name for pid, name in marked(study.mark).items() if of is None or pid in of}
        if not found or time.monotonic() >= end:
            return found
        time.sleep(0.02)


@pytest.mark.parametrize("signals", ["KILL", "STOP KILL", "TERM"])
@pytest.mark.parametrize("victim", ["paribus", "paribus-guard", "paribus-worker"])
def test_nothing_is_left(running, victim, signals):
    study, driver = running
    pid = named(study.mark, victim)[0]
    if victim == "paribus-guard" and signals != "TERM":
        for stray in named(study.mark, "sleep"):  # see docs/failures.md
            os.kill(stray, signal.SIGKILL)
    if victim == "paribus" and signals == "TERM":
        signals = "TERM TERM"  # the first one asks it to end well, for which its trial has no time
    doomed = set(marked(study.mark))
    if victim != "paribus":  # the driver's own stay: itself, and what samples for it
        doomed -= {driver.pid, *named(study.mark, "paribus-system")}
    for name in signals.split():
        os.kill(pid, getattr(signal, f"SIG{name}"))
        time.sleep(0.05)
    assert left(study, doomed) == {}
    if victim != "paribus":  # the trial goes on, in another process
        wait_for(lambda: named(study.mark, "paribus-trial"))


@pytest.mark.parametrize("stopped", ["paribus-guard", "paribus-worker", "paribus-trial"])
def test_what_is_stopped_does_not_outlive_the_driver(running, stopped):
    study, driver = running
    os.kill(named(study.mark, stopped)[0], signal.SIGSTOP)
    driver.kill()
    driver.wait()
    assert left(study) == {}


def test_a_dead_trial_leaves_nothing_behind(running):
    study, driver = running
    trial = named(study.mark, "paribus-trial")[0]
    zygote = int(field(trial, "PPid"))
    os.kill(trial, signal.SIGKILL)
    wait_for(lambda: not named(study.mark, "sleep"), 1)
    assert driver.wait(timeout=10) == 1
    assert not os.path.exists(f"/proc/{zygote}")


def test_a_trial_that_ends_well_leaves_nothing_behind(tmp_path):
    study = Study(tmp_path, {"clings": CLINGING.replace('"sleep"', '"nothing"'), "other": ""})
    done = study.run("-j", "1")
    assert done.returncode == 0, done.stderr
    assert left(study) == {}
