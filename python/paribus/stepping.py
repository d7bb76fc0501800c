# SPDX-License-Identifier: Apache-2.0
"""Optimizers of Paribus as those of `torch.optim`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from .errors import ParibusError
from .native import load
from .parts import Part


class Stepping(torch.optim.Optimizer):
    """An optimizer part on weights of your own; the steps are the kernel's, on the very tensors.

    Each entry of `param_groups` has the part's live numbers (`paribus plugins show optimizer/NAME`): the nearest learning
    rate as "lr", those of a wrapped optimizer by address ("inner.momentum"). They can be set between steps, so
    schedulers of torch work. What a step does to weights without a gradient: nothing.
    """

    def __init__(self, part: Part, params: Iterable[Any]):
        self.part = part
        self._steppers: list[Any] = []
        super().__init__(params, load().Stepper(part.config(), [], []).numbers())

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As in torch; a group has steps, and what is kept for them, of its own."""
        first = sum(len(group["params"]) for group in self.param_groups)
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        numbered = [str(first + i) for i in range(len(group["params"]))]
        names = group.get("param_names", numbered)
        self._steppers.append(load().Stepper(self.part.config(), names, group["params"]))
        if len(self._steppers) > 1 and self._steppers[0].needs_passes:
            raise ParibusError(
                f"optimizer/{self.part.use}: it passes the batch again for all weights at once, so give it one group of them"
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update by the gradients that are there; the closure's value, if there is one.

        `closure` sets the gradients to zero, computes the loss and its gradients. Those that want a second pass
        (SAM) call it again at other weights, with torch's generators as they were; without it they raise
        ParibusError, as does a number in `param_groups` that is out of bounds.
        """
        if closure is None and any(stepper.needs_passes for stepper in self._steppers):
            raise ParibusError(
                f"optimizer/{self.part.use}: it wants gradients at other weights, too: give step a closure"
            )
        loss, again = None, None
        if closure is not None:
            again = _repeated(closure)
            with torch.enable_grad():
                loss = closure()
        for stepper, group in zip(self._steppers, self.param_groups):
            stepper.set({name: group[name] for name in self.defaults})
            stepper.step(again)
        return loss

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Within it the weights are those to evaluate, where they aren't those that are trained (Lookahead,
        schedule-free). No step in between."""
        for stepper in self._steppers:
            stepper.evaluation(True)
        try:
            yield
        finally:
            for stepper in self._steppers:
                stepper.evaluation(False)

    def state_dict(self) -> dict[str, Any]:
        """`state` has what each group keeps, the tensors themselves, by name; `param_groups` its numbers. `torch.save`
        takes it, and `torch.load` with `weights_only`."""
        groups = [
            {name: value for name, value in group.items() if name != "params"}
            | {"params": [str(p) for p in group.get("param_names", range(len(group["params"])))]}
            for group in self.param_groups
        ]
        states = {number: stepper.state() for number, stepper in enumerate(self._steppers)}
        return {"state": states, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Copies of it; from here on the steps have the bits of the optimizer that saved it. Raises ParibusError where
        it doesn't fit these weights."""
        states, groups = state_dict["state"], state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ParibusError(
                f"optimizer/{self.part.use}: the state is of {len(groups)} groups of weights, this optimizer has {len(self.param_groups)}"
            )
        for number, stepper in enumerate(self._steppers):
            stepper.load(states[number])
        for group, saved in zip(self.param_groups, groups):
            group.update({name: value for name, value in saved.items() if name != "params"})

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(f"optimizer/{self.part.use}: copy its state_dict, not the optimizer itself")


def _repeated(closure: Callable[[], Any]) -> Callable[[], Any]:
    """The closure again, drawing what it drew before."""
    on_gpu = bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    state = torch.get_rng_state()
    of_gpu = torch.cuda.get_rng_state() if on_gpu else None

    def again() -> None:
        torch.set_rng_state(state)
        if of_gpu is not None:
            torch.cuda.set_rng_state(of_gpu)
        closure()

    return again
