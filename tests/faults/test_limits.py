# SPDX-License-Identifier: Apache-2.0
"""Trials that hang, take too long or want too much memory."""

import os
import re
import signal
import time

from processes import field, named, wait_for
from studies import Study, fail


def test_a_hang_is_ended_with_its_stack(tmp_path):
    arms = {"good": "", "sleep": fail("sleep"), "spin": fail("spin")}
    study = Study(tmp_path, arms, study=', hang_limit = "1s"')
    begin = time.monotonic()
    assert study.run("-j", "3").returncode == 1
    assert time.monotonic() - begin < 30
    trials = study.status()
    assert trials["good"]["status"] == "done"
    for how, function in (("sleep", "wait_for_nothing"), ("spin", "spin")):
        assert trials[how]["status"] == "failed"
        assert study.reasons()[trials[how]["id"]] == "hang"
        assert re.search(
            r"it hung: for 1 s it made no step .* after step 4", trials[how]["message"]
        )
        assert function in study.stack(trials[how])
        assert "paribus::Trainer::" in study.stack(trials[how])


def test_a_long_validation_is_no_hang(tmp_path):
    """It makes no step for two seconds, but reads data."""
    study = Study(tmp_path, {"slow": ""}, study=', hang_limit = "1s"', data=", valid_pause = 0.5")
    done = study.run()
    assert done.returncode == 0, done.stderr


def test_a_stopped_trial_does_not_hang(tmp_path):
    study = Study(tmp_path, {"stops": fail("stop")}, study=', hang_limit = "0.5s"')
    running = study.start()
    trial = wait_for(lambda: named(study.mark, "paribus-trial"))[0]
    wait_for(lambda: field(trial, "State").startswith("T"))
    time.sleep(2)
    assert field(trial, "State").startswith("T"), "it was ended"
    os.kill(trial, signal.SIGCONT)
    assert running.wait(timeout=30) == 0
    assert study.status()["stops"]["status"] == "done"


def test_a_time_limit_stops_and_resume_goes_on(tmp_path):
    study = Study(tmp_path, {"slow": ""}, study=', time_limit = "1s"', data=", valid_pause = 0.3")
    assert study.run().returncode == 1
    trial = study.status()["slow"]
    assert (trial["status"], study.reasons()[trial["id"]]) == ("stopped", "time"), trial
    assert "it reached its time limit of 1 s and stopped" in trial["message"]
    undisturbed = study.lab.run(study.file, "other", "-s", "study.time_limit=1h").all()
    for _ in range(5):
        if study.lab.command("resume", study.directory).returncode == 0:
            break
    assert study.lab.results(study.directory).all() == undisturbed


def test_who_does_not_stop_in_time_is_killed(tmp_path):
    study = Study(
        tmp_path, {"sleep": fail("sleep")}, study=', time_limit = "1s", hang_limit = "1h"'
    )
    assert study.run().returncode == 1
    trial = study.status()["sleep"]
    assert (trial["status"], study.reasons()[trial["id"]]) == ("failed", "time"), trial
    assert "it took no step in the 5 s that it had to stop" in trial["message"]
    assert "wait_for_nothing" in study.stack(trial)


def test_memory_has_a_limit(tmp_path):
    arms = {how: fail(how) for how in ("leak_tensors", "leak_bytes")} | {"good": ""}
    for isolate in ("fork", "exec"):
        (tmp_path / isolate).mkdir()
        study = Study(tmp_path / isolate, arms, study=', memory_limit = "256MiB"')
        assert study.run("--isolate", isolate).returncode == 1
        trials = study.status()
        assert trials["good"]["status"] == "done"
        for how in ("leak_tensors", "leak_bytes"):
            assert trials[how]["status"] == "failed", trials[how]
            assert study.reasons()[trials[how]["id"]] == "memory"
            assert (
                "out of memory: it asked for more than its limit of 256 MiB"
                in trials[how]["message"]
            )
