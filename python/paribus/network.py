# SPDX-License-Identifier: Apache-2.0
"""Models of Paribus as modules of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .data import Data
from .native import load
from .parts import Part


class Network(torch.nn.Module):
    """A model part for data of these shapes; weights and buffers are the kernel's own tensors, by the kernel's names.

    `forward` takes the inputs, N x ..., and gives the output, or outputs by name where the model has several. Raises
    ParibusError where the inputs don't fit.
    """

    def __init__(self, part: Part, data: Data, seed: int | None = None):
        super().__init__()
        self.part, self.data = part, data
        self._native = load().Network(part.config(), data.told(), seed)
        for name, weight in self._native.weights():
            weight._is_param = True  # what torch.nn.Parameter is: a tensor that says so
            module, last = self._holder(name)
            module.register_parameter(last, weight)
        for name, buffer in self._native.buffers():
            module, last = self._holder(name)
            module.register_buffer(last, buffer)

    def _holder(self, name: str) -> tuple[torch.nn.Module, str]:
        """The module, made if need be, that holds what is called so, and its name there."""
        *path, last = name.split(".")
        module: torch.nn.Module = self
        for step in path:
            if step not in module._modules:
                module.add_module(step, torch.nn.Module())
            module = module.get_submodule(step)
        return module, last

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self._native.forward(*inputs)

    def train(self, mode: bool = True) -> Network:
        super().train(mode)
        self._native.train(mode)
        return self

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Network:
        """Moves and casts the tensors themselves, since the kernel holds them, too."""
        with torch.no_grad():
            for tensor in (*self.parameters(), *self.buffers()):
                tensor.data = fn(tensor.data)
                if tensor.grad is not None:
                    tensor.grad = fn(tensor.grad)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        other = Network(self.part, self.data, seed=0)
        other._apply(lambda tensor: tensor.to(next(self.parameters()).device))
        other.load_state_dict(self.state_dict())
        return other.train(self.training)

    def __reduce__(self) -> Any:
        raise TypeError(f"model/{self.part.use}: save its state_dict, not the module itself")
