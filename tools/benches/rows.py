# SPDX-License-Identifier: Apache-2.0
"""The rows: each lets both sides take turns and returns its figures."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from figure import Figure, seconds_shown
from null import null
from side import Side

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass
class Setting:
    build: Path
    repeats: int | None  # turns of each side; None: what suits the row
    points: int | None = None  # of each side of `logging`

    def turns(self, usual):
        return self.repeats or usual

    def program(self, name):
        path = self.build / "benches" / f"bench_{name}"
        if not path.exists():
            raise FileNotFoundError(
                f"no {path}; build it: cmake --build {self.build} --target benches"
            )
        return path


def note(text):
    print(text, file=sys.stderr, flush=True)


def one_thread():
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def python(script, *words, env=None):
    return Side(sys.executable, HERE / script, *words, env=env)


def ratios(ours, rival):
    return [a / b for a, b in zip(ours, rival, strict=True)]


def timed(command, **options):
    """(wall seconds, CPU seconds) of a program and its children."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, text=True, **options)
    wall, after = time.perf_counter() - start, os.times()
    spent = after.children_user + after.children_system
    return wall, spent - before.children_user - before.children_system


def walls(got):
    return [wall for wall, _ in got]


def cpus(got):
    return [cpu for _, cpu in got]


def over(name, ours, rival):
    return Figure(
        name, "x", ratios(ours, rival), ours=seconds_shown(ours), rival=seconds_shown(rival)
    )


def take_turns(turns, *acts):
    """Results of each act, called in turn: A B A B ..."""
    results = [[] for _ in acts]
    for _ in range(turns):
        for act, kept in zip(acts, results, strict=True):
            kept.append(act())
    return results


def step(setting):
    """784-64-10 MLP, batch 64, one thread: the trainer's steps, journal and all, over a raw LibTorch loop's"""
    figures = []
    for variant, name in (
        ("in_line", "batches made in line on both sides"),
        ("loader_thread", "the trainer's with its default loader thread"),
    ):
        with Side(setting.program("step"), env=one_thread()) as side:
            got = side.run(variant, setting.turns(16))
        for clock, ours, rival in (
            ("CPU", "ours_cpu", "rival_cpu"),
            ("wall", "ours", "rival"),
        ):
            percent = [100 * (ratio - 1) for ratio in ratios(got[ours], got[rival])]
            decides = variant == "in_line" and clock == "CPU"
            figures.append(
                Figure(
                    f"{clock} time, {name}",
                    "%",
                    percent,
                    bar=1 if decides else None,
                    ours=seconds_shown(got[ours]),
                    rival=seconds_shown(got[rival]),
                    equal=got["equal"],
                )
            )
    return figures


def trial(setting):
    """one step, one validation, journal and weights synced to disk, in a process of its own"""
    figures = []
    with (
        Side(setting.program("trial"), env=one_thread()) as side,
        tempfile.TemporaryDirectory() as folder,
    ):
        side.run("one_by_one", 5)
        one, two, rival = take_turns(
            setting.turns(9),
            lambda: side.run("one_by_one", 20),
            lambda: side.run("two_at_once", 20),
            lambda: timed([sys.executable, HERE / "torch_trial.py", folder]),
        )
    for name, got in (("one by one", one), ("two at once", two)):
        seconds = [each["seconds"] for each in got]
        equal = all(each["recorded"] for each in got)
        figures.append(
            Figure(f"CPU time of a trial, {name}", "ms", [1e3 * each["cpu"] for each in got])
        )
        figures.append(
            Figure(f"a trial, {name}", "ms", [1e3 * s for s in seconds], bar=10, equal=equal)
        )
        figures.append(over(f"{name}, over a Python program for each", seconds, walls(rival)))
    return figures


def log(setting):
    """10 series into a durable journal, over h5py with a buffer of 100 rows"""
    with Side(setting.program("journal")) as side, python("h5py_log.py") as h5py:
        ours, rival, p99 = take_turns(
            setting.turns(7),
            lambda: side.run("throughput", 200_000),
            lambda: h5py.run("throughput", 20_000),
            lambda: side.run("p99", 1_000_000),
        )
    seconds = [each["seconds"] for each in ours]
    theirs = [each["seconds"] for each in rival]
    equal = all(each["equal"] for each in ours + rival)
    return [
        Figure(
            "scalars a second",
            "M/s",
            [1e-6 / s for s in seconds],
            bar=10,
            at_least=True,
            equal=equal,
        ),
        Figure(
            "p99 of a call, the clock's cost included",
            "us",
            [1e6 * each["seconds"] for each in p99],
            bar=1,
        ),
        over("time a scalar over h5py's", seconds, theirs),
    ]


def optimizer(setting):
    """step() on ready gradients, one thread, over torch.optim(fused=True) from Python, bit for bit; formulas over foreach"""
    figures = []
    counts = {"resnet18": 4, "200x1000": 60, "mlp": 600}
    with (
        Side(setting.program("optimizer"), 1, env=one_thread()) as side,
        python("torch_optimizer.py", 1, env=one_thread()) as torch,
    ):
        fused = ("sgd", "adamw", "lookahead")
        for name in (*fused, "radam", "rmsprop", "lion"):
            for weights, count in counts.items():
                variant = f"{name}/{weights}"
                ours, rival = take_turns(
                    setting.turns(15),
                    lambda variant=variant, count=count: side.run(variant, count),
                    lambda variant=variant, count=count: torch.run(variant, count),
                )
                seconds = [each["seconds"] for each in ours]
                theirs = [each["seconds"] for each in rival]
                figures.append(
                    Figure(
                        variant,
                        "x",
                        ratios(seconds, theirs),
                        bar=1,
                        ours=seconds_shown(seconds),
                        rival=seconds_shown(theirs),
                        equal=[each["check"] for each in ours] == [each["check"] for each in rival]
                        if name in fused
                        else None,
                    )
                )
    return figures


def images(setting):
    """28 x 28 bytes in memory, cropped, mirrored, normalized: images a second over a per-item NumPy DataLoader's"""
    items, figures = 60_000, []
    with (
        Side(setting.program("images"), items, env=one_thread()) as side,
        python("torch_images.py", items // 6, env=one_thread()) as torch,
    ):
        for variant, name in (
            ("in_line", "one thread, no worker"),
            ("one_worker", "one loader thread / one worker process"),
            ("two_workers", "two loader threads / two worker processes"),
        ):
            ours, rival = take_turns(
                setting.turns(7),
                lambda variant=variant: side.run(variant, 1),
                lambda variant=variant: torch.run(variant, 1),
            )
            seconds = [each["seconds"] for each in ours]
            theirs = [each["seconds"] for each in rival]
            figures.append(
                Figure(
                    name,
                    "x",
                    ratios(theirs, seconds),
                    bar=10,
                    at_least=True,
                    ours=f"{seconds_shown(seconds)} an image",
                    rival=seconds_shown(theirs),
                )
            )
    return figures


STUDY = """
model = "mlp"
[data]
use = "glyphs"
items = 640
valid_items = 64
transforms = ["normalize"]
[study]
seeds = 1
[sweep]
"optimizer.lr" = [{rates}]
"""


def check(setting):
    """`paribus check` of a study of 1,000 trials, the whole program, over a Python that imports torch"""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.toml"
        study.write_text(STUDY.format(rates=", ".join(f"{i / 1000:.3f}" for i in range(1, 1001))))

        ours, rival = take_turns(
            setting.turns(7),
            lambda: timed([setting.build / "bin" / "paribus", "check", study], cwd=folder),
            lambda: timed([sys.executable, "-c", "import torch"]),
        )
    return [
        Figure("wall time", "s", walls(ours), bar=1),
        Figure("CPU time", "s", cpus(ours)),
        over("wall time over `import torch`", walls(ours), walls(rival)),
    ]


MANY = """
model = "mlp"
data = {{ use = "glyphs", items = 640, valid_items = 64, transforms = ["normalize"] }}
[study]
question = "Which rate and which momentum?"
seeds = 1
[schedule]
"optimizer.lr" = "one_cycle"
[sweep]
"schedule.optimizer.lr.max" = {{ log = [0.001, 1.0], n = {rates} }}
"optimizer.momentum" = {{ range = [0.0, 0.99], n = {momenta} }}
"""


def watched(command):
    """Wall seconds of a program from its start to the end of its output, its peak memory in MiB, and that output."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        output = program.stdout.read()
        wall = time.perf_counter() - start
        complaint = program.stderr.read()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode != 0:
        raise subprocess.CalledProcessError(program.returncode, command, output, complaint.decode())
    return wall, usage.ru_maxrss / 1024, output.decode()


def many(setting):
    """a study of 100,000 trials, all but some hundred done, its journals on disk: whole programs, from start to output"""
    paribus, figures = setting.build / "bin" / "paribus", []
    rates, momenta = 400, 250
    with tempfile.TemporaryDirectory() as folder:
        study, directory = Path(folder) / "study.toml", Path(folder) / "runs"
        study.write_text(MANY.format(rates=rates, momenta=momenta))
        made = json.loads(
            subprocess.run(
                [setting.program("many"), study, directory],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "PARIBUS_WORKER": str(setting.build / "bin/paribus-worker")},
            ).stdout
        )
        figures.append(
            Figure("memory that plans and logs them", "MiB", [made["peak_mb"]], bar=1024)
        )

        def figure(name, *words, turns, bar=None, unit="ms"):
            got = [watched([paribus, *words]) for _ in range(turns)]
            scale = {"ms": 1e3, "s": 1}[unit]
            figures.append(Figure(name, unit, [scale * wall for wall, _, _ in got], bar=bar))
            figures.append(
                Figure(f"{name}: memory", "MiB", [memory for _, memory, _ in got], bar=1024)
            )
            return got[-1][2]

        figure("check", "check", study, turns=setting.turns(3), bar=10, unit="s")
        figure("status, the first time: all of the log is read", "status", directory, turns=1)
        time.sleep(2.5)  # journals that changed just now are looked at again
        watched([paribus, "status", directory])
        status = figure("status", "status", directory, turns=setting.turns(15), bar=50)
        where = "valid.accuracy > 0.8999 and optimizer.momentum < 0.5"
        query = ["results", directory, "--where", where]
        rows = figure("a query", *query, turns=setting.turns(15), bar=50)
        (directory / "trials.cache").unlink()
        again = watched([paribus, "status", directory])[2], watched([paribus, *query])[2]
        for one in figures[-4:]:
            one.equal = again == (status, rows)
        figure("seal", "seal", directory, turns=1, unit="s")
        size = (directory / "results.h5").stat().st_size / 2**20
        figures[-2].ours = f"{size:.0f} MiB of results.h5"
    return figures


RIVAL_PART = """
#include <torch/torch.h>
struct Scaled : torch::optim::SGD {
  using torch::optim::SGD::SGD;
  torch::Tensor step(LossClosure closure = nullptr) override { return torch::optim::SGD::step(closure); }
};
extern "C" torch::optim::Optimizer* make(std::vector<torch::Tensor> weights) {
  return new Scaled(std::move(weights), torch::optim::SGDOptions(0.1));
}
"""


def build(setting):
    """one optimizer part compiled and linked, without ccache, over an optimizer written against torch/torch.h"""
    target = "lib/paribus/plugins/optimizer_lookahead.so"
    listed = subprocess.run(
        ["ninja", "-C", setting.build, "-t", "commands", target],
        check=True,
        capture_output=True,
        text=True,
    )
    compile_and_link = [
        line for line in listed.stdout.splitlines() if "optimizer_lookahead" in line
    ]
    env = {**os.environ, "CCACHE_DISABLE": "1"}

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "part.cpp"
        source.write_text(RIVAL_PART)
        torch = (
            Path(next(iter((ROOT / ".venv" / "lib").glob("python3*"))))
            / "site-packages"
            / "torch"
            / "include"
        )
        command = f"c++ -O3 -std=c++20 -fPIC -isystem {torch} -isystem {torch}/torch/csrc/api/include -shared -o part.so {source}"
        ours, rival = take_turns(
            setting.turns(3),
            lambda: timed(" && ".join(compile_and_link), shell=True, cwd=setting.build, env=env),
            lambda: timed(command, shell=True, cwd=folder),
        )
    return [
        Figure("CPU time, which is the wall time on a free core", "s", cpus(ours), bar=6),
        Figure("wall time", "s", walls(ours)),
        over("CPU time over torch/torch.h", cpus(ours), cpus(rival)),
    ]


ROWS = {
    row.__name__: row for row in (step, trial, log, optimizer, images, check, many, build, null)
}
