# SPDX-License-Identifier: Apache-2.0
"""What the machine and the trials use, from real processes to results.h5; and a study that minds nothing of it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import h5py
import pytest

PARIBUS = Path(os.environ["PARIBUS"])
SYSTEM = PARIBUS.parent / "paribus-system"
LIMIT = 120  # s until what has to come has come, on whatever machine

STUDY = """\
model = "mlp"
data = { use = "glyphs", limit = 300, valid_limit = 100 }
train = { epochs = EPOCHS }
study = { seeds = 2, threads = 1, system = 1 }
"""


class Place:
    """A folder with a study; nothing of the user's own is seen from it."""

    def __init__(self, folder: Path):
        self.folder, self.directory = folder, folder / "run"
        self.log = self.directory / "journal" / "system.log"
        self.environment = os.environ | {
            "LC_ALL": "C.UTF-8",
            "XDG_DATA_HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "LD_LIBRARY_PATH": os.environ["PARIBUS_NVML"],
            "SYSTEM_TEST": str(folder),
        }

    def write(self, epochs: int) -> Path:
        study = self.folder / "study.toml"
        study.write_text(STUDY.replace("EPOCHS", str(epochs)))
        return study

    def paribus(self, *words, **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PARIBUS, *map(str, words)],
            capture_output=True,
            text=True,
            env=self.environment | environment,
            timeout=LIMIT,
        )

    def run(self, epochs: int, *words, **environment) -> subprocess.CompletedProcess:
        return self.paribus(
            "run", self.write(epochs), "--dir", self.directory, *words, **environment
        )

    def start(self, *words) -> subprocess.Popen:
        return subprocess.Popen(
            [PARIBUS, *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )

    def samplers(self) -> list[int]:
        """Those of this test."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text().strip() != "paribus-system":
                    continue
                if f"SYSTEM_TEST={self.folder}" in (process / "environ").read_text():
                    found.append(int(process.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def has(self, *texts: str) -> bool:
        bytes_now = self.log.read_bytes() if self.log.exists() else b""
        return all(text.encode() in bytes_now for text in texts)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def wait_for(what):
    deadline = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def interrupted(place, *words, until):
    """Runs until something is on file, then as after Ctrl-C."""
    running = place.start(*words)
    try:
        wait_for(lambda: running.poll() is not None or until())
        assert running.poll() is None, "it ended by itself"
        running.send_signal(signal.SIGINT)
        assert running.wait(LIMIT) == 130
    finally:
        running.kill()
        running.wait()
    assert place.paribus("seal", place.directory).returncode == 0


def trials(place) -> list[str]:
    rows = json.loads(place.paribus("results", place.directory, "--json").stdout)["rows"]
    return [row["id"] for row in rows]


def test_a_study_that_is_stopped_and_goes_on(place):
    """All there is, and no series begins anew."""
    names = []

    def sampled():
        names[:] = [log.stem for log in place.log.parent.glob("[0-9a-f]*.log")]
        return len(names) == 2 and place.has(*(f"trials/{name}/cpu" for name in names))

    study = place.write(100_000)
    interrupted(place, "run", study, "--dir", place.directory, "-j", 2, until=sampled)
    assert place.samplers() == []
    with h5py.File(place.directory / "results.h5") as file:
        system = file["system"]
        first = {name: one[:] for name, one in system.items() if name != "trials"}
        began = system.attrs["started"]
        gpus = json.loads(system.attrs["gpus"])
        assert sorted(system["trials"]) == sorted(trials(place)) == sorted(names)
        for name in names:
            use = system["trials"][name]
            assert {"cpu", "memory"} <= set(use)
            assert use["cpu"].attrs["unit"] == "%" and use["memory"].attrs["unit"] == "B"
            assert (use["memory"]["value"] > 1e7).all()  # LibTorch alone is more
            assert (use["cpu"]["value"] >= 0).all()
            environment = json.loads(file["environments"][name][()])
            assert environment["threads"] == 1 and environment["libtorch"]
            assert environment["time"] and environment["facts"]["device"] == "cpu"
        machine = json.loads(file["environment"][()])["machine"]
    assert abs(began - time.time()) < 2 * LIMIT
    assert {"cpu", "memory", "load", "disk.free"} <= set(first)
    assert (first["cpu"]["value"] <= 100).all()
    assert first["gpu.0.utilization"]["value"][0] == 37
    assert first["gpu.0.power"]["value"][0] == 123.456
    assert first["gpu.1.memory"]["value"][0] == 4 << 30
    assert first["gpu.1.temperature"]["value"][0] == 61
    assert "gpu.1.power" not in first  # it can't tell
    assert gpus["driver"] == "555.0" and gpus["devices"][1]["name"] == "Made-up B"
    assert machine["host"] == os.uname().nodename and machine["cores"] == os.cpu_count()
    assert machine["memory"] > 1e8 and machine["kernel"].startswith("Linux ")

    size = place.log.stat().st_size
    interrupted(
        place,
        "resume",
        place.directory,
        until=lambda: place.log.stat().st_size > size + 300,
    )
    with h5py.File(place.directory / "results.h5") as file:
        again = {name: one[:] for name, one in file["system"].items() if name != "trials"}
        assert file["system"].attrs["started"] == began
    for name, before in first.items():
        now = again[name]
        assert (now[: len(before)] == before).all(), name
        assert all(later > earlier for earlier, later in zip(now["time"], now["time"][1:]))
    assert len(again["load"]) > len(first["load"])
    for sum_of in ("network.sent", "disk.written"):
        if sum_of in again:
            values = list(again[sum_of]["value"])
            assert values == sorted(values), f"{sum_of} began anew"


def test_a_short_study_has_its_first_and_its_last_sample(place):
    done = place.run(1, "-q")
    assert (done.returncode, "system" in done.stderr) == (0, False), done.stderr
    with h5py.File(place.directory / "results.h5") as file:
        # On a busy machine both may be taken at its end, within a tick of the clock that `cpu` wants.
        assert len(file["system/load"]) >= 2 and len(file["system/memory"]) >= 2
    assert place.paribus("fsck", place.directory).returncode == 0
    # Nobody takes the log for a trial's.
    for words in (("status", "--json"), ("results", "--json"), ("watch", "--json")):
        done = place.paribus(words[0], place.directory, *words[1:])
        assert done.returncode == 0 and '"system"' not in done.stdout, words
    assert place.paribus("watch", place.directory, "--once").returncode == 0
    assert place.paribus("report", place.directory).returncode == 0
    assert place.paribus("verify", place.directory).returncode == 0


def test_nothing_where_nothing_is_asked_for(place):
    assert place.run(1, "-q", "-s", "study.system=0").returncode == 0
    assert not place.log.exists()
    with h5py.File(place.directory / "results.h5") as file:
        assert "system" not in file
    done = place.paribus("check", place.write(1), "-s", "study.system=-1")
    assert done.returncode == 2 and "system" in done.stderr


def broken(kind: str, folder: Path) -> dict:
    """An environment, or a file in the way."""
    program = folder / "program"
    scripts = {
        "dies": "kill -9 $$",
        "hangs": "exec sleep 1000",
        "floods": "exec yes",
        "full disk": f"ulimit -f 0; exec {SYSTEM}",
    }
    if kind == "is missing":
        return {"PARIBUS_SYSTEM": str(folder / "nowhere")}
    if kind == "has no file":
        (folder / "run" / "journal" / "system.log").mkdir(parents=True)
        return {}
    program.write_text(f"#!/bin/sh\n{scripts[kind]}\n")
    program.chmod(0o755)
    return {"PARIBUS_SYSTEM": str(program)}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("is missing", "no program at "),
        ("dies", "their process was ended by signal 9"),
        ("hangs", "their process hung, and was ended"),
        ("floods", "y"),
        ("full disk", "can't write"),
        ("has no file", "system.log"),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_no_trial_minds(place, kind, said):
    done = place.run(1, **broken(kind, place.folder))
    assert done.returncode == 0, done.stderr
    (line,) = [one for one in done.stderr.splitlines() if "system metrics: " in one]
    assert said in line and "the trials are none the worse for it" in line
    assert place.paribus("status", place.directory).returncode == 0
    rows = json.loads(place.paribus("results", place.directory, "--json").stdout)["rows"]
    assert [row["status"] for row in rows] == ["done", "done"]


@pytest.mark.parametrize("damage", [b"", b"par", b"something else, not a journal"])
def test_a_log_that_was_cut_or_is_another_file(place, damage):
    assert place.run(1, "-q").returncode == 0
    place.log.write_bytes(damage)
    assert place.paribus("seal", place.directory).returncode == 0
    assert place.paribus("status", place.directory).returncode == 0
    done = place.run(1, "-s", "train.epochs=2")
    assert done.returncode == 0, done.stderr
    with h5py.File(place.directory / "results.h5") as file:
        assert ("system" in file) == (len(damage) < 8)


def test_it_dies_with_its_driver(place):
    running = place.start("run", place.write(100_000), "--dir", place.directory)
    try:
        wait_for(place.samplers)
        wait_for(place.log.exists)
    finally:
        running.kill()
        running.wait()
    wait_for(lambda: place.samplers() == [])
