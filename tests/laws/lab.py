# SPDX-License-Identifier: Apache-2.0
"""Studies through the real command line and worker, and what came of them, bit by bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py

PARIBUS = os.environ["PARIBUS"]
FIXTURES = Path(os.environ["PARIBUS_LAWS"])

TIME = "seconds"  # the one column that is measured, not computed


class Lab:
    """A folder with studies; nothing of the user's own is seen from it."""

    def __init__(self, folder: Path, *plugins: str):
        self.folder = folder
        (folder / "data").mkdir(exist_ok=True)
        unwanted = ("PARIBUS_", "LD_PRELOAD", "OMP_", "MKL_")
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(unwanted)
        } | {
            "PARIBUS_PLUGINS": ":".join(str(FIXTURES / name) for name in plugins),
            "PARIBUS_DATA": str(folder / "data"),
            "PARIBUS_PYTHON": sys.executable,  # that of the tests has Optuna
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
        }

    def command(self, *words, **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PARIBUS, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment | environment,
            timeout=300,
        )

    def start(self, *words) -> subprocess.Popen:
        return subprocess.Popen(
            [PARIBUS, *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environment,
        )

    def answer(self, *words) -> str:
        """What a command says that has to succeed."""
        done = self.command(*words)
        assert done.returncode == 0, f"paribus {' '.join(map(str, words))}\n{done.stderr}"
        return done.stdout

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text)
        return file

    def run(self, study: Path, name: str, *words) -> "Results":
        """Runs a study, all of whose trials have to end well, in a directory of its own."""
        directory = self.folder / "runs" / name
        self.answer("run", study, "--dir", directory, "--quiet", *words)
        return self.results(directory)

    def results(self, directory: Path) -> "Results":
        return Results(directory, json.loads(self.answer("results", directory, "--json"))["rows"])


class Results:
    """The table and the series of a study's directory."""

    def __init__(self, directory: Path, rows: list[dict]):
        # Null: the trial doesn't have what stands in this column.
        self.rows = {
            (row["arm"], row["seed"]): {k: v for k, v in row.items() if k != TIME and v is not None}
            for row in rows
        }
        self.series = {}
        self.parts = {}  # of each trial, `kind/name`
        with h5py.File(directory / "results.h5") as sealed:
            for trial, text in sealed["configs"].items():
                self.parts[trial] = parts_in(json.loads(text[()]))
            for trial, group in sealed["series"].items():
                self.series[trial] = {name: points[:] for name, points in group.items()}
            self.shown = {trial: shown_of(sealed, trial) for trial in sealed["configs"]}

    def trial(self, arm: str, seed: int = 0) -> dict:
        """All numbers of a trial but how long it took. Series as bytes: NaN equals itself."""
        row = self.rows[arm, seed]
        is_whole = row["status"] == "done" and len(row["weights_sha256"]) == 64
        assert is_whole or row["status"] == "pruned", row
        series = {f"series {name}": p.tobytes() for name, p in self.series[row["id"]].items()}
        assert any(name.startswith("series valid.") for name in series), f"{arm}: no validation"
        return row | series

    def all(self) -> dict:
        """With what is more than numbers, which a part that is switched off may record all the same."""
        return {
            place: self.trial(*place) | self.shown[row["id"]] for place, row in self.rows.items()
        }


def shown_of(sealed: h5py.File, trial: str) -> dict[str, bytes]:
    """Histograms, pictures and tables, by name and step."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[f"{kind} {name}"] = item[:].tobytes()

    for kind in ("histograms", "pictures", "tables"):
        if group := sealed.get(f"{kind}/{trial}"):
            group.visititems(take)
    return found


def parts_in(config) -> set[str]:
    """Every part of a resolved configuration, however deep."""
    if isinstance(config, list):
        return set().union(*map(parts_in, config))
    if not isinstance(config, dict):
        return set()
    own = {f"{config['kind']}/{config['use']}"} if config.keys() >= {"kind", "use"} else set()
    return own.union(*map(parts_in, config.values()))


def differences(one: dict, other: dict) -> list[str]:
    """Names of the entries in which two trials, or two studies, differ."""
    missing = object()
    return sorted(
        str(name)
        for name in one.keys() | other.keys()
        if one.get(name, missing) != other.get(name, missing)
    )


def shipped(lab: Lab) -> dict[str, dict]:
    """Every part that the programs under test come with, by `kind/name`."""
    parts = json.loads(lab.answer("plugins", "--json"))["parts"]
    built_in = Path(PARIBUS).resolve().parent.parent / "lib" / "paribus" / "plugins"
    found = {
        f"{part['kind']}/{part['name']}": part
        for part in parts
        if built_in in Path(part["plugin"]).parents
    }
    assert len(found) > 20, f"only {sorted(found)} below {built_in}"
    return found
