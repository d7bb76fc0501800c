# SPDX-License-Identifier: Apache-2.0
"""What speaks for a search in Python, for the C++ side of the bridge (bridge/search.h) alone."""

from __future__ import annotations

import math
import random
from typing import Any

from .part import Axis, Job, constructed

_Asked = tuple[int, list[float], int]  # point, choices of a new one, until


class Search:
    """Asks once for each job that begins, in the live study and when its record is read again, so that both are one history."""

    def __init__(self, thing: Any, values: dict[str, Any]):
        self.thing, self.values = thing, values
        self.part = constructed(thing, values)
        self.pending: _Asked | None = None  # asked for, not begun
        self.points = self.epochs = 0

    def set(self, name: str, value: Any) -> None:
        self.values[name] = value
        setattr(self.part, name, value)

    def at_once(self) -> int:
        return int(self.part.at_once)

    def objectives(self) -> list[str]:
        return list(self.part.objectives)

    def check(self, axes: list[dict[str, Any]], epochs: int) -> None:
        self.part.check([_axis(each) for each in axes], epochs)

    def begin(
        self, axes: list[dict[str, Any]], epochs: int, maximize: list[bool], seed: int
    ) -> None:
        self.part = constructed(self.thing, self.values)
        self.pending, self.points, self.epochs = None, 0, epochs
        self.axes = [_axis(each) for each in axes]
        self.part.prepare(self.axes, epochs, maximize, random.Random(seed))

    def ask(self) -> _Asked | None:
        if self.pending is None:
            self.pending = self._asked(self.part.ask())
        return self.pending

    def began(self, point: int, choices: list[float], until: int) -> None:
        if self.ask() != (point, choices, until):
            raise RuntimeError(
                f"it asks for {self.pending} now, where the study has {(point, choices, until)} (point, choices, epochs): what it "
                "asks for must depend on its parameters, on `rng` and on what it was told alone, or begin the study again elsewhere"
            )
        self.pending = None
        self.points = max(self.points, point + 1)

    def ended(self, point: int, epochs: int, score: float | None, values: list[float]) -> None:
        self.part.tell(point, epochs, score, values)

    def _asked(self, job: Any) -> _Asked | None:
        if job is None:
            return None
        if not isinstance(job, Job):
            raise TypeError(f"ask returned {job!r}, expected a paribus.part.Job or None")
        until = self.epochs if job.until <= 0 else min(job.until, self.epochs)
        if job.point is None:
            return self.points, self._choices(job), until
        if not 0 <= job.point < self.points or job.choices:
            raise ValueError(
                f"ask returned {job!r}, of {self.points} points so far: `point` is one of them, and has its choices already"
            )
        return job.point, [], until

    def _choices(self, job: Job) -> list[float]:
        if len(job.choices) != len(self.axes):
            raise ValueError(f"ask returned {len(job.choices)} choices for {len(self.axes)} axes")
        return [_chosen(axis, value) for axis, value in zip(self.axes, job.choices)]


def _chosen(axis: Axis, value: Any) -> float:
    low, high = (0, axis.count - 1) if axis.count else (axis.low, axis.high)
    number = float(value)
    whole = axis.count > 0 or axis.integer
    if not (math.isfinite(number) and low <= number <= high) or (whole and number != int(number)):
        what = "an index" if axis.count else "an integer" if axis.integer else "a value"
        raise ValueError(
            f"ask chose {value!r} for {axis.addresses[0]}, expected {what} from {low} to {high}"
        )
    return number


def _axis(told: dict[str, Any]) -> Axis:
    low, high = told["low"], told["high"]
    if told["integer"] and not told["count"]:
        low, high = math.ceil(low), math.floor(high)
    return Axis(tuple(told["addresses"]), told["count"], low, high, told["log"], told["integer"])
