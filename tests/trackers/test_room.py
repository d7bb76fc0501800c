# SPDX-License-Identifier: Apache-2.0
"""Trackers that write files, and no room for them."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from journals import MAGIC, event, points, series
from recorder import Recorder
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_command import CSV, WithTrackers
from test_wandb import trial_of
from test_wandb_offline import runs as offline_runs
from test_wandb_offline import wandb_sync
from test_webhook import Receiver
from uplinks import Uplink, delivered, status, study, sync, tracker, wait_for

sys.path.append(str(Path(__file__).parents[1] / "laws"))

from test_disk import SmallDisk  # noqa: E402


def from_csv(folder):
    return delivered(folder)


def from_tensorboard(folder):
    """Scalars are float32 there; these lose nothing by it."""
    found = []
    for run in (folder / "trackers" / "tensorboard").iterdir():
        events = EventAccumulator(str(run), size_guidance={"scalars": 0})
        events.Reload()
        trial = run.name.rsplit("-", 1)[1]
        found += [
            (trial, "train.loss", one.step, one.value) for one in events.Scalars("train.loss")
        ]
    return sorted(found)


def from_wandb_offline(folder):
    server = Recorder()
    wandb_sync(folder.parent, server, *offline_runs(folder))
    server.close()
    return server.points(trial_of)


def state(folder, name):
    is_told = (folder / "uplink" / f"{name}.json").exists()
    return status(folder, name)["state"] if is_told else ""


def ends(receiver) -> int:
    return sum(one["event"] == "end" for one in list(receiver.taken.values()))


@pytest.mark.parametrize("read", [from_csv, from_tensorboard, from_wandb_offline])
def test_no_room_for_a_file(tmp_path, read):
    """One line says so; the other tracker has all; nothing is lost once there is room."""
    use = read.__name__.removeprefix("from_")
    folder, steps = tmp_path / "study", 4000
    study(folder, trials=2)
    (folder / "trackers").mkdir()
    values = [0.5 ** (step % 100) for step in range(steps)]
    for seed in range(2):
        body = MAGIC + event(event="start", time=1.0) + series("train.loss")
        body += points(0, range(steps), values)
        body += event(event="end", status="done", steps=steps, seconds=1.0)
        (folder / "journal" / f"0000000{seed}.log").write_bytes(body)
    expected = [
        (f"0000000{seed}", "train.loss", step, values[step])
        for seed in range(2)
        for step in range(steps)
    ]
    disk, other = SmallDisk(folder / "trackers" / use, 64 << 10), Receiver()
    try:
        entries = tracker(use), tracker("webhook", url=f"http://127.0.0.1:{other.port}/")
        uplink = Uplink(folder, *entries, wait=1.0)
        wait_for(lambda: ends(other) == 2, seconds=60)
        wait_for(lambda: state(folder, use) in ("waiting", "gave up"), seconds=60)
        assert uplink.finish() == 1
        assert other.points() == expected
        assert re.search("No space left on device|File too large", status(folder, use)["problem"])
        disk.enlarge()
        assert sync(folder, *entries, wait=60.0) == 0
        found = read(folder)
    finally:
        disk.remove()
        other.close()
    assert found == expected


class Nowhere(WithTrackers):
    """The study's own disk is full: not even the status has room."""

    def test_it_is_told_all_the_same(self):
        disk = SmallDisk(self.folder / "disk", 8 << 20)
        self.addCleanup(disk.remove)
        if not disk.is_mounted:
            self.skipTest("mounting is forbidden here")
        directory = disk.folder / "study"
        self.write(CSV)
        done = self.paribus("run", self.study, "-q", "--dir", directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        for folder in ("uplink", "trackers"):
            shutil.rmtree(directory / folder)
        filler = (disk.folder / "filler").open("wb", buffering=0)
        with filler as file, self.assertRaisesRegex(OSError, "No space left"):
            while True:
                file.write(b"x" * 4096)
        full = self.paribus("sync", directory)
        self.assertEqual(full.returncode, 1, full.stdout + full.stderr)
        self.assertRegex(full.stdout + full.stderr, "tracker csv: .*(room|No space left)")
        (disk.folder / "filler").unlink()
        self.assertEqual(self.paribus("sync", directory).returncode, 0)
        self.assertEqual(len(delivered(directory)), 6 * 10)


del WithTrackers
