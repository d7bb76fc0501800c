# SPDX-License-Identifier: Apache-2.0
"""What is on disk can't be lost and doesn't fill it: full disks, budgets, damage, half-done seals."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from lab import FIXTURES, PARIBUS, Lab, differences

# Weights of 100 KiB and as much momentum: tensors that are kept apart, checkpoints after each step.
STUDY = """\
study = { threads = 1, seeds = 2%s }
model = { use = "mlp", hidden = [64] }
data = { use = "glyphs", items = 200, valid_items = 60, batch = 20, transforms = ["normalize"] }
optimizer = { use = "sgd", momentum = 0.9 }
train = { epochs = 3, checkpoint_seconds = 0 }
callback = ["checkpoint"]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("disk"))


@pytest.fixture(scope="module")
def undisturbed(lab):
    study = lab.write("undisturbed.toml", STUDY % "")
    return lab.run(study, "undisturbed").all()


def size_of(folder: Path) -> int:
    """What the disk holds for a folder, as `du` counts it."""
    seen, total = set(), 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                facts = os.lstat(os.path.join(root, name))
            except FileNotFoundError:
                continue
            if facts.st_ino not in seen:
                total += max(facts.st_size, facts.st_blocks * 512)
            seen.add(facts.st_ino)
    return total


def leftovers(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.suffix in (".partial", ".part") or path.name.startswith((".results", "step-"))
    )


class SmallDisk:
    """A file system of its own; where mounting is forbidden, a limit on the size of every file."""

    def __init__(self, folder: Path, size: int):
        self.folder = folder
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            capture_output=True,
        )
        self.is_mounted = mounted.returncode == 0
        if not self.is_mounted:
            self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, self.before[1]))

    def enlarge(self):
        if self.is_mounted:
            subprocess.run(["mount", "-o", "remount,size=64m", str(self.folder)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self.before)

    def remove(self):
        self.enlarge()
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.mark.parametrize("kib", [250, 600, 900, 1300])
def test_a_full_disk_stops_trials_that_resume_to_the_same_numbers(lab, undisturbed, kib):
    disk = SmallDisk(lab.folder / f"small-{kib}", kib * 1024)
    try:
        study = lab.write(f"small{kib}.toml", STUDY % "")
        directory = disk.folder / "run"
        done = lab.command("run", study, "--dir", directory, "-j", "1")
        assert done.returncode == 1, done.stderr
        assert re.search(
            r"No space left on device|File too large", done.stderr + logs(directory)
        ), done.stderr + logs(directory)
        assert "Traceback" not in done.stderr and "terminate" not in done.stderr
        if (directory / "journal" / "study.log").exists():
            fsck = lab.command("fsck", directory)
            assert fsck.returncode == 0, fsck.stdout + fsck.stderr
        disk.enlarge()
        words = (
            ["resume", directory]
            if (directory / "study.toml").exists()
            else ["run", study, "--dir", directory]
        )
        lab.answer(*words)
        assert differences(undisturbed, lab.results(directory).all()) == []
        assert leftovers(directory) == []
        assert not (directory / "checkpoints" / "objects").exists()
    finally:
        disk.remove()


def logs(directory: Path) -> str:
    return "".join(file.read_text() for file in directory.glob("logs/*.txt"))


def watched(lab: Lab, directory: Path, *words) -> tuple[int, int]:
    """Exit status, and the most that the directory held while the command ran."""
    running, most = lab.start(*words), 0
    while running.poll() is None:
        most = max(most, size_of(directory))
        time.sleep(0.002)
    return running.returncode, max(most, size_of(directory))


@pytest.mark.parametrize("kib", [400, 1000, 1600])
def test_a_budget_is_never_exceeded(lab, undisturbed, kib):
    study = lab.write(f"budget{kib}.toml", STUDY % f', disk = "{kib}KiB"')
    directory = lab.folder / "runs" / f"budget-{kib}"
    status, most = watched(lab, directory, "run", study, "--dir", directory, "-j", "2")
    assert most <= kib * 1024, "the budget was exceeded"
    assert status == 1, "or the budget was never tight"
    assert "study.disk: " in logs(directory), logs(directory)
    assert lab.command("fsck", directory).returncode == 0
    status, _ = watched(lab, directory, "run", study, "--dir", directory, "-s", "study.disk=64MiB")
    assert status == 0
    assert differences(undisturbed, lab.results(directory).all()) == []


def stopped_study(lab: Lab, name: str) -> Path:
    """A study interrupted while its trials hold checkpoints."""
    text = (STUDY % ', keep = "all"').replace("epochs = 3", "epochs = 40")
    study = lab.write(f"{name}.toml", text)
    directory = lab.folder / "runs" / name
    running = lab.start("run", study, "--dir", directory)
    deadline = time.monotonic() + 60
    while not list(directory.glob("checkpoints/*/step-*.safetensors")):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.01)
    running.send_signal(2)
    assert running.wait(timeout=60) == 130
    return directory


def test_a_damaged_checkpoint_is_found_told_and_made_up_for(lab):
    directory = stopped_study(lab, "damaged")
    tensor = sorted(directory.glob("checkpoints/*/step-*.tensors/*"))[0]
    intact = shutil.copytree(directory, lab.folder / "runs" / "intact", copy_function=shutil.copy2)
    os.chmod(tensor, 0o644)
    tensor.write_bytes(b"\0" + tensor.read_bytes()[1:])
    found = lab.command("fsck", directory, "--json")
    report = {one["file"]: one for one in json.loads(found.stdout)["checkpoints"]}
    step = tensor.parent.with_suffix(".safetensors").relative_to(directory)
    assert found.returncode == 1 and report[str(step)]["state"] == "damaged"
    assert tensor.name in report[str(step)]["problem"]
    repaired = shutil.copytree(directory, lab.folder / "runs" / "repaired")
    lab.answer("fsck", repaired, "--repair")
    assert not (repaired / step).exists()
    for each in (directory, repaired, intact):
        lab.answer("resume", each)
    expected = lab.results(intact).all()
    assert differences(expected, lab.results(directory).all()) == []
    assert differences(expected, lab.results(repaired).all()) == []
    assert tensor.name.encode() in (directory / "journal" / f"{tensor.parts[-3]}.log").read_bytes()


def test_damaged_weights_are_found(lab, undisturbed):
    directory = shutil.copytree(lab.folder / "runs" / "undisturbed", lab.folder / "runs" / "rotten")
    weights = sorted(directory.glob("checkpoints/*/final.safetensors"))[0]
    os.chmod(weights, 0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    found = lab.command("fsck", directory)
    assert found.returncode == 1
    assert "final.safetensors  damaged" in found.stdout, found.stdout
    assert "is not whole" in found.stderr


def test_results_open_in_every_state_of_a_seal(lab, undisturbed):
    """Killed around each call that changes what is on disk, half-way through each write included."""
    directory = shutil.copytree(lab.folder / "runs" / "undisturbed", lab.folder / "runs" / "seals")
    sealed = (directory / "results.h5").read_bytes()
    for before in (True, False):  # one was there already, or not
        kills = 0
        while True:
            if not before:
                (directory / "results.h5").unlink(missing_ok=True)
            done = lab.command(
                "seal",
                directory,
                LD_PRELOAD=str(FIXTURES / "kill_at_call.so"),
                PARIBUS_LAWS_CALL=f"paribus {kills + 1}",
            )
            if (directory / "results.h5").exists():
                dump = subprocess.run(
                    ["h5dump", "-n", str(directory / "results.h5")], capture_output=True, text=True
                )
                assert dump.returncode == 0 and "/trials" in dump.stdout, dump.stderr
                assert (directory / "results.h5").read_bytes() == sealed
            else:
                assert not before and done.returncode != 0
            if done.returncode == 0:
                break
            kills += 1
        assert kills >= 5
    lab.answer("fsck", directory, "--repair")
    assert leftovers(directory) == []


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.95])
def test_a_seal_that_finds_no_room_says_so(lab, undisturbed, part):
    """And ends as told: by no signal, with no half of a file left."""
    directory = lab.folder / "runs" / f"no-room-{part}"
    shutil.copytree(lab.folder / "runs" / "undisturbed", directory)
    room = int(part * (directory / "results.h5").stat().st_size)
    (directory / "results.h5").unlink()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [PARIBUS, "seal", str(directory)]
    done = subprocess.run(
        command, env=lab.environment, preexec_fn=limit, capture_output=True, text=True
    )
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "make room, then paribus seal" in done.stderr
    assert leftovers(directory) == [] and not (directory / "results.h5").exists()


@pytest.mark.parametrize(
    "keep, names",
    [
        ("final", {"final.safetensors", "best.safetensors"}),
        (
            "all",
            {"final.safetensors", "best.safetensors", "step-30.safetensors", "step-30.tensors"},
        ),
        ("none", set()),
    ],
)
def test_keep_says_what_stays(lab, undisturbed, keep, names):
    study = lab.write(f"keep_{keep}.toml", STUDY % f', keep = "{keep}"')
    results = lab.run(study, f"keep-{keep}").all()
    assert differences(undisturbed, results) == []
    for row in results.values():
        folder = lab.folder / "runs" / f"keep-{keep}" / "checkpoints" / row["id"]
        assert {path.name for path in folder.glob("*")} == names
    assert lab.command("fsck", lab.folder / "runs" / f"keep-{keep}").returncode == 0
