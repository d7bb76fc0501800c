# SPDX-License-Identifier: Apache-2.0
"""Searches, good and bad, that studies of the tests use."""

import itertools
import os

import paribus.part

COUNT = itertools.count(int.from_bytes(os.urandom(3), "big"))


class Halving(paribus.part.Search):
    """Random points for one epoch; the better half of them goes on to the end."""

    trials: int = paribus.part.field(4, "points", min=2)
    at_once: int = 2

    def __init__(self):
        self.begun, self.scores, self.promoted = 0, {}, None

    def ask(self):
        if self.begun < self.trials:
            self.begun += 1
            return paribus.part.Job([axis.sample(self.rng) for axis in self.axes], until=1)
        if self.promoted is None:
            if len(self.scores) < self.trials:
                return None
            best = sorted(self.scores, key=lambda point: (-self.scores[point], point))
            self.promoted = best[: self.trials // 2]
        return paribus.part.Job(point=self.promoted.pop(0)) if self.promoted else None

    def tell(self, point, epochs, score, values):
        if epochs < self.epochs:
            self.scores[point] = float("-inf") if score is None else score


class Corners(paribus.part.Search):
    """The least and the greatest of each axis at once; two objectives."""

    objectives = ("valid.loss",)

    def check(self, axes, epochs):
        if any(axis.count for axis in axes):
            raise ValueError("a list has no corners; give a range")

    def prepare(self, axes, epochs, maximize, rng):
        super().prepare(axes, epochs, maximize, rng)
        self.left = [[axis.low for axis in axes], [axis.high for axis in axes]]

    def ask(self):
        return paribus.part.Job(self.left.pop()) if self.left else None

    def tell(self, point, epochs, score, values):
        assert self.maximize == [True, False] and len(values) == 2
        assert score == values[0] and values[1] > 0


class Moody(Corners):
    """Asks for what nobody can foresee."""

    def ask(self):
        if not self.left:
            return None
        self.left.pop()
        return paribus.part.Job([0.001 + next(COUNT) * 1e-9 for _ in self.axes])


class Wrong(Corners):
    what: str = paribus.part.field("few", choices=("few", "outside", "number", "unknown", "raises"))

    def ask(self):
        if self.what == "raises":
            raise KeyError("no point here")
        return {
            "few": paribus.part.Job([]),
            "outside": paribus.part.Job([7.0] * len(self.axes)),
            "number": 3,
            "unknown": paribus.part.Job(point=5),
        }[self.what]
