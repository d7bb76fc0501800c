# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import pytest

OWN = Path(__file__).parent
sys.path.insert(0, str(OWN))


@dataclass
class Ran:
    """What `paribus run` made of a study."""

    status: int
    told: str  # stdout and stderr
    folder: Path

    def series(self) -> dict[tuple[str, int], dict[str, bytes]]:
        """Every point of every trial, by arm and seed."""
        with h5py.File(self.folder / "results.h5") as file:
            trials = file["trials"][:]
            names = [(row["id"].decode(), row["arm"].decode(), int(row["seed"])) for row in trials]
            return {
                (arm, seed): {
                    name: points[:].tobytes() for name, points in file["series"][id].items()
                }
                for id, arm, seed in names
            }

    def weights(self) -> dict[tuple[str, int], bytes]:
        """The bytes of the final weights, which name no path."""
        with h5py.File(self.folder / "results.h5") as file:
            return {
                (row["arm"].decode(), int(row["seed"])): (
                    self.folder / "checkpoints" / row["id"].decode() / "final.safetensors"
                ).read_bytes()
                for row in file["trials"][:]
            }

    def ids(self) -> set[str]:
        return {log.stem for log in (self.folder / "journal").glob("*.log")} - {"study", "system"}


class Bench:
    """A folder with parts.py, in which studies run."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copy(OWN / "parts.py", folder / "parts.py")

    def write(self, text: str, name: str = "study") -> Path:
        file = self.folder / f"{name}.toml"
        file.write_text(text)
        return file

    def call(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [os.environ["PARIBUS_PROGRAM"], *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | environment,
        )

    def check(self, text: str, **environment: str) -> str:
        """What is wrong with a study; it must be wrong."""
        done = self.call("check", self.write(text).name, **environment)
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stderr

    def run(self, text: str, name: str = "study", **environment: str) -> Ran:
        done = self.call("run", self.write(text, name).name, "--dir", f"runs/{name}", **environment)
        return Ran(done.returncode, done.stdout + done.stderr, self.folder / "runs" / name)


@pytest.fixture
def bench(place):
    return Bench(place)
