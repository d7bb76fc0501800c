# SPDX-License-Identifier: Apache-2.0
"""What a part does without a study, on tensors of this process. Nothing here imports torch before it is used."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .native import load
from .parts import Part

if TYPE_CHECKING:
    import torch

    from .data import Data
    from .network import Network
    from .stepping import Stepping

    Output = torch.Tensor | dict[str, torch.Tensor] | tuple[torch.Tensor, ...]
    Target = torch.Tensor | tuple[torch.Tensor, ...]


class OptimizerPart(Part):
    """An optimizer: a part of a study, and, by `on`, one of `torch.optim`."""

    def on(self, params: Iterable[Any]) -> Stepping:
        """Steps these weights in a loop of your own; a `torch.optim.Optimizer`.

        `params`: tensors, pairs of name and tensor, or groups of them, as `torch.optim` takes them. Raises
        StudyError where a parameter of the part is wrong, ParibusError where there is no kernel for this torch.
        """
        from .stepping import Stepping

        return Stepping(self, params)


class LossPart(Part):
    """A loss: a part of a study, and a function of output and target."""

    @cached_property
    def _native(self) -> Any:
        return load().Loss(self.config())

    def __call__(self, output: Output, target: Target) -> torch.Tensor:
        """The mean over the items of a batch: a scalar, float32, with gradient.

        `output`: N x classes (x H x W), or N x values. `target`: N (x H x W) class numbers, int64, or values.
        Raises ParibusError where their shapes don't fit.
        """
        mean: torch.Tensor = self._native(output, target)
        return mean


class MetricPart(Part):
    """A metric: a part of a study, and a sum over batches."""

    @cached_property
    def _native(self) -> Any:
        return load().Metric(self.config())

    @property
    def goal(self) -> str:
        """ "maximize" or "minimize"."""
        return str(self._manifest["goal"])

    @property
    def unit(self) -> str:
        """ "1" if it has none."""
        return str(self._manifest["unit"])

    def reset(self) -> None:
        """Begins anew, as for each split."""
        self._native.reset()

    def update(self, output: Output, target: Target, loss: torch.Tensor | None = None) -> None:
        """Adds a batch of N items: its output and target, and its mean loss for the metric `loss`.

        Raises ParibusError where their shapes don't fit.
        """
        self._native.update(output, target, loss)

    def value(self) -> float:
        """Over all items since `reset`."""
        return float(self._native.value())


class SchedulePart(Part):
    """A schedule: a part of a study, and a function of progress."""

    @cached_property
    def _native(self) -> Any:
        return load().Schedule(self.config())

    def at(
        self,
        fraction: float,
        *,
        inclusive: float | None = None,
        epochs: int = 1,
        base: float = 1.0,
    ) -> float:
        """The value at a share of training.

        `fraction` is i / n at step i of n (fastai's convention); `inclusive`, of which a few schedules are a
        function, i / (n - 1) (PyTorch's), else the same. `epochs`: how long training is. `base`: the
        parameter's own value, for schedules that are relative to it.
        """
        inclusive = fraction if inclusive is None else inclusive
        return float(self._native.at(fraction, inclusive, fraction * epochs, epochs, base))


class ModelPart(Part):
    """A model: a part of a study, and, by `build`, a module of torch."""

    def build(self, data: Data, *, seed: int | None = None) -> Network:
        """A `torch.nn.Module` for these data (`loader.data`, `paribus.Data.images(3, 32, 32, classes=10)`).

        `seed`: the weights that a trial of this seed begins with, and torch's generator stays as it is; without it
        they are drawn from that generator. Raises StudyError where a parameter is wrong, ParibusError where the model
        doesn't fit the data.
        """
        from .network import Network

        return Network(self, data, seed)


BASES: dict[str, type[Part]] = {
    "model": ModelPart,
    "optimizer": OptimizerPart,
    "loss": LossPart,
    "metric": MetricPart,
    "schedule": SchedulePart,
}
