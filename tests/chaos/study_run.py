# SPDX-License-Identifier: Apache-2.0
"""A study that is run, disturbed, resumed and looked at through the programs that ship."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import processes

TIME = "seconds"  # the one column that is measured, not computed


class Wrong(AssertionError):
    """A promise that was not kept."""


@dataclass
class Place:
    """Where studies run: the programs, a folder that all their files are under, and the mark that their processes bear."""

    build: Path
    folder: Path
    mark: str

    def __post_init__(self):
        self.paribus = self.build / "bin" / "paribus"
        if not self.paribus.exists():
            raise FileNotFoundError(f"no {self.paribus}; build it, or name the build with --build")
        unwanted = ("PARIBUS_", "LD_PRELOAD", "OMP_", "MKL_")
        own = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        for name in ("data", "temporary"):
            (self.folder / name).mkdir(exist_ok=True)
        self.environment = own | {
            processes.MARK: self.mark,
            "PARIBUS_DATA": str(self.folder / "data"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "temporary"),
            "LC_ALL": "C.UTF-8",
        }

    def start(self, *words, errors=subprocess.DEVNULL) -> subprocess.Popen:
        return subprocess.Popen(
            [self.paribus, *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=self.folder,
            env=self.environment,
        )

    def command(self, *words) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [self.paribus, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=120,
        )
        if done.returncode not in (0, 1, 2):
            raise Wrong(f"paribus {words[0]} ended with {done.returncode}: {done.stderr}")
        return done

    def answer(self, *words) -> str:
        done = self.command(*words)
        if done.returncode != 0:
            raise Wrong(f"paribus {' '.join(map(str, words))}: {done.stderr or done.stdout}")
        return done.stdout


class StudyRun:
    """One directory of a study, with a driver or without."""

    def __init__(self, place: Place, study: Path, directory: Path, overrides: list[str]):
        self.place, self.study, self.directory = place, study, directory
        self.overrides = [word for override in overrides for word in ("-s", override)]
        self.errors = place.folder / f"{directory.name}.txt"
        self.driver: subprocess.Popen | None = None
        self.sessions: set[int] = set()
        self.began = 0.0

    def start(self, at_once: int):
        """`resume` wherever there is something to resume, as a user would."""
        words = ["run", self.study, "--dir", self.directory, *self.overrides]
        if (self.directory / "study.toml").exists():
            words = ["resume", self.directory]
        with open(self.errors, "w") as errors:
            self.driver = self.place.start(*words, "-q", "-j", at_once, errors=errors)
        self.began = time.monotonic()

    def runs(self) -> bool:
        return self.driver is not None and self.driver.poll() is None

    def roles(self) -> dict[str, list[processes.Process]]:
        roles = processes.by_role(processes.living(self.place.mark))
        self.sessions |= {one.session for one in roles["zygote"]}
        return roles

    def wait(self, seconds: float) -> int:
        """Until the driver has ended."""
        try:
            return self.driver.wait(seconds)
        except subprocess.TimeoutExpired:
            living = "\n  ".join(map(str, processes.living(self.place.mark, self.sessions)))
            raise Wrong(f"nothing ended for {seconds:.0f} s; these live:\n  {living}") from None

    def said(self) -> str:
        return self.errors.read_text(errors="replace").strip()

    def kill_all(self):
        for process in processes.living(self.place.mark, self.sessions):
            processes.strike(process.pid, signal.SIGKILL)
        if self.driver:
            self.driver.wait(10)

    def rows(self) -> list[dict]:
        return json.loads(self.place.answer("results", self.directory, "--json"))["rows"]

    def outcome(self) -> "Outcome":
        return Outcome.of(self)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Outcome:
    """What a finished study consists of: all that may not depend on what happened to it."""

    table: str  # CSV without the column of time
    numbers: dict[str, str]  # of each trial, all series as sums
    weights: dict[str, str]  # sums of the files, and those that the table tells
    files: set[str]

    @staticmethod
    def of(run: StudyRun) -> "Outcome":
        directory = run.directory
        told = {row["id"]: row["weights_sha256"] for row in run.rows()}
        weights = {
            str(file.relative_to(directory)): sha256(file.read_bytes())
            for file in sorted(directory.glob("checkpoints/**/*.safetensors"))
        }
        weights |= {f"told of {trial}": told[trial] for trial in told}
        files = {
            str(file.relative_to(directory)) for file in directory.rglob("*") if not file.is_dir()
        }
        return Outcome(table_of(run), series_of(directory), weights, files)

    def differences(self, other: "Outcome") -> list[str]:
        """From `other`, the undisturbed one."""
        said = []
        if self.table != other.table:
            said.append(f"the table differs:\n{self.table}\nexpected\n{other.table}")
        for what, ours, theirs in (
            ("series of", self.numbers, other.numbers),
            ("weights", self.weights, other.weights),
        ):
            said += [
                f"{what} {name} differ"
                for name in sorted(ours.keys() | theirs.keys())
                if ours.get(name) != theirs.get(name)
            ]
        said += [f"left behind: {name}" for name in sorted(self.files - other.files)]
        said += [f"missing: {name}" for name in sorted(other.files - self.files)]
        return said


def table_of(run: StudyRun) -> str:
    lines = run.place.answer("results", run.directory, "--format", "csv").splitlines()
    names = lines[0].split(",")
    if TIME not in names:
        raise Wrong(f"no column '{TIME}' in: {lines[0]}")
    kept = [i for i, name in enumerate(names) if name != TIME]
    return "\n".join(",".join(line.split(",")[i] for i in kept) for line in lines)


def series_of(directory: Path) -> dict[str, str]:
    import h5py

    with h5py.File(directory / "results.h5") as sealed:
        return {
            f"{trial}/{name}": sha256(points[:].tobytes())
            for trial, group in sealed["series"].items()
            for name, points in group.items()
        }
