# SPDX-License-Identifier: Apache-2.0
"""Batches of a data set for a loop of one's own, and what a model is told of data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from .native import load
from .parts import Part, plain

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Shaped:
    """One input or target of an item: its shape, without the batch, and what it is (tensor, image, mask, category, regression, points,
    boxes)."""

    shape: tuple[int, ...] = ()
    type: str = "tensor"


@dataclass(frozen=True)
class Data:
    """What a model is told of the data: `loader.data`, or by hand with `images` and `vectors`."""

    inputs: tuple[Shaped, ...]
    targets: tuple[Shaped, ...]
    classes: int = 0
    class_names: tuple[str, ...] = ()
    train_items: int = 0
    valid_items: int = 0
    mean: tuple[float, ...] = ()  # of each channel of the first input
    std: tuple[float, ...] = ()

    @classmethod
    def images(cls, channels: int, height: int, width: int, *, classes: int) -> Data:
        """Pictures, float, N x channels x height x width, each of one class."""
        return cls(
            (Shaped((channels, height, width), "image"),), (Shaped((), "category"),), classes
        )

    @classmethod
    def vectors(cls, size: int, *, classes: int = 0, values: int = 1) -> Data:
        """Float, N x size; each of one class or, where there are none, with so many values."""
        target = Shaped((), "category") if classes else Shaped((values,), "regression")
        return cls((Shaped((size,)),), (target,), classes)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Data:
        """From the kernel's words."""
        held: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
        }
        for name in ("inputs", "targets"):
            held[name] = tuple(Shaped(tuple(one["shape"]), one["type"]) for one in told[name])
        return cls(**held)

    def told(self) -> dict[str, Any]:
        """In the kernel's words."""
        return asdict(self)


class Batch(Protocol):
    """N items, as the model gets them; the tensors are the loader's own, not copies."""

    input: torch.Tensor  # N x ..., float; images are divided by 255
    target: torch.Tensor  # N class numbers, int64; N x K values; N x 1 x H x W class numbers

    @property
    def inputs(self) -> list[torch.Tensor]: ...
    @property
    def targets(self) -> list[torch.Tensor]: ...
    @property
    def items(self) -> list[int]:
        """The data set's number of each row."""

    @property
    def index(self) -> int:
        """Of the batch within the epoch, from 0."""

    @property
    def epoch(self) -> int: ...
    @property
    def training(self) -> bool: ...
    def __len__(self) -> int: ...


class Loader:
    """Batches of a data set, its transforms applied on loader threads: those of a trial with this seed, bit for bit.

    `data`: a data set, as in `paribus.Study`; `settings` are its other keys (`batch`, `workers`, `limit`, `transforms`, ...). An
    iteration is one pass over `split` ("train" or "valid") in the order of `epoch`, which may be set between passes; the
    same each time. Left early, it ends its threads. Raises StudyError where something is wrong with a part or a
    setting, ParibusError where a file is missing or there is no kernel for this torch.
    """

    def __init__(
        self,
        data: Part | dict[str, Any] | str,
        *,
        split: str = "train",
        epoch: int = 0,
        seed: int = 0,
        **settings: Any,
    ):
        table = plain(data)
        table = {"use": table} if isinstance(table, str) else table
        self.split, self.epoch, self.seed = split, epoch, seed
        self._source = load().Source(table | plain(settings), seed)
        self._source.count(split)

    @cached_property
    def data(self) -> Data:
        """What a model is told of them: `paribus.model.Mlp().build(loader.data)`."""
        return Data.of(self._source.data())

    def __len__(self) -> int:
        """Batches of a pass."""
        return int(self._source.count(self.split))

    def __iter__(self) -> Iterator[Batch]:
        batches = self._source.pass_over(self.split, self.epoch)
        try:
            yield from batches
        finally:
            batches.close()
