# SPDX-License-Identifier: Apache-2.0
"""What a trial shares with the zygote that it forks from: memory as it was, and nothing else."""

import os
from pathlib import Path

import pytest
from lab import differences
from processes import field, named, read, wait_for
from studies import Study, fail


def mask(pid: int, name: str) -> set[int]:
    bits = int(field(pid, name), 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


@pytest.fixture(params=["fork", "exec"])
def running(request, tmp_path):
    """A study with a trial that stands still, its zygote, and how it was started."""
    study = Study(tmp_path, {"waits": fail("sleep")}, workers=2, threads=2)
    driver = study.start("--isolate", request.param)
    trial = wait_for(lambda: named(study.mark, "paribus-trial"))[0]
    wait_for(lambda: "about to" in "".join(f.read_text() for f in study.directory.glob("logs/*")))
    yield int(field(trial, "PPid")), trial, request.param
    driver.kill()
    driver.wait()


def test_no_thread_exists_in_the_zygote(running):
    zygote, trial, isolate = running
    assert field(zygote, "Name") == "paribus-worker"
    assert os.listdir(f"/proc/{zygote}/task") == [str(zygote)]
    assert len(os.listdir(f"/proc/{trial}/task")) >= 3, "its loaders run"
    assert ("--trial" in read(trial, "cmdline").split("\0")) == (isolate == "exec")


def test_a_trial_has_only_descriptors_of_its_own(running):
    zygote, trial, _ = running
    kinds = {fd.name: os.readlink(fd) for fd in Path(f"/proc/{trial}/fd").iterdir()}
    assert not [
        kind for kind in kinds.values() if kind.startswith(("socket:", "pipe:", "anon_"))
    ], kinds
    assert any("journal/" in kind for kind in kinds.values()), kinds
    rows = [fd for fd, kind in kinds.items() if "(deleted)" in kind and "/tmp" in kind]
    assert len(rows) == 1, "the file that the data set keeps open"


def test_signals_are_as_they_should_be(running):
    zygote, trial, _ = running
    assert mask(trial, "SigBlk") == set()
    assert mask(trial, "SigIgn") == {2, 13, 25}, "SIGINT; SIGPIPE and SIGXFSZ are errors"
    assert os.getsid(trial) == trial and os.getsid(zygote) != trial


def test_file_offsets_are_not_shared(tmp_path):
    """All trials read one file through one descriptor number, side by side."""
    study = Study(tmp_path, {"a": "", "b": "optimizer.lr = 0.02"}, seeds="[1, 2, 3]", epochs=6)
    alone = study.lab.run(study.file, "alone", "-j", "1", "--isolate", "exec").all()
    together = study.lab.run(study.file, "together", "-j", "4").all()
    assert differences(alone, together) == []


def test_a_fresh_process_gives_the_same_bits(tmp_path):
    """Two threads each, after a zygote that never had a second one."""
    study = Study(tmp_path, {"a": "", "b": "model.hidden = [64, 64]"}, threads=2, workers=0)
    forked = study.lab.run(study.file, "forked", "--isolate", "fork").all()
    fresh = study.lab.run(study.file, "fresh", "--isolate", "exec").all()
    assert differences(forked, fresh) == []


def test_a_zygote_with_a_thread_forks_no_trial(tmp_path):
    """A data set that starts a thread, against its contract, costs time and nothing else."""
    study = Study(tmp_path, {"a": ""})
    plain = study.lab.run(study.file, "plain").trial("a", 1)
    threaded = study.lab.run(study.file, "threaded", "-s", "data.thread=true").trial("a", 1)
    wanted = {name for name in plain if name.startswith("series ")} | {"weights_sha256"}
    assert {name: plain[name] for name in wanted} == {name: threaded[name] for name in wanted}
    waiting = Study(tmp_path, {"waits": fail("sleep")}, data=", thread = true")
    driver = waiting.start()
    trial = wait_for(lambda: named(waiting.mark, "paribus-trial"))[0]
    wait_for(lambda: "--trial" in read(trial, "cmdline").split("\0"))
    driver.kill()
    driver.wait()
