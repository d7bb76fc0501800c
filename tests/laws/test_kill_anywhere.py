# SPDX-License-Identifier: Apache-2.0
"""Law 2: killed at any instant and resumed, a study ends with the table, series and weights of an undisturbed run.

Instants come from outside by the clock (seeded, printed), from within at each event of the training, and around each call
that changes what is on disk. Killed studies are killed again while they resume."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from lab import FIXTURES, Lab, differences

# All that holds state: running averages, an inner optimizer, half-done accumulation, best values, draws.
RICH = """\
study = { threads = 1, seeds = [5] }
model = { use = "convnet", channels = [4, 8] }
loss = { use = "cross_entropy", smoothing = 0.1 }
optimizer = { use = "lookahead", k = 3, inner = "adamw" }
metric = ["accuracy", "top_k"]

[data]
use = "glyphs"
items = 200
valid_items = 60
batch = 16
workers = 2
transforms = ["crop", "flip", "cutout", "normalize"]

[schedule]
"optimizer.lr" = { use = "warmup", fraction = 0.2, then = { use = "one_cycle", max = 0.02 } }
"callback.mixup.alpha" = { use = "linear", from = 0.2, to = 1.0, values = true }

[train]
epochs = 5
accumulate = 2
clip_norm = 1.0
checkpoint_seconds = 0.02

[[callback]]
use = "ema"
decay = 0.9

[[callback]]
use = "mixup"

[[callback]]
use = "rates"
lowest = 0.1
norm_bias_decay = 0.0

[[callback]]
use = "unfreeze"
at = [2]

[[callback]]
use = "early_stop"
patience = 1000

[[callback]]
use = "checkpoint"
every = 2

[[callback]]
use = "interpret"

[[callback]]
use = "grad_cam"
items = 3

[[callback]]
use = "kill_at"
"""

# Ends by early_stop after two of four epochs.
STOPPING = """\
study = { threads = 1, seeds = [5] }
model = { use = "mlp", hidden = [4] }
data = { use = "glyphs", items = 32, valid_items = 20, batch = 16, transforms = ["normalize"] }
train = { epochs = 4, checkpoint_seconds = 0 }
callback = [{ use = "early_stop", min_delta = 100.0, patience = 1 }, "checkpoint", "kill_at"]
"""

# Step 1 and before_fit are also those of the check's small batch, which a killed plugin rightly fails.
EVENTS = (
    "before_epoch",
    "before_batch",
    "after_forward",
    "after_loss",
    "after_backward",
    "before_step",
    "after_step",
    "after_batch",
    "state",
    "before_validate",
    "after_valid_batch",
    "after_validate",
    "after_epoch",
    "after_fit",
)


class Victim:
    """A study that is killed, resumed, and compared with one that wasn't."""

    def __init__(self, folder: Path, text: str):
        self.lab = Lab(folder, "kill_at")
        self.study = self.lab.write("victim.toml", text)
        begin = time.monotonic()
        self.undisturbed = self.lab.run(self.study, "undisturbed").all()
        self.seconds = time.monotonic() - begin
        self.begin_anew()

    def begin_anew(self):
        self.number = getattr(self, "number", 0) + 1
        self.directory = self.lab.folder / "runs" / f"killed-{self.number}"

    def words(self) -> list:
        """What a user would say: `resume` wherever there is something to resume."""
        if (self.directory / "study.toml").exists():
            return ["resume", self.directory]
        return ["run", self.study, "--dir", self.directory]

    def killed(self, **environment) -> bool:
        """Whether it was, or ended well before the instant that the environment names."""
        done = self.lab.command(*self.words(), **environment)
        assert done.returncode in (-signal.SIGKILL, 0, 1), done.stderr
        assert done.returncode != 1 or "SIGKILL" in done.stderr, done.stderr
        return done.returncode != 0

    def finish(self, note):
        done = self.lab.command(*self.words())
        assert done.returncode == 0, f"{note}: {done.stderr}"
        killed = self.lab.results(self.directory).all()
        assert differences(self.undisturbed, killed) == [], note
        fsck = self.lab.command("fsck", self.directory)
        assert fsck.returncode == 0, f"{note}: {fsck.stdout}{fsck.stderr}"
        trial = next(iter(self.undisturbed.values()))["id"]
        left = {file.name for file in (self.directory / "checkpoints" / trial).iterdir()}
        assert not any(name.startswith("step-") for name in left), f"{note}: {left} stayed behind"
        self.begin_anew()


def children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill(driver: int, whom: str) -> str:
    """Kills the driver, the worker's whole process group, or the trial alone; says which it was."""
    guard = [child for child in children(driver) if name_of(child) == "paribus-guard"]
    worker = children(guard[0]) if guard else []
    trial = children(worker[0]) if worker else []
    with suppress(ProcessLookupError):  # it ended meanwhile
        if whom == "trial" and trial:
            os.kill(trial[0], signal.SIGKILL)
            return "trial"
        if whom != "driver" and guard:
            os.killpg(guard[0], signal.SIGKILL)
            return "worker"
    os.kill(driver, signal.SIGKILL)
    return "driver"


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return Victim(tmp_path_factory.mktemp("rich"), RICH)


@pytest.fixture(scope="module")
def stopping(tmp_path_factory):
    victim = Victim(tmp_path_factory.mktemp("stopping"), STOPPING)
    assert [row["epochs"] for row in victim.undisturbed.values()] == [2], "early_stop ended it"
    return victim


def test_by_the_clock(rich):
    """Twenty instants of the whole run, its start-up included; half of them hit the driver."""
    draw = random.Random(2)
    kills = []
    for attempt in range(200):
        whom = "driver" if len(kills) % 2 == 0 else draw.choice(["worker", "trial"])
        instant = draw.uniform(0, rich.seconds)
        running = rich.lab.start(*rich.words())
        time.sleep(instant)
        if running.poll() is None:
            kills.append(f"{kill(running.pid, whom)} after {instant:.3f} s")
        print(attempt, kills[-1:], running.wait(timeout=60))
        if attempt % 3 == 2:
            rich.finish(kills[-3:])
        if len(kills) == 20:
            break
    assert len(kills) == 20
    rich.finish(kills[-3:])


def test_interrupted(rich):
    """Ctrl-C lets the trial save itself: the same law, without the loss."""
    draw = random.Random(3)
    for _ in range(4):
        instant = draw.uniform(0.4, 0.8) * rich.seconds
        running = rich.lab.start(*rich.words())
        time.sleep(instant)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) in (0, 130)
        rich.finish(f"interrupted after {instant:.3f} s")


def test_at_each_event(rich):
    """Each event, some steps later than the one before it, in one run."""
    step = 2
    for event in EVENTS:
        assert rich.killed(PARIBUS_LAWS_KILL=f"{event} {step}"), f"{event} {step} never came"
        step += 3
    rich.finish("at each event")


@pytest.mark.parametrize("event", ["state", "after_validate", "after_epoch", "after_fit"])
def test_while_stopping_early(stopping, event):
    """That training is to end is remembered like everything else."""
    assert stopping.killed(PARIBUS_LAWS_KILL=f"{event} 4"), f"{event} never came"
    stopping.finish(event)


def calls(program: str, number: int) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(FIXTURES / "kill_at_call.so"),
        "PARIBUS_LAWS_CALL": f"{program} {number}",
    }


@pytest.mark.parametrize("program, stride", [("paribus", 1), ("paribus-worker", 3)])
def test_around_each_change_on_disk(stopping, program, stride):
    """The first instant of a run, a later one of its resumption, and so on until one ends before its instant comes."""
    kills = 0
    while stopping.killed(**calls(program, kills * stride + 1)):
        kills += 1
    assert kills >= 15
    stopping.finish(f"{kills} kills of {program}")
