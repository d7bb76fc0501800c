# SPDX-License-Identifier: Apache-2.0
"""A dozen mishaps on a study of 24 real trials; and that the tool sees what it is there to see."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import campaign
import damage
import mishaps
import processes
import pytest
import study_run

HERE = Path(__file__).parent
BUILD = Path(os.environ["PARIBUS"]).parents[1]


def test_a_dozen_mishaps():
    done = subprocess.run(
        [
            sys.executable,
            HERE / "chaos.py",
            "--kills",
            "12",
            "--seed",
            "4",
            "--verbose",
        ]
        + ["--build", BUILD],
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    assert "each equal to the undisturbed one" in done.stdout


def test_a_plan_is_its_seed():
    plan = mishaps.plan(7, 100)
    assert mishaps.plan(7, 200)[:100] == plan != mishaps.plan(8, 100)
    assert {one.kind for one in mishaps.plan(7, len(mishaps.KINDS))} == set(mishaps.KINDS)
    assert all(hasattr(campaign.Campaign, f"do_{kind.replace(' ', '_')}") for kind in mishaps.KINDS)


def test_orphans_are_seen():
    mark = f"test-{os.getpid()}"
    child = subprocess.Popen(
        ["sh", "-c", "setsid sleep 60 & echo $!"],
        env=os.environ | {processes.MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
    )
    orphan = int(child.stdout.readline())
    child.wait()
    try:
        left, took = processes.left_after(mark, set(), seconds=0.2)
        assert [process.pid for process in left] == [orphan] and took >= 0.2
    finally:
        os.kill(orphan, signal.SIGKILL)
    assert processes.left_after(mark, set())[0] == []


def outcome(**changed):
    same = {"table": "id\n1", "numbers": {"1/loss": "a"}, "weights": {"w": "b"}, "files": {"f"}}
    return study_run.Outcome(**(same | changed))


def test_differences_are_seen():
    assert outcome().differences(outcome()) == []
    assert outcome(numbers={}).differences(outcome()) == ["series of 1/loss differ"]
    assert outcome(weights={"w": "c"}).differences(outcome()) == ["weights w differ"]
    assert outcome(files={"f", "x.part"}).differences(outcome()) == ["left behind: x.part"]
    assert outcome(files=set()).differences(outcome()) == ["missing: f"]
    assert "the table differs" in outcome(table="id\n2").differences(outcome())[0]


def test_a_leak_of_descriptors_is_seen():
    campaign.check_flat("driver", [9, 12, 9, 10, 9, 11, 9, 9])
    with pytest.raises(study_run.Wrong, match="9 descriptors early in the run, 13 late"):
        campaign.check_flat("driver", [9, 10, 10, 11, 11, 12, 13, 14])


def test_damage(tmp_path):
    for folder in ("journal", "checkpoints/a"):
        (tmp_path / folder).mkdir(parents=True)
    journal = tmp_path / "journal" / "a.log"
    journal.write_bytes(bytes(1000))
    said = damage.cut_journals(tmp_path, random.Random(1))
    assert len(said) == 1 and journal.stat().st_size < 1000
    names = {line.split()[0] for line in damage.half_write(tmp_path, random.Random(1))}
    files = [file for file in tmp_path.rglob("*") if file.name in names]
    assert len(files) == len(names) > 0 and all(map(damage.is_temporary, files))
    for file in files[1:]:
        file.unlink()
    file = files[0]
    outcomes = set()
    for seed in range(20):
        file.touch()
        outcomes.add((bool(damage.drop_temporaries(tmp_path, random.Random(seed))), file.exists()))
    assert outcomes == {(True, False), (False, True)}
