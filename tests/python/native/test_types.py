# SPDX-License-Identifier: Apache-2.0
"""Programs of users under mypy --strict."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "python"
PROGRAM = """
import paribus
import torch


def train(net: torch.nn.Module) -> float:
    optimizer: torch.optim.Optimizer = paribus.optimizer.Lion(lr=1e-3).on(net.parameters())
    loss, metric = paribus.loss.Focal(gamma=2.0), paribus.metric.F1()
    for batch in paribus.Loader(paribus.dataset.Glyphs(), seed=1):
        value: torch.Tensor = loss(net(batch.input), batch.target)
        value.backward()  # type: ignore[no-untyped-call]  # torch has it so
        optimizer.step()
        metric.update(net(batch.input), batch.target)
    return metric.value() + paribus.schedule.OneCycle(max=0.1).at(0.5)


def watch(trainer: paribus.Trainer) -> dict[str, float]:
    for event in trainer:
        if event.name == "after_loss":
            event.fit.loss = event.fit.loss * 2
    return trainer.outcome.last


net: torch.nn.Module = paribus.model.Mlp().build(paribus.Data.vectors(3))
"""
# Of an installed package mypy would not ask for the stubs of what that imports.
INI = """
[mypy]
strict = true
[mypy-pandas,h5py]
ignore_missing_imports = true
"""
WRONG = """
import paribus

paribus.optimizer.Lion(lr="fast")
paribus.optimizer.Lion().of([])
paribus.loss.Focal()(1.0, 2.0)
for event in paribus.Trainer():
    event.fit.losss
"""


def mypy(place: Path, text: str) -> str:
    (place / "program.py").write_text(text)
    (place / "mypy.ini").write_text(INI)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "program.py"],
        capture_output=True,
        text=True,
        cwd=place,
        env={"MYPYPATH": str(PACKAGE)},
    )
    return done.stdout


def test_a_right_one_passes(place):
    assert mypy(place, PROGRAM) == "Success: no issues found in 1 source file\n"


def test_a_wrong_one_is_told_where(place):
    told = mypy(place, WRONG)
    for line, word in ((4, '"lr"'), (5, '"of"'), (6, "arg-type"), (8, '"losss"')):
        assert any(x.startswith(f"program.py:{line}:") and word in x for x in told.splitlines()), (
            told
        )
