# SPDX-License-Identifier: Apache-2.0
"""Tables that callbacks in Python record, and what is said of models and data that are no use to interpret."""

import math

import h5py
import numpy

OWN = """
import numpy
import torch
from paribus.part import Callback, Dataset


class Tells(Callback):
    reads = ("outputs",)

    def before_validate(self, fit):
        self.items = []

    def after_valid_batch(self, fit):
        assert not fit.output.requires_grad and fit.loss.numel() == 1
        self.items += fit.batch.items

    def after_validate(self, fit):
        count = len(self.items)
        fit.table("told", {
            "whole": self.items,
            "number": torch.arange(count) / 2,
            "array": numpy.full(count, float("nan")),
            "text": [f"<{item}> \\u00e9" for item in self.items],
        })
        fit.table("none", {"a": []})


class Mixes(Callback):
    def after_validate(self, fit):
        fit.table("mixed", {"a": [1, "two"]})


class Differs(Callback):
    def after_validate(self, fit):
        fit.table("uneven", {"a": [1], "b": [1, 2]})


class Holes(torch.nn.Module):
    '''Of every third item it says nothing.'''

    def __init__(self, data):
        super().__init__()
        self.line = torch.nn.Linear(784, data.classes)

    def forward(self, x):
        y = self.line(x.flatten(1))
        if not self.training:
            y = y.clone()
            y[::3] = float("nan")
        return y


class Line(Dataset):
    def train(self):
        x = numpy.ones((40, 3), "f")
        return x, x[:, :1]

    valid = train
"""

STUDY = """\
study = { threads = 1 }
model = { use = "mlp", hidden = [4] }
data = { use = "glyphs", items = 64, valid_items = 20, batch = 16 }
train = { epochs = 2, device = "cpu" }
metric = []
"""


def own(bench, *callbacks: str, study: str = STUDY) -> str:
    (bench.folder / "own.py").write_text(OWN)
    return study + f"callback = [{', '.join(callbacks)}]\n"


def tables(ran) -> dict:
    with h5py.File(ran.folder / "results.h5") as file:
        (trial,) = file["tables"].values()
        return {
            name: {int(step): rows[:] for step, rows in steps.items()}
            for name, steps in trial.items()
        }


def test_a_table_has_what_was_handed_over(bench):
    ran = bench.run(own(bench, '"python:own:Tells"'))
    assert ran.status == 0, ran.told
    told = tables(ran)
    assert sorted(told["told"]) == [4, 8]
    rows = told["told"][8]
    assert rows["whole"].dtype == numpy.int64 and sorted(rows["whole"]) == list(range(20))
    assert rows["number"].tolist() == [i / 2 for i in range(20)]
    assert all(math.isnan(value) for value in rows["array"])
    assert [text.decode() for text in rows["text"]] == [f"<{n}> \u00e9" for n in rows["whole"]]
    assert len(told["none"][8]) == 0


def test_what_is_no_table_is_said_before_the_first_step(bench):
    told = bench.check(own(bench, '"python:own:Mixes"'))
    assert "column 'a' wants numbers alone or texts alone" in told
    told = bench.check(own(bench, '"python:own:Differs"'))
    assert "table 'uneven': column 'b' has 2 rows, expected as many as 'a': 1" in told


def test_outputs_that_are_no_numbers_are_the_worst_items(bench):
    study = STUDY.replace('{ use = "mlp", hidden = [4] }', '"python:own:Holes"')
    ran = bench.run(own(bench, '{ use = "interpret", worst = 9 }', study=study))
    assert ran.status == 0, ran.told
    told = {name: steps[8] for name, steps in tables(ran).items()}
    assert told["valid.confusion"]["count"].sum() == 20
    assert told["valid.calibration"]["items"].sum() == 20
    losses = told["valid.worst"]["loss"]
    lost = int(numpy.isnan(losses).sum())
    assert lost >= 7 and numpy.isnan(losses[:lost]).all()
    assert list(losses[lost:]) == sorted(losses[lost:], reverse=True)
    page = bench.call("report", ran.folder)
    assert page.returncode == 0, page.stderr


def test_data_without_classes_are_refused(bench):
    study = STUDY.replace(
        '{ use = "glyphs", items = 64, valid_items = 20, batch = 16 }',
        '{ use = "python:own:Line", batch = 8 }\nloss = "mse"',
    )
    for use in ("interpret", "grad_cam"):
        told = bench.check(own(bench, f'"{use}"', study=study))
        assert f"callback/{use}: the data set's first target is regression of 0 classes" in told
