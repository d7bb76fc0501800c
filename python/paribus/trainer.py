# SPDX-License-Identifier: Apache-2.0
"""One trial of a study in this process: its events in a loop of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .errors import ParibusError
from .native import load
from .part import EVENTS
from .study import Study

if TYPE_CHECKING:
    import random

    import torch

    from .data import Batch


class Fit(Protocol):
    """A training as it is at an event (docs/callbacks.md). Tensors are the trainer's own, not copies; after the training
    RuntimeError is raised."""

    epoch: int  # from 0
    batch_index: int  # within the epoch
    batches: int  # of an epoch
    step: int  # batches so far, this one included
    training: bool  # False while it is validated
    epochs: int
    batch: Batch
    output: torch.Tensor  # N x ...; the first of `outputs`
    outputs: dict[str, torch.Tensor]
    loss: torch.Tensor  # a scalar with gradient; None before the first one
    weights: dict[str, torch.Tensor]  # gradients in `.grad`
    model: Any  # of a Python model the module itself, else `weights` and `buffers`
    metrics: dict[str, float]  # the latest: train.loss, valid.accuracy, ...
    device: str

    def skip_batch(self) -> None: ...
    def skip_epoch(self) -> None: ...
    def stop(self, reason: str) -> None:
        """Ends the training cleanly; the epoch is validated, results count."""

    def record(self, name: str, value: float) -> None:
        """A point of the series `name` at this step."""

    def parameter(self, address: str) -> float:
        """A number of a part, e.g. "optimizer.lr". Raises ParibusError where there is none."""

    def set_parameter(self, address: str, value: float) -> None:
        """Of a live one, until a schedule sets it. Raises ParibusError where it isn't live or the value is out of bounds."""

    def rng(self) -> random.Random:
        """The draws of this batch, the same each time."""


class Event(NamedTuple):
    """A place in the loop (docs/training_loop.md): "before_fit", ..., "after_loss", ..., "after_fit"."""

    name: str
    fit: Fit


@dataclass(frozen=True)
class Outcome:
    """How a training ended."""

    status: str  # "done"
    message: str  # why it was stopped early, "" if it wasn't
    steps: int
    epochs: int
    last: dict[str, float]  # of each metric: train.loss, valid.accuracy, ...
    best: dict[str, float]


class Trainer:
    """Trains one trial of a study here, with its bits: the same loop, on a thread of its own.

        trainer = paribus.Trainer(data=..., model="mlp", optimizer=paribus.optimizer.SGD())
        for event in trainer:
            if event.name == "after_loss" and event.fit.loss > 100:
                event.fit.skip_batch()

    `study`: a Study or its file; without it, or where it is a table of settings, `tables` are those of a Study. `arm` and `seed`: the first ones unless they are named.
    `directory`: for checkpoints, from which a later Trainer goes on, and the final weights; none are kept without
    it. Raises StudyError with all that is wrong with the study, ParibusError for the rest. One at a time should train:
    they share torch's generator, which is put back where it was.
    """

    def __init__(
        self,
        study: Study | str | os.PathLike[str] | Mapping[str, Any] | None = None,
        *,
        arm: str | None = None,
        seed: int | None = None,
        directory: str | os.PathLike[str] | None = None,
        **tables: Any,
    ):
        if isinstance(study, Mapping):
            tables["study"], study = study, None
        if study is not None and tables:
            raise TypeError(f"a study has its tables: {', '.join(tables)} can't be given beside it")
        if study is None:
            study = Study(**tables)
        self.study = study if isinstance(study, Study) else Study.load(study)
        folder = "" if directory is None else os.fspath(directory)
        file, overrides = str(self.study._file()), self.study._overrides
        self._native = load().Training(file, overrides, arm, seed, folder)

    @property
    def arm(self) -> str:
        return str(self._native.arm)

    @property
    def seed(self) -> int:
        return int(self._native.seed)

    def __iter__(self) -> Iterator[Event]:
        """All events. The training waits while the loop's body runs; it ends when the loop is left."""
        return self.events(*EVENTS)

    def events(self, *names: str) -> Iterator[Event]:
        """Those events only, for less of a wait at each step; what may be changed at which stands in docs/callbacks.md.

        Raises what ends the training: ParibusError, and KeyboardInterrupt at the next step after a Ctrl-C.
        """
        for name in names:
            if name not in EVENTS:
                raise ParibusError(f"there is no event '{name}', expected {', '.join(EVENTS)}")
        return self._events(names)

    def _events(self, names: tuple[str, ...]) -> Iterator[Event]:
        self._native.start(set(names))
        with closing(self._native):
            while name := self._native.next():
                yield Event(name, self._native.fit)

    def fit(self) -> Outcome:
        """Trains to the end; other threads of Python run meanwhile. Raises as `events` does."""
        for _ in self.events():
            pass
        return self.outcome

    @property
    def outcome(self) -> Outcome:
        """Raises ParibusError before the end."""
        told = self._native.outcome()
        if told is None:
            raise ParibusError("the training has not come to its end")
        return Outcome(**told)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """Those that are trained, by name; the trainer's own tensors. From the first event on."""
        held: dict[str, torch.Tensor] = self._native.fit.weights
        return held

    def series(self, name: str) -> list[tuple[int, float]]:
        """Pairs of step and value: "train.batch_loss", "valid.accuracy", "optimizer.lr", what `fit.record` was given."""
        all_of_them = self._native.series()
        if name not in all_of_them:
            raise ParibusError(f"there is no series '{name}', there are {', '.join(all_of_them)}")
        return list(all_of_them[name])
