# SPDX-License-Identifier: Apache-2.0
"""[study] confine: a trial writes to its study's directory alone and has no network; no number changes."""

import ctypes
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lab import PARIBUS, Lab, differences

BASE = """\
study = {{ seeds = [1], threads = 1, retries = 0, share = false{study} }}
model = {{ use = "mlp", hidden = [4] }}
data = {{ use = "glyphs", items = 80, valid_items = 10, batch = 16, transforms = ["normalize"], workers = {workers} }}
train = {{ epochs = 2, checkpoint_seconds = 0 }}
[arms]
good = {{}}
"""
OUT = {
    "write": "Permission denied",
    "append": "Permission denied",
    "truncate": "Permission denied|Operation not permitted",
    "truncate_on_open": "Permission denied",
    "remove": "Permission denied",
    "chmod": "Operation not permitted",
    "move": "Permission denied|Invalid cross-device link",
    "child": "",
    "journal": "Permission denied",
    "inet": "Permission denied",
    "unix": "Permission denied",
    "ring": "Function not implemented",
    "trace": "Operation not permitted",
    "memory": "Operation not permitted",
    "kill": "Operation not permitted",
    "kill_zygote": "Operation not permitted",
}
HARMFUL = {"trace", "memory", "kill", "kill_zygote"}  # not to be tried where nothing stops them
CONFINED = ", confine = true"
WITHOUT = Path(__file__).parents[1] / "faults" / "without.py"


def landlock() -> int:
    """Its version; below 2 no trial can be confined here, which has to be said."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1)


IS_ABLE = landlock() >= 2
REFUSAL = "study.toml:1:75: this kernel can't confine trials: "


class World:
    """A study whose trials reach out, and what they reach for."""

    def __init__(self, folder: Path):
        self.lab = Lab(folder, "reach")
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.file = self.outside / "file"
        self.file.write_text("kept")
        self.file.chmod(0o640)
        self.directory = folder / "run"
        self.ports = [socket.socket(), socket.socket(socket.AF_UNIX)]
        self.ports[0].bind(("127.0.0.1", 0))
        self.ports[1].bind(str(self.outside / "socket"))
        for port in self.ports:
            port.listen(20)
        self.lab.environment |= {
            "REACH_OUTSIDE": str(self.outside),
            "REACH_PORT": str(self.ports[0].getsockname()[1]),
            "REACH_JOURNAL": str(self.directory / "journal" / "study.log"),
            "TMPDIR": str(folder),
        }

    def close(self):
        for port in self.ports:
            port.close()

    def study(self, *ways, study="", workers=0) -> Path:
        text = BASE.format(study=study, workers=workers)
        for how in ways:
            text += f'{how} = {{ "callback.reach" = {{ use = "reach", how = "{how}" }} }}\n'
        return self.lab.write("study.toml", text)

    def run(self, study, *words) -> subprocess.CompletedProcess:
        return self.lab.command("run", study, "--dir", self.directory, *words)

    def trials(self) -> dict[str, dict]:
        answer = json.loads(self.lab.answer("status", self.directory, "--json"))
        return {trial["arm"]: trial for trial in answer["trials"]}

    def as_it_was(self) -> bool:
        names = sorted(path.name for path in self.outside.iterdir())
        mode = self.file.stat().st_mode & 0o777
        return (names, self.file.read_text(), mode) == (["file", "socket"], "kept", 0o640)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def refused(world, study) -> bool:
    """Where the kernel can't confine, that is an error before the first step."""
    if IS_ABLE:
        return False
    done = world.run(study)
    assert done.returncode == 2
    assert REFUSAL in done.stderr
    return True


@pytest.mark.parametrize("isolate", ["fork", "exec"])
def test_whoever_reaches_out_is_stopped_and_harms_only_its_own_trial(world, isolate):
    study = world.study("own", *OUT, study=CONFINED)
    if refused(world, study):
        return
    done = world.run(study, "--isolate", isolate, "-j", "2")
    print(done.stderr)
    assert done.returncode == 1
    trials = world.trials()
    assert {arm: trial["status"] for arm, trial in trials.items()} == {
        "good": "done",
        "own": "done",
    } | dict.fromkeys(OUT, "failed")
    for how, why in OUT.items():
        message = trials[how]["message"]
        assert f"stopped: {how}: " in message
        assert any(reason in message for reason in why.split("|")), message
    assert world.as_it_was()
    assert not (world.directory / "tmp").exists()
    assert world.lab.command("fsck", world.directory).returncode == 0


def test_unconfined_they_reach_it(world):
    """Else the test above would show nothing."""
    ways = [how for how in OUT if how not in HARMFUL | {"ring", "remove"}]
    for some in ways, ["remove"]:
        done = world.run(world.study(*some), "--fresh")
        assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in world.outside.iterdir())
    assert names == ["moved", "socket", "touched", "written"]


def test_no_number_changes(world):
    files = [world.study(workers=2), world.study(workers=2, study=CONFINED)]
    if refused(world, files[1]):
        return
    texts = [BASE.format(study=study, workers=2) for study in ("", CONFINED)]
    runs = []
    for number, text in enumerate(texts):
        study = world.lab.write(
            f"study{number}.toml", text + 'ema = { "callback.ema" = { use = "ema" } }\n'
        )
        runs.append(world.lab.run(study, f"{number}").all())
    study = world.lab.write("study2.toml", study.read_text())
    runs.append(world.lab.run(study, "2", "--isolate", "exec").all())
    assert differences(runs[0], runs[1]) == []
    assert differences(runs[0], runs[2]) == []
    done = world.lab.command("verify", world.lab.folder / "runs" / "1")
    assert done.returncode == 0, done.stderr
    assert "bit-identical" in done.stdout


def test_a_plugin_is_confined_from_the_instant_it_is_loaded(world):
    world.lab.environment["REACH_ON_LOAD"] = "1"
    study = world.study("own", study=CONFINED)
    if refused(world, study):
        return
    assert world.lab.command("check", study).returncode == 0
    assert world.run(study).returncode == 0
    assert world.as_it_was()
    assert world.lab.command("check", world.study("own")).returncode == 0
    assert not world.as_it_was()


@pytest.mark.parametrize("locked", [[], ["--locked"]])
def test_a_crash_still_has_its_stack(world, locked):
    """Also that of a plugin which is a copy in memory."""
    study = world.study("crash", study=CONFINED)
    if refused(world, study):
        return
    world.lab.answer("plugins", "lock", study)
    assert world.run(study, *locked).returncode == 1
    trial = world.trials()["crash"]
    assert "SIGSEGV" in trial["message"]
    text = Path(trial["stack"]).read_text()
    assert re.search(
        r"Reach::before_batch\(paribus::Fit&\) at .*reach\.cpp:\d+ in reach\.so\n", text
    )
    assert "paribus::Trainer::fire" in text


def test_resumed_trials_are_confined_too(world):
    study = world.study("write", study=CONFINED)
    if refused(world, study):
        return
    for command in (["run", study, "--dir", world.directory], ["resume", world.directory]):
        assert world.lab.command(*command).returncode == 1
        assert "stopped: write" in world.trials()["write"]["message"]
    assert world.as_it_was()


@pytest.mark.parametrize("command", ["check", "run"])
def test_where_the_kernel_lacks_it(world, command):
    study = world.study(study=CONFINED)
    done = subprocess.run(
        [sys.executable, WITHOUT, "landlock_create_ruleset", PARIBUS, command, study],
        env=world.lab.environment,
        cwd=world.lab.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    print(done.stderr)
    assert done.returncode == 2
    assert REFUSAL in done.stderr
    assert "landlock" in done.stderr
    assert not (world.lab.folder / "runs").exists()
