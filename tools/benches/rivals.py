# SPDX-License-Identifier: Apache-2.0
"""Rows about whole studies: many trials that do nothing, beside the programs that researchers use now; and a start."""

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from figure import Figure, seconds_shown
from marks import Marks, resident
from rows import HERE, Setting, note, one_thread, over, take_turns, timed, walls

TRIALS, RAY_TRIALS = 1000, 50  # Ray starts a Python for each
REQUIREMENTS = HERE / "requirements-rivals.txt"

STUDY = """\
study = {{ threads = 1 }}
model = "mlp"
data = {{ use = "glyphs", items = {items}, valid_items = 64, transforms = ["normalize"] }}
train = {{ epochs = 1, device = "cpu", precision = "fp32", checkpoint_seconds = {pause} }}
"""


def rivals_python(requirements: Path = REQUIREMENTS, beside_ours: bool = False) -> Path:
    """An environment of their own in the user's cache, made once for each list of versions; `beside_ours`: it sees what
    ours has, and the list is complete."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paribus"
    folder = home / f"rivals-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        note(f"installing {requirements.name} into {folder} ...")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--requirement", requirements]
        if beside_ours:
            (site,) = folder.glob("lib/python*/site-packages")
            (site / "ours.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
            pip.append("--no-deps")
        subprocess.run(pip, check=True, capture_output=True, text=True)
        ready.touch()
    return python


def paribus_trials(setting: Setting, count: int, at_once: int) -> dict:
    """`paribus run` of a sweep, watched from outside by its journals."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        rates = ", ".join(f"{(i + 1) / 10_000:.4f}" for i in range(count))
        study = STUDY.format(items=64, pause=30) + f'[sweep]\n"optimizer.lr" = [{rates}]\n'
        (folder / "study.toml").write_text(study)
        command = [setting.build / "bin" / "paribus"]
        run = [*command, "run", "study.toml", "-q", "--dir", "out", "-j", str(at_once)]
        driver = subprocess.Popen(run, cwd=folder, stdout=subprocess.DEVNULL, env=one_thread())
        journals, marks = folder / "out" / "journal", Marks(count)
        while driver.poll() is None:
            begun = len(os.listdir(journals)) - 1 if journals.exists() else 0
            marks.ended(begun, lambda: resident(driver.pid))
            time.sleep(0.01)
        if driver.returncode != 0:
            raise RuntimeError(f"paribus run ended with {driver.returncode}")
        told = [*command, "results", "out", "--json", "--where", "status = done"]
        rows = json.loads(subprocess.run(told, cwd=folder, check=True, capture_output=True).stdout)
        return marks.as_json(len(rows["rows"]) == count)


def rival_trials(python: Path, script: str, *words) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, HERE / script, *map(str, words), folder],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
            env={**one_thread(), "TMPDIR": folder, "HYDRA_FULL_ERROR": "1"},
        )
        return json.loads(done.stdout)


# Name; what it promises of a trial; whether two run at once.
OWN, SHARED = "own process", "in the driver's process"
SIDES = {
    "Paribus, -j 1": (OWN, "synced to disk", False),
    "Paribus, -j 2": (OWN, "synced to disk", True),
    "Optuna, in process": (SHARED, "synced to disk", False),
    "Optuna, two workers": ("two processes for all", "synced to disk", True),
    "Optuna, a process a trial": (OWN, "synced to disk", False),
    "Hydra, basic launcher": (SHARED, "not synced", False),
    "Ray Tune, two CPUs": (OWN, "not synced", True),
}


def rivals(setting):
    """1,000 trials that do next to nothing (Ray: 50), beside Optuna, Hydra and Ray Tune; the driver's memory"""
    python = rivals_python()
    got = take_turns(
        setting.turns(3),
        lambda: paribus_trials(setting, TRIALS, 1),
        lambda: paribus_trials(setting, TRIALS, 2),
        lambda: rival_trials(python, "rival_optuna.py", "in_process", TRIALS),
        lambda: rival_trials(python, "rival_optuna.py", "workers", TRIALS),
        lambda: rival_trials(python, "rival_optuna.py", "processes", TRIALS),
        lambda: rival_trials(python, "rival_hydra.py", TRIALS),
        lambda: rival_trials(python, "rival_ray.py", RAY_TRIALS),
    )
    sides = dict(zip(SIDES, got, strict=True))
    figures = []
    for name, turns in sides.items():
        figures += side_figures(name, turns)
    for name, turns in sides.items():
        at_once = SIDES[name][2]
        ours = sides["Paribus, -j 2" if at_once else "Paribus, -j 1"]
        if turns is not ours:
            seconds = [[turn["seconds"] for turn in side] for side in (ours, turns)]
            figures.append(over(f"time of a trial over {name}", *seconds))
    return figures


def side_figures(name: str, turns: list[dict]) -> list[Figure]:
    process, durable, _ = SIDES[name]
    is_ours = name.startswith("Paribus")
    early, late = turns[0]["counts"]
    return [
        Figure(
            name,
            "ms",
            [1e3 * turn["seconds"] for turn in turns],
            bar=10 if is_ours else None,
            ours=f"{process}, {durable}",
            equal=all(turn["recorded"] for turn in turns),
        ),
        Figure(
            f"{name}: driver's memory, {late} trials over {early}",
            "x",
            [turn["late"] / turn["early"] for turn in turns],
            bar=1.05 if is_ours else None,
            ours=f"{turns[-1]['early'] / 2**20:.0f} to {turns[-1]['late'] / 2**20:.0f} MiB",
        ),
    ]


def seconds_to_first_step(setting: Setting) -> float:
    """From the command to the first step's record on disk, which a checkpoint after each step sees to."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "study.toml").write_text(STUDY.format(items=640, pause=0))
        command = [setting.build / "bin" / "paribus", "run", "study.toml", "-q", "--dir", "out"]
        begin = time.perf_counter()
        driver = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        seconds = None
        while seconds is None and driver.poll() is None:
            if any(b'"checkpoint"' in f.read_bytes() for f in folder.glob("out/journal/[!s]*.log")):
                seconds = time.perf_counter() - begin
            time.sleep(0.001)
        if driver.wait() != 0 or seconds is None:
            raise RuntimeError(f"paribus run ended with {driver.returncode}, or no step was seen")
        return seconds


def start(setting):
    """`paribus run` to the first step on disk, checks and all, over a Python that imports torch"""
    ours, rival = take_turns(
        setting.turns(9),
        lambda: seconds_to_first_step(setting),
        lambda: timed([sys.executable, "-c", "import torch"]),
    )
    return [
        Figure("to the first step", "s", ours, rival=seconds_shown(walls(rival))),
        over("over `import torch`", ours, walls(rival)),
    ]


ROWS = {row.__name__: row for row in (rivals, start)}
