# SPDX-License-Identifier: Apache-2.0
"""Law 6: a plugin can hurt only its own trial, whose record says why it ended and where it was."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lab import PARIBUS
from studies import Study, fail

# How it goes wrong: reason, what the message says, what the stack shows.
ENDS = {
    "segv": ("crash", r"SIGSEGV .* at address 0x0 in .*write_to_nothing.* at .*fail\.cpp:\d+", "go_wrong"),
    "bus": ("crash", r"SIGBUS .* in .*touch_beyond_the_end|go_wrong", "paribus::Trainer::fire"),
    "ill": ("crash", r"SIGILL .* in .*go_wrong", "paribus::Trainer::fire"),
    "fpe": ("crash", r"SIGFPE .* in .*go_wrong", "paribus::Trainer::fire"),
    "abort": ("crash", r"SIGABRT .* in .*go_wrong", "paribus::Trainer::fire"),
    "terminate": ("crash", r"SIGABRT .*throw_it.*: what\(\):  nobody catches this", "go_wrong"),
    "thread": ("crash", r"SIGSEGV .*write_to_nothing", "the training's"),
    "overflow": ("crash", r"its stack overflowed in .*go_deeper", "paribus::Trainer::fire"),
    "exit": ("crash", r"a plugin called exit\(0\) in .*go_wrong", "paribus::Trainer::fire"),
    "_exit": ("crash", r"left its process with exit status 0 before its training was over", None),
    "kill": ("killed", r"SIGKILL \(killed\), which Paribus did not send", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    arms = {"good": ""} | {how: fail(how) for how in ENDS}
    study = Study(tmp_path_factory.mktemp("failed"), arms)
    study.done = study.run("-j", "2")
    return study


@pytest.mark.parametrize("how", ENDS)
def test_record_says_why_and_where(failed, how):
    reason, message, frame = ENDS[how]
    trial = failed.status()[how]
    print(trial)
    assert (trial["status"], failed.reasons()[trial["id"]]) == ("failed", reason)
    assert re.search(message, trial["message"])
    assert f"about to: {how}" in failed.log(trial)
    if frame:
        assert trial["stack"] == str(failed.stack_file(trial["id"]))
        text = failed.stack(trial)
        print(text)
        assert text.startswith(trial["message"] + "\nthread ")
        assert frame in text
        assert re.search(r"#\d+ paribus::Trainer::\w+\(.* in libparibus\.so", text)
    else:
        assert "stack" not in trial


def test_the_others_go_on(failed):
    assert failed.status()["good"]["status"] == "done"
    assert failed.done.returncode == 1


def test_the_run_ends_with_what_failed(failed):
    trial = failed.status()["segv"]
    ending = failed.done.stderr[failed.done.stderr.rindex("failed " + trial["id"]) :]
    assert ending.startswith(f"failed {trial['id']}: segv, seed 1: it crashed with SIGSEGV")
    line = f"  its stack is in {failed.stack_file(trial['id'])}\n"
    assert line in ending
    assert f"{len(ENDS)} of {len(ENDS) + 1} trials failed" in ending
    shown = failed.lab.command("status", failed.directory).stdout
    assert line in shown


def test_a_recursion_is_told_once(failed):
    text = failed.stack(failed.status()["overflow"])
    assert re.search(r"\(\d+ times more\)", text)
    assert text.count("go_deeper") < 20


def test_every_thread_is_listed(tmp_path):
    """Those that load data, too."""
    study = Study(tmp_path, {"bad": fail("segv")}, workers=3)
    assert study.run().returncode == 1
    text = study.stack(study.status()["bad"])
    assert len(re.findall(r"^thread \d+", text, re.MULTILINE)) == 4, text
    assert text.count("paribus::Batches::work(") == 3, text


def test_where_nobody_may_look(tmp_path):
    """Without ptrace the crashed thread tells what it sees itself."""
    study = Study(tmp_path, {"bad": fail("segv")})
    launcher = Path(__file__).parent / "without.py"
    done = subprocess.run(
        [sys.executable, launcher, "ptrace", PARIBUS, "run", study.file, "--dir", study.directory],
        env=study.lab.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    trial = study.status()["bad"]
    text = study.stack(trial)
    print(done.stderr, text)
    assert done.returncode == 1
    assert re.search(r"SIGSEGV .*write_to_nothing.* at .*fail\.cpp:\d+", trial["message"])
    assert re.search(r"#\d+ paribus::Trainer::fit\(\) in libparibus\.so", text)
    assert "(other threads can't be read: " in text


def test_a_failed_trial_begins_anew(failed):
    failed.lab.command("resume", failed.directory)
    counts = failed.lab.command("status", failed.directory).stdout
    assert f"1 of {len(ENDS) + 1} trials done" in counts
