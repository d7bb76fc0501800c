# SPDX-License-Identifier: Apache-2.0
"""Base classes of parts written in Python: `use = "python:module:Name"` in a study.

A part's parameters are the annotated attributes of its class, each with a default; its first
words are its docstring. Classes of `torch.nn.Module` and `torch.optim.Optimizer` need none of
this: the keywords of their constructors are their parameters.

    class Patience(paribus.part.Callback):
        \"\"\"Stops when the loss has not fallen for a while.\"\"\"

        reads, writes = ("loss",), ("flow",)
        steps: int = paribus.part.field(100, "how long it waits", min=1)

        def before_fit(self, fit):
            self.best, self.since = float("inf"), 0

        def after_loss(self, fit):
            self.since = 0 if fit.loss.item() < self.best else self.since + 1
            self.best = min(self.best, fit.loss.item())
            if self.since > self.steps:
                fit.stop("the loss doesn't fall")
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

_OWN = frozenset(
    {"kind", "fields", "reads", "writes", "goal", "unit", "draws", "training_only", "objectives"}
)


@dataclass(frozen=True)
class Field:
    """What is known of a parameter besides its name and type."""

    default: Any
    doc: str = ""
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    live: bool = False


def field(default: Any, doc: str = "", **more: Any) -> Any:
    """A parameter with its bounds: `min`, `max`, `above`, `below`, `choices`, `unit`; `live`: schedules may drive it."""
    return Field(default, doc, **more)


class Part:
    """What all have in common. `__init__` without arguments is called once the parameters are set."""

    kind: ClassVar[str] = ""
    fields: ClassVar[dict[str, Field]] = {}

    def __init_subclass__(cls, **more: Any):
        super().__init_subclass__(**more)
        cls.fields = dict(cls.fields)
        for name in cls.__dict__.get("__annotations__", {}):
            if name in _OWN or name.startswith("_"):
                continue
            given = cls.__dict__.get(name, Field(None))
            cls.fields[name] = given if isinstance(given, Field) else Field(given)
            setattr(cls, name, cls.fields[name].default)

    def __init__(self, **parameters: Any):
        for name, value in parameters.items():
            if name not in self.fields:
                known = ", ".join(self.fields) or "none"
                raise TypeError(
                    f"{type(self).__name__}: unknown parameter '{name}'; parameters: {known}"
                )
            setattr(self, name, value)

    def state(self) -> Any:
        """What a resumed training needs: all that was put into the object, but for its parameters."""
        kept = {name: value for name, value in vars(self).items() if name not in self.fields}
        return kept or None

    def load_state(self, state: Any) -> None:
        vars(self).update(state)


def constructed(thing: Any, values: dict[str, Any]) -> Any:
    """A part of this class, its parameters set before its own __init__ runs."""
    made = thing.__new__(thing)
    for name, value in values.items():
        setattr(made, name, value)
    made.__init__()
    return made


class Callback(Part):
    """Takes part in training at the events it overrides (docs/callbacks.md); each gets the training, `fit`.

    `reads` and `writes` name what it looks at and what it changes, in the words of docs/callbacks.md.
    """

    kind = "callback"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()
    draws: ClassVar[bool] = False  # it draws random numbers otherwise than from `fit.rng()`

    def before_fit(self, fit: Any) -> None: ...
    def before_epoch(self, fit: Any) -> None: ...
    def before_batch(self, fit: Any) -> None: ...
    def after_forward(self, fit: Any) -> None: ...
    def after_loss(self, fit: Any) -> None: ...
    def after_backward(self, fit: Any) -> None: ...
    def before_step(self, fit: Any) -> None: ...
    def after_step(self, fit: Any) -> None: ...
    def after_batch(self, fit: Any) -> None: ...
    def before_validate(self, fit: Any) -> None: ...
    def after_valid_batch(self, fit: Any) -> None: ...
    def after_validate(self, fit: Any) -> None: ...
    def after_epoch(self, fit: Any) -> None: ...
    def after_fit(self, fit: Any) -> None: ...


class Metric(Part):
    """A number over a whole split: `reset`, `update` for each batch, `value` at the end."""

    kind = "metric"
    goal: ClassVar[str] = "maximize"
    unit: ClassVar[str] = "1"

    def reset(self) -> None:
        raise NotImplementedError

    def update(self, output: Any, target: Any) -> None:
        raise NotImplementedError

    def value(self) -> float:
        raise NotImplementedError


class Loss(Part):
    """The mean over the items of a batch, a scalar tensor with gradient."""

    kind = "loss"

    def __call__(self, output: Any, target: Any) -> Any:
        raise NotImplementedError


class Schedule(Part):
    """A function of progress: `fraction`, `inclusive`, `epoch`, `epochs`, `base` (docs/python_parts.md)."""

    kind = "schedule"

    def at(self, progress: Any) -> float:
        raise NotImplementedError


class Transform(Part):
    """Changes a batch between the data set and the model, on loader threads.

    Draw random numbers from `rng`, a `random.Random` of the batch alone: the threads share all others.
    """

    kind = "transform"
    training_only: ClassVar[bool] = False

    def apply(self, batch: Any, rng: Any) -> None:
        raise NotImplementedError


class Dataset(Part):
    """Two sequences of pairs (input, target), `train` and `valid`, read once into memory."""

    kind = "dataset"

    def train(self) -> Any:
        raise NotImplementedError

    def valid(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep: a list of `count` values, of which an index is chosen, or with `count` 0 the range from `low` to `high`."""

    addresses: tuple[str, ...]
    count: int
    low: float
    high: float
    log: bool = False
    integer: bool = False

    def sample(self, rng: Any) -> float:
        """An index or a value, drawn uniformly, by its logarithm where it is `log`. `rng`: a random.Random."""
        if self.count:
            return int(rng.randrange(self.count))
        if self.integer and not self.log:
            return int(rng.randint(int(self.low), int(self.high)))
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        drawn = rng.uniform(low, high)
        value = min(max(math.exp(drawn) if self.log else drawn, self.low), self.high)
        return round(value) if self.integer else float(value)


@dataclass(frozen=True)
class Job:
    """What a search asks for: a new point, by an index or value for each axis, or `point` again, trained up to epoch `until`."""

    choices: tuple[float, ...] | list[float] = ()
    until: int = 0  # 0: all of training
    point: int | None = None  # of one that is to go on; new points count from 0 on


class Search(Part):
    """Proposes points of a sweep, knowing what came of those before.

    It has `axes` (Axis), `epochs` of a whole training, `maximize` for each objective and `rng`, a random.Random of the study's. Of
    what it is told and asked in this order, what it asks for must be a function: draw from `rng` alone, and change nothing when
    `ask` returns None.
    """

    kind = "search"
    at_once = 4  # jobs under way at a time, in logical time: the most that -j can use
    objectives: ClassVar[tuple[str, ...]] = ()  # metrics besides the study's own

    def check(self, axes: list[Axis], epochs: int) -> None:
        """Raises ValueError where these can't be searched."""

    def prepare(self, axes: list[Axis], epochs: int, maximize: list[bool], rng: Any) -> None:
        """Called once, before anything is asked."""
        self.axes, self.epochs, self.maximize, self.rng = axes, epochs, maximize, rng

    def ask(self) -> Job | None:
        """The next job; None to wait until another ends or, with none under way, to end the search."""
        raise NotImplementedError

    def tell(self, point: int, epochs: int, score: float | None, values: list[float]) -> None:
        """A job ended. `score`: its first objective, the greater the better, None if it failed; `values`: each objective as it is."""


EVENTS = tuple(
    name for name in vars(Callback) if name.startswith(("before_", "after_"))
)  # in their order
