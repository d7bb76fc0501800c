# SPDX-License-Identifier: Apache-2.0
"""The row `logging`: what a trial's call costs that records a scalar, beside the trackers that researchers use now."""

from dataclasses import dataclass

from figure import Figure, seconds_shown
from rows import Setting, one_thread, over, python, take_turns
from side import Side

POINTS = 10_000_000
# Not multiples of the buffers that the sides have; the second goes at 100 steps a second.
KILLED, PACED = 20_550, 2_550


@dataclass
class Log:
    """A side: its program, the points that it takes in some 20 s, what a call takes, when it syncs."""

    program: str
    points: int
    call: str
    synced: str


SIDES = {
    "Paribus": Log(
        "",
        POINTS,
        "one point",
        "made again by `paribus resume`; synced at each checkpoint and at the end",
    ),
    "wandb offline": Log("wandb_log.py", 400_000, "a step", "never synced"),
    "TensorBoard": Log("tensorboard_log.py", 400_000, "one point", "never synced"),
    "MLflow, SQLite": Log(
        "mlflow_log.py", 100_000, "a step", "synced with each 1,000 points, a transaction"
    ),
    "h5py": Log(
        "h5py_log.py", POINTS, "a step", "h5clear gives back what was flushed; synced at the end"
    ),
}
# Nobody is told of what happens here.
QUIET = {
    "WANDB_MODE": "offline",
    "WANDB_ERROR_REPORTING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def program(setting: Setting, log: Log) -> Side:
    if not log.program:
        return Side(setting.program("logging"), env=one_thread())
    return python(log.program, env={**one_thread(), **QUIET})


def fresh(setting: Setting, log: Log, points: int) -> dict:
    """A turn, in a process of its own. Paribus has one without clocks and one with: they are most of what it takes."""
    with program(setting, log) as side:
        got = side.run("run", points)
    if not log.program:
        with program(setting, log) as side:
            got |= side.run("calls", points)
    return got


def lost(setting: Setting, log: Log) -> tuple[int, int]:
    with program(setting, log) as side:
        return tuple(
            side.run(how, count)["lost"] for how, count in (("killed", KILLED), ("paced", PACED))
        )


def figures_of(name: str, log: Log, points: int, turns: list[dict], gone: tuple[int, int]):
    is_ours = not log.program
    memory = [turn["memory"] / 2**20 for turn in turns]
    helpers = turns[-1].get("helpers", 0) / 2**20
    return [
        Figure(
            f"{name}, {points:,} points",
            "M/s",
            [1e-6 / turn["seconds"] for turn in turns],
            bar=10 if is_ours else None,
            at_least=True,
            ours=f"{seconds_shown([turn['seconds'] for turn in turns])} a point",
            equal=all(turn["equal"] for turn in turns),
        ),
        Figure(
            f"{name}: p99 of a call, which takes {log.call}",
            "us",
            [1e6 * turn["call"] for turn in turns],
            bar=1 if is_ours else None,
            ours=f"of a step's ten points {seconds_shown([turn['step'] for turn in turns])}, "
            f"the slowest step {seconds_shown([turn['worst'] for turn in turns])}",
        ),
        Figure(
            f"{name}: memory that it grows by",
            "MiB",
            memory,
            ours=f"{helpers:.0f} MiB of it in helpers" if helpers else "",
        ),
        Figure(f"{name}: disk", "bytes a point", [turn["bytes"] / points for turn in turns]),
        Figure(
            f"{name}: lost to SIGKILL after {KILLED:,} points",
            "points",
            [gone[0]],
            ours=f"{gone[1]:,} of {PACED:,} at 100 steps a second; {log.synced}",
        ),
    ]


def logging(setting):
    """10 M scalars of ten series by a trial's call, beside wandb offline, TensorBoard, MLflow and h5py, the slow ones with fewer"""
    points = {name: setting.points or log.points for name, log in SIDES.items()}
    points = {name: count - count % 10 for name, count in points.items()}
    got = take_turns(
        setting.turns(3),
        *(
            lambda log=log, count=points[name]: fresh(setting, log, count)
            for name, log in SIDES.items()
        ),
    )
    sides = dict(zip(SIDES, got, strict=True))
    figures = []
    for name, turns in sides.items():
        gone = lost(setting, SIDES[name])
        figures += figures_of(name, SIDES[name], points[name], turns, gone)
    seconds = {name: [turn["seconds"] for turn in turns] for name, turns in sides.items()}
    figures += [
        over(f"time of a point over that of {name}", seconds["Paribus"], theirs)
        for name, theirs in seconds.items()
        if name != "Paribus"
    ]
    return figures


ROWS = {row.__name__: row for row in (logging,)}
