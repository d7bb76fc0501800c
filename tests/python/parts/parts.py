# SPDX-License-Identifier: Apache-2.0
"""Parts in Python as their users write them, for the studies of these tests."""

import ctypes
import os
import random
import signal
import time
from pathlib import Path

import numpy
import paribus.part
import torch


class Nothing(paribus.part.Callback):
    """Looks at everything, changes nothing."""

    reads = ("batch", "outputs", "loss", "grads", "weights")
    strength: float = paribus.part.field(0.5, "of nothing", min=0, max=1, live=True)

    def before_fit(self, fit):
        self.seen = 0

    def after_loss(self, fit):
        self.seen += len(fit.batch)
        assert fit.loss.requires_grad and fit.output.shape[0] == len(fit.batch)

    def after_backward(self, fit):
        assert all(weight.grad is not None for weight in fit.weights.values())

    def after_epoch(self, fit):
        fit.record("callback.nothing.seen", self.seen)


class Heavier(paribus.part.Callback):
    """Makes the loss larger with each batch, by a count that a resumed training must not forget."""

    writes = ("loss",)
    by: float = 0.001

    def before_fit(self, fit):
        self.batches, self.path = 0, torch.zeros(3)
        self.halves, self.last = numpy.zeros(2), numpy.float32(0)

    def after_loss(self, fit):
        self.batches += 1
        self.path += float(self.batches)
        self.halves += self.batches / 2
        self.last = numpy.float32(self.halves[0])
        fit.loss = fit.loss * (1 + self.by * float(self.path[0] + self.last))


class Draws(paribus.part.Callback):
    """Draws from all generators, between the draws of others; `by` says how much comes of it."""

    draws = True
    writes = ("loss",)
    by: float = 0.0

    def drawn(self):
        return float(torch.rand(())) + random.random() + numpy.random.rand()

    def before_batch(self, fit):
        self.first = self.drawn()

    def after_forward(self, fit):
        self.first += self.drawn()

    def after_loss(self, fit):
        fit.loss = fit.loss * (1 + self.by * (self.first + self.drawn()))


class Keeps(paribus.part.Callback):
    """What a checkpoint can't hold: reading it back would run code that it names."""

    def before_fit(self, fit):
        self.path = Path(".")


class Killed(paribus.part.Callback):
    """Kills its process once, in the middle, unless the file is there already."""

    def state(self):
        return None

    def after_step(self, fit):
        marker = Path(os.environ["PARIBUS_TEST_MARKER"])
        if fit.step == 7 and not marker.exists():
            marker.write_text("killed")
            os.kill(os.getpid(), signal.SIGKILL)


class Raises(paribus.part.Callback):
    at: int = 3

    def after_step(self, fit):
        if fit.step == self.at:
            self.helper(fit)

    def helper(self, fit):
        raise ValueError(f"no more at step {fit.step}")


class Crashes(paribus.part.Callback):
    def after_step(self, fit):
        if fit.step == 3:
            ctypes.string_at(8)


class Hangs(paribus.part.Callback):
    def after_step(self, fit):
        while fit.step == 3:
            time.sleep(0.01)


class Leaves(paribus.part.Callback):
    def after_step(self, fit):
        if fit.step == 3:
            raise SystemExit(0)


class Net(torch.nn.Module):
    """The network of model/mlp with one hidden layer."""

    def __init__(self, data, hidden: int = 16):
        super().__init__()
        inputs = 1
        for size in data.inputs[0].shape:
            inputs *= size
        self.layers = torch.nn.Sequential(
            torch.nn.Flatten(),
            torch.nn.Linear(inputs, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, data.classes),
        )

    def forward(self, x):
        return self.layers(x)


class Grouped(Net):
    layer_groups = ("layers.3.bias",)


class Astray(Net):
    def layer_groups(self):
        return ["layers.5"]


class Noisy(Net):
    """With running statistics, dropout, and a count that no tensor holds."""

    def __init__(self, data, p: float = 0.2):
        super().__init__(data, 8)
        self.norm = torch.nn.BatchNorm1d(data.classes)
        self.drop = torch.nn.Dropout(p)
        self.calls = 0

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.norm(self.drop(super().forward(x))) * (1 + 0.01 * self.calls)

    def get_extra_state(self):
        return self.calls

    def set_extra_state(self, calls):
        self.calls = calls


class Chancy(Noisy):
    """Draws as its loss does, from one sequence."""

    def forward(self, x):
        chance = random.random() + numpy.random.rand() if self.training else 1
        return super().forward(x) * chance


def chancy_loss(output, target):
    chance = 1 + 0.1 * (random.random() + numpy.random.rand() + float(torch.rand(())))
    return chance * torch.nn.functional.cross_entropy(output, target)


class Needs(torch.nn.Module):
    def __init__(self, width: int):
        super().__init__()


class Smooth(torch.nn.Module):
    def __init__(self, smoothing: float = 0.0):
        super().__init__()
        self.inner = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)

    def forward(self, output, target):
        return self.inner(output, target)


def plain_loss(output, target, scale: float = 1.0):
    return scale * torch.nn.functional.cross_entropy(output, target)


class Hits(paribus.part.Metric):
    """The share of items whose class is right."""

    goal = "maximize"

    def reset(self):
        self.right = self.items = 0

    def update(self, output, target):
        self.right += int((output.argmax(1) == target).sum())
        self.items += len(target)

    def value(self):
        return self.right / self.items


class Down(paribus.part.Schedule):
    """In a line from the parameter's own value to `end` times it."""

    end: float = 0.0

    def at(self, progress):
        return progress.base * (1 + (self.end - 1) * progress.fraction)


class Turned(paribus.part.Transform):
    """Turns an image upside down where the coin says so."""

    training_only = True
    p: float = paribus.part.field(0.5, "how often", min=0, max=1)

    def apply(self, batch, rng):
        turned = torch.tensor([rng.random() < self.p for _ in range(len(batch))])
        batch.input = torch.where(turned[:, None, None, None], batch.input.flip(2), batch.input)


class Retyped(paribus.part.Transform):
    """Says more of what it gives than that it is an image."""

    type: str = "image"
    mean: float = 0.5

    def setup(self, data):
        data.inputs[0].type = self.type
        data.mean, data.std = [self.mean], [0.25]

    def apply(self, batch, rng):
        pass


class MeanIs(paribus.part.Callback):
    mean: float = 0.5

    def before_fit(self, fit):
        assert fit.data.mean == [self.mean] and fit.data.std == [0.25]


class Rings(paribus.part.Dataset):
    """Points of two rings: whether a point is in the outer one."""

    items: int = paribus.part.field(256, "of the training split", min=1)

    def split(self, items, seed):
        generator = torch.Generator().manual_seed(seed)
        target = torch.randint(2, (items,), generator=generator)
        points = torch.nn.functional.normalize(torch.randn(items, 2, generator=generator))
        return [(points[i] * (1 + target[i]), target[i]) for i in range(items)]

    def train(self):
        return self.split(self.items, 1)

    def valid(self):
        return self.split(64, 2)
