# SPDX-License-Identifier: Apache-2.0
"""Within a trial: an adapter for each part in Python, for the C++ side of the bridge (bridge/ in the sources) alone.

`torch` is the one whose LibTorch the trial runs with."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import random
import sys
import traceback
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from . import columns, describe, part, searching, sources, states

torch: Any = importlib.import_module("torch")

_checked: set[str] = set()
_seeded: list[int] = []


def told(problem: BaseException, trace: Any) -> str:
    """In one line, where it happened included; the whole stack goes to the trial's log."""
    problem = problem.with_traceback(trace)
    traceback.print_exception(problem)
    sys.stderr.flush()
    return describe.told(problem)


def _thing(name: str, sha256: str) -> Any:
    """The class or function, from the very sources that the study was checked with."""
    module = name.partition(":")[0]
    if name not in _checked:
        now = sources.find(module, sources.absolute(sys.path)).sha256()
        if now != sha256:
            raise RuntimeError(
                f"the source of module {module}, or what it imports, has changed since the study was "
                "checked; run the command again"
            )
        _checked.add(name)
    return describe.load(name)


def seed_others() -> None:
    """`random` and NumPy draw as torch does, whose generator the trainer seeds for each batch."""
    seed = torch.initial_seed()
    if _seeded == [seed]:
        return
    _seeded[:] = [seed]
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed & 0xFFFFFFFF)


@contextlib.contextmanager
def _generators_apart(seed: int, device: str) -> Iterator[None]:
    """All begin at `seed`, and afterwards go on from where they were."""
    generators = [torch.default_generator]
    place = torch.device(device)
    if place.type == "cuda":
        torch.cuda.init()  # LibTorch has; Python's own list of generators is made here
        number = torch.cuda.current_device() if place.index is None else place.index
        generators.append(torch.cuda.default_generators[number])
    numpy = sys.modules.get("numpy")
    held, seeded, python = [each.get_state() for each in generators], _seeded[:], random.getstate()
    numbers = None if numpy is None else numpy.random.get_state()
    try:
        for each in generators:
            each.manual_seed(seed)
        seed_others()
        yield
    finally:
        for each, state in zip(generators, held):
            each.set_state(state)
        _seeded[:] = seeded
        random.setstate(python)
        if numpy is not None:
            numpy.random.set_state(numbers)


class Data(SimpleNamespace):
    """What the model sees: inputs and targets (`shape`, `type`), classes, train_items, mean, std, ..."""

    def __init__(self, told: dict[str, Any]):
        super().__init__(**told)
        for name in ("inputs", "targets"):
            shaped = [each | {"shape": torch.Size(each["shape"])} for each in told[name]]
            setattr(self, name, [SimpleNamespace(**each) for each in shaped])


def _keywords(thing: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Those that must be given and aren't are left to Python to name."""
    given = inspect.signature(thing).parameters
    return {
        name: _like(given[name].default, value)
        for name, value in values.items()
        if value is not None or given[name].default is not given[name].empty
    }


def _like(default: Any, value: Any) -> Any:
    return tuple(value) if isinstance(default, tuple) else value


class Adapter:
    """What all kinds share: parameters, and state as bytes."""

    is_proven = False  # a state of it was loaded again

    def __init__(self, thing: Any, values: dict[str, Any]):
        self.thing, self.values = thing, values
        self.part: Any = None
        if inspect.isclass(thing) and issubclass(thing, part.Part):
            seed_others()
            self.part = part.constructed(thing, values)

    def set(self, name: str, value: Any) -> None:
        self.values[name] = value
        if self.part is not None:
            setattr(self.part, name, value)

    def state(self) -> Any:
        for getter in ("state", "state_dict"):
            if hasattr(self.part, getter):
                return getattr(self.part, getter)()
        return None

    def load_state(self, state: Any) -> None:
        for setter in ("load_state", "load_state_dict"):
            if hasattr(self.part, setter):
                getattr(self.part, setter)(state)
                return

    def save(self) -> bytes | None:
        state = self.state()
        if state is None or state == {}:
            return None
        saved = states.saved(state)
        if not self.is_proven:
            states.prove(saved)
            self.is_proven = True
        return saved

    def load(self, saved: bytes) -> None:
        self.load_state(states.loaded(saved))


class Callback(Adapter):
    def handlers(self) -> dict[str, Any]:
        """Of the events that the class overrides."""
        return {
            event: self._drawing(number, getattr(self.part, event))
            for number, event in enumerate(part.EVENTS)
            if getattr(self.thing, event) is not getattr(part.Callback, event)
        }

    def _drawing(self, number: int, handler: Any) -> Any:
        """Where it draws: generators are its own for the event, and the others' again after it."""
        if not self.thing.draws:
            return handler

        def handle(fit: Any) -> None:
            with _generators_apart(fit.rng().getrandbits(48) * 16 + number, fit.device):
                handler(fit)

        return handle

    def state(self) -> Any:
        if getattr(self.thing, "state", None) is part.Part.state and hasattr(
            self.part, "state_dict"
        ):
            return self.part.state_dict()
        return self.part.state()

    def load_state(self, state: Any) -> None:
        if getattr(self.thing, "load_state", None) is part.Part.load_state and hasattr(
            self.part, "load_state_dict"
        ):
            self.part.load_state_dict(state)
        else:
            self.part.load_state(state)


class Model(Adapter):
    module: Any = None

    def build(self, told: dict[str, Any]) -> None:
        seed_others()
        keywords = _keywords(self.thing, self.values)
        if "data" in inspect.signature(self.thing).parameters:
            keywords["data"] = Data(told)
        self.module = self.thing(**keywords)
        for name, weight in self.module.named_parameters():
            if isinstance(weight, torch.nn.parameter.UninitializedParameter):
                raise TypeError(
                    f"its parameter '{name}' has no shape before the first batch; give the layer its "
                    "size (an argument named `data` tells the shapes)"
                )

    def set(self, name: str, value: Any) -> None:
        super().set(name, value)
        setattr(self.module, name, value)

    def outputs(self, inputs: list[Any]) -> Any:
        seed_others()
        return self.module(*inputs)

    def weights(self) -> list[tuple[str, Any]]:
        return [(name, p) for name, p in self.module.named_parameters() if p.requires_grad]

    def buffers(self) -> list[tuple[str, Any]]:
        frozen = [(name, p) for name, p in self.module.named_parameters() if not p.requires_grad]
        return [*self.module.named_buffers(), *frozen]

    def train(self, on: bool) -> None:
        self.module.train(on)

    def move_to(self, device: str, channels_last: bool) -> None:
        self.module.to(device)
        if channels_last:
            self.module.to(memory_format=torch.channels_last)

    def has_convolutions(self) -> bool:
        return any(isinstance(each, torch.nn.Conv2d) for each in self.module.modules())

    def layer_groups(self) -> list[str]:
        """Of the module's attribute or method of that name, where it has one."""
        given = getattr(self.module, "layer_groups", [])
        is_other = isinstance(given, torch.nn.Module)  # a module that happens to be called so
        return [] if is_other else [str(n) for n in (given() if callable(given) else given)]

    def state(self) -> Any:
        """What weights and buffers don't hold: `get_extra_state` of its modules."""
        extra = {
            name: value
            for name, value in self.module.state_dict().items()
            if name.endswith("_extra_state")
        }
        return extra or None

    def load_state(self, state: Any) -> None:
        self.module.load_state_dict(state, strict=False)


class Loss(Adapter):
    def __init__(self, thing: Any, values: dict[str, Any]):
        super().__init__(thing, values)
        self.plain = inspect.isfunction(thing)
        if self.part is None and not self.plain:
            self.part = thing(**_keywords(thing, values))
        if isinstance(self.part, torch.nn.Module):
            trained = [name for name, p in self.part.named_parameters() if p.requires_grad]
            if trained:
                raise TypeError(
                    f"it has weights of its own ({', '.join(trained)}), which no optimizer steps"
                )

    def loss(self, output: Any, target: Any) -> Any:
        seed_others()
        if self.plain:
            return self.thing(output, target, **self.values)
        return self.part(output, target)

    def state(self) -> Any:
        return None if self.plain else super().state()


class Metric(Adapter):
    def value(self) -> float:
        return float(self.part.value())


class Schedule(Adapter):
    def at(
        self, fraction: float, inclusive: float, epoch: float, epochs: int, base: float
    ) -> float:
        progress = SimpleNamespace(
            fraction=fraction, inclusive=inclusive, epoch=epoch, epochs=epochs, base=base
        )
        if self.part is None:
            return float(self.thing(progress, **self.values))
        return float(self.part.at(progress))


class Transform(Adapter):
    def apply(self, batch: Any, seed: int) -> None:
        if self.part is None:
            batch.input = self.thing(batch.input, **self.values)
        else:
            self.part.apply(batch, random.Random(seed))

    def setup(self, told: dict[str, Any]) -> Data:
        data = Data(told)
        if hasattr(self.part, "setup"):
            self.part.setup(data)
        return data


class Optimizer(Adapter):
    """A torch.optim.Optimizer of one group, whose weights join when they first have a gradient."""

    inner: Any = None

    def __init__(self, thing: Any, values: dict[str, Any]):
        super().__init__(thing, values)
        self.numbers: dict[int, Any] = {}  # number of a weight -> the weight
        self.waiting: dict[int, Any] = {}  # what a checkpoint holds for it, until it is seen
        self.group: dict[str, Any] = {}  # what a checkpoint holds for the group
        self.rates: tuple[float, float] = (1.0, 1.0)

    def set(self, name: str, value: Any) -> None:
        super().set(name, value)
        if self.inner is not None:
            self._rate()

    def step(
        self, weights: list[tuple[int, Any, Any]], lr_scale: float, decay_scale: float
    ) -> None:
        seed_others()
        for number, weight, _ in weights:
            if number not in self.numbers:
                self._join(number, weight)
        self.rates = (lr_scale, decay_scale)
        self._rate()
        given = {number: gradient for number, _, gradient in weights}
        held = [
            (w, w.grad) for number, w in self.numbers.items() if w.grad is not given.get(number)
        ]
        for number, weight in self.numbers.items():  # others have their turn with other rates
            weight.grad = given.get(number)
        # The class may ask for gradients within; the trainer has switched them off.
        self.inner.step()
        for weight, gradient in held:
            weight.grad = gradient

    def _join(self, number: int, weight: Any) -> None:
        self.numbers[number] = weight
        if self.inner is None:
            self.inner = self.thing([weight], **_keywords(self.thing, self.values))
            self.inner.param_groups[0].update(self.group)
        else:
            self.inner.param_groups[0]["params"].append(weight)
        if number in self.waiting:
            self.inner.state[weight] = self.waiting.pop(number)

    def _rate(self) -> None:
        group = self.inner.param_groups[0]
        for name, value in self.values.items():
            if isinstance(value, float) and name in group:
                scale = {"lr": self.rates[0], "weight_decay": self.rates[1]}.get(name, 1.0)
                group[name] = value * scale if scale != 1.0 else value

    def state(self) -> Any:
        if self.inner is None:
            return {"weights": self.waiting, "group": self.group} if self.waiting else None
        kept = {
            number: self.inner.state[weight]
            for number, weight in self.numbers.items()
            if weight in self.inner.state
        }
        group = {name: v for name, v in self.inner.param_groups[0].items() if name != "params"}
        return {"weights": kept | self.waiting, "group": group}

    def load_state(self, state: Any) -> None:
        self.waiting, self.group = state["weights"], state["group"]


class Dataset(Adapter):
    def columns(self) -> tuple[str, list[Any]]:
        return columns.of(self.part)


_KINDS = {
    "callback": Callback,
    "model": Model,
    "loss": Loss,
    "metric": Metric,
    "schedule": Schedule,
    "transform": Transform,
    "optimizer": Optimizer,
    "dataset": Dataset,
}


def adapter(kind: str, name: str, sha256: str, values: dict[str, Any]) -> Any:
    thing = _thing(name, sha256)
    return searching.Search(thing, values) if kind == "search" else _KINDS[kind](thing, values)
