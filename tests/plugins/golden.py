# SPDX-License-Identifier: Apache-2.0
"""Writes golden.json: what PyTorch's optimizers, schedulers and losses give, and formulas that aren't PyTorch's from NumPy.

    .venv/bin/python tests/plugins/golden.py            write golden.json
    .venv/bin/python tests/plugins/golden.py --check    compare it with what this PyTorch gives; exit status 1 if it differs

The tests of our parts in this folder are held against the file.
"""

import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

warnings.filterwarnings(
    "ignore", message=".*lr_scheduler.step.*|.*epoch parameter.*"
)  # schedulers are read without optimizers
FILE = Path(__file__).with_name("golden.json")
SHAPES = [(4, 3), (5,)]
STEPS = 5


def part(kind, use, slots=None, **params):
    """A PartSpec as the resolved configuration writes it: every value with its type."""

    def tagged(value):
        for type_, tag in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
            if isinstance(value, type_):
                return {tag: value}
        return {"floats": value}

    slots = {name: spec | {"address": f"{kind}.{name}"} for name, spec in (slots or {}).items()}
    return {
        "kind": kind,
        "use": use,
        "address": kind,
        "params": {name: tagged(value) for name, value in params.items()},
        "slots": slots,
    }


def numbers(shape, seed):
    """Float32 numbers in (-1, 1) that no library's generator decides."""
    count = math.prod(shape)
    return torch.tensor(
        [math.sin(1.7 * i + 0.3 * seed + 0.1) for i in range(count)], dtype=torch.float32
    ).reshape(shape)


def flat(tensors):
    return [float(x) for tensor in tensors for x in tensor.detach().flatten()]


def trajectory(make, after_step=lambda step, weights: None):
    """All weights after each step."""
    weights = [torch.nn.Parameter(numbers(shape, seed)) for seed, shape in enumerate(SHAPES)]
    optimizer = make(weights)
    result = []
    for step in range(1, STEPS + 1):
        for i, weight in enumerate(weights):
            weight.grad = numbers(weight.shape, 10 * step + i)
        optimizer.step()
        after_step(step, weights)
        result.append(flat(weights))
    return result


class Lookahead:
    """Lookahead after the paper's algorithm 1, in NumPy's float32, around any trajectory."""

    def __init__(self, k, alpha):
        self.k, self.alpha = k, np.float32(alpha)
        self.slow = [numbers(shape, seed).numpy().copy() for seed, shape in enumerate(SHAPES)]

    def __call__(self, step, weights):
        if step % self.k == 0:
            for slow, weight in zip(self.slow, weights):
                slow += self.alpha * (weight.detach().numpy() - slow)
                weight.data.copy_(torch.from_numpy(slow))


def optimizers():
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    cases = []

    def case(name, spec, make, after_step=lambda step, weights: None):
        cases.append({"name": name, "part": spec, "weights": trajectory(make, after_step)})

    for name, options in {
        "plain": {},
        "decay": {"weight_decay": 0.1},
        "momentum": {"momentum": 0.9},
        "dampening": {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
        "nesterov": {"momentum": 0.9, "weight_decay": 0.05, "nesterov": True},
    }.items():
        make = lambda weights, options=options: sgd(weights, lr=0.1, foreach=False, **options)
        case(f"sgd_{name}", part("optimizer", "sgd", lr=0.1, **options), make)
    for use, torch_class, decay in (("adam", adam, 0.3), ("adamw", adamw, 0.3)):
        for amsgrad in (False, True):
            make = lambda weights, c=torch_class, a=amsgrad: c(
                weights,
                lr=0.02,
                betas=(0.8, 0.9),
                eps=1e-6,
                weight_decay=decay,
                amsgrad=a,
                foreach=False,
            )
            params = {
                "lr": 0.02,
                "beta1": 0.8,
                "beta2": 0.9,
                "eps": 1e-6,
                "weight_decay": decay,
                "amsgrad": amsgrad,
            }
            case(f"{use}{'_amsgrad' if amsgrad else ''}", part("optimizer", use, **params), make)
        case(
            f"{use}_defaults",
            part("optimizer", use),
            lambda weights, c=torch_class: c(weights, foreach=False),
        )
    make = lambda weights: sgd(weights, lr=0.1, momentum=0.9, foreach=False)
    inner = part("optimizer", "sgd", lr=0.1, momentum=0.9)
    for k, alpha in ((2, 0.5), (3, 0.8), (1, 0.2)):
        spec = part("optimizer", "lookahead", slots={"inner": inner}, k=k, alpha=alpha)
        case(f"lookahead_k{k}", spec, make, Lookahead(k, alpha))
    return cases


def torch_schedule(make, n, per_epoch=None, base=0.4, key="lr"):
    """A PyTorch scheduler's values at steps 0 .. n - 1; stepped each epoch where `per_epoch` says how many steps that is."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base, momentum=0.9)
    scheduler = make(optimizer)
    values = []
    for step in range(n):
        values.append(optimizer.param_groups[0][key])
        if per_epoch is None or (step + 1) % per_epoch == 0:
            scheduler.step()
    return values


def fastai_cycle(n, start, middle, end, pct):
    """fastai's combined_cos (callback/schedule.py: combine_scheds of two SchedCos), at its positions step / n."""

    def sched_cos(a, b, pos):
        return a + (1 + math.cos(math.pi * (1 - pos))) * (b - a) / 2

    def at(pos):
        return (
            sched_cos(start, middle, pos / pct)
            if pos < pct
            else sched_cos(middle, end, (pos - pct) / (1 - pct))
        )

    return [at(step / n) for step in range(n)]


def schedules():
    lr = torch.optim.lr_scheduler
    cases = []

    def case(name, spec, values, per_epoch, base=0.4):
        cases.append(
            {"name": name, "part": spec, "base": base, "per_epoch": per_epoch, "values": values}
        )

    for n, per_epoch in ((20, 4), (97, 97), (118, 59), (4, 2)):
        for shape, anneal in (("cosine", "cos"), ("linear", "linear")):
            make = lambda o: lr.OneCycleLR(o, 0.4, total_steps=n, anneal_strategy=anneal)
            values = torch_schedule(lambda o: Stopped(make(o), n), n)
            spec = part("schedule", "one_cycle", convention="pytorch", shape=shape)
            case(f"one_cycle_pytorch_{shape}_{n}", spec, values, per_epoch)
        values = torch_schedule(
            lambda o: Stopped(lr.OneCycleLR(o, 0.4, total_steps=n), n), n, key="momentum"
        )
        spec = part("schedule", "one_cycle", convention="pytorch", start=0.95, max=0.85, end=0.95)
        case(f"one_cycle_pytorch_momentum_{n}", spec, values, per_epoch, base=0.9)
        spec = part("schedule", "one_cycle", max=0.8)
        case(
            f"one_cycle_fastai_{n}",
            spec,
            fastai_cycle(n, 0.8 / 25, 0.8, 0.8 / 1e5, 0.25),
            per_epoch,
        )
        spec = part("schedule", "one_cycle", start=0.95, max=0.85, end=0.95)
        case(
            f"one_cycle_fastai_momentum_{n}",
            spec,
            fastai_cycle(n, 0.95, 0.85, 0.95, 0.25),
            per_epoch,
            base=0.9,
        )
        case(
            f"cosine_{n}",
            part("schedule", "cosine"),
            torch_schedule(lambda o: lr.CosineAnnealingLR(o, n), n),
            per_epoch,
        )
        make = lambda o: lr.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=n)
        case(f"linear_{n}", part("schedule", "linear", to=0.1), torch_schedule(make, n), per_epoch)
    make = lambda o: lr.CosineAnnealingLR(o, 20, eta_min=0.4 * 0.01)
    case("cosine_to", part("schedule", "cosine", to=0.01), torch_schedule(make, 20), 4)
    values = [0.4] * 15 + torch_schedule(lambda o: lr.CosineAnnealingLR(o, 5), 5)
    case("cosine_flat", part("schedule", "cosine", begin=0.75), values, 4)
    for per_epoch in (1, 3, 7):
        n = 9 * per_epoch
        values = torch_schedule(lambda o: lr.StepLR(o, 2, gamma=0.3), n, per_epoch)
        case(
            f"step_every_{per_epoch}",
            part("schedule", "step", every=2.0, gamma=0.3),
            values,
            per_epoch,
        )
        values = torch_schedule(lambda o: lr.MultiStepLR(o, [3, 4, 8], gamma=0.2), n, per_epoch)
        case(
            f"step_milestones_{per_epoch}",
            part("schedule", "step", milestones=[3.0, 4.0, 8.0], gamma=0.2),
            values,
            per_epoch,
        )
        values = torch_schedule(lambda o: lr.ExponentialLR(o, 0.7), n, per_epoch)
        case(
            f"exponential_{per_epoch}",
            part("schedule", "exponential", gamma=0.7, staircase=True),
            values,
            per_epoch,
        )
    values = torch_schedule(lambda o: lr.ExponentialLR(o, 0.02 ** (1 / 20)), 20)
    case("exponential_end", part("schedule", "exponential", end=0.02), values, 5)

    def warm(rest, n=20, warmup=4):
        legs = lambda o: [lr.LinearLR(o, start_factor=0.25, total_iters=warmup), rest(o)]
        return torch_schedule(lambda o: lr.SequentialLR(o, legs(o), milestones=[warmup]), n)

    then = {"then": part("schedule", "cosine")}
    values = warm(lambda o: lr.CosineAnnealingLR(o, 16))
    # Float "from" is a keyword of Python, hence the dictionaries.
    case(
        "warmup_fraction",
        part("schedule", "warmup", then, **{"fraction": 0.2, "from": 0.25}),
        values,
        5,
    )
    case(
        "warmup_epochs",
        part("schedule", "warmup", then, **{"epochs": 2.0, "from": 0.25}),
        values,
        2,
    )
    then = {"then": part("schedule", "step", every=3.0, gamma=0.5)}
    values = warm(lambda o: lr.StepLR(o, 6, gamma=0.5))
    case(
        "warmup_then_step",
        part("schedule", "warmup", then, **{"epochs": 2.0, "from": 0.25}),
        values,
        2,
    )
    return cases


class Stopped:
    """OneCycleLR refuses the step after its last; we never look at what would come then."""

    def __init__(self, scheduler, steps):
        self.scheduler, self.left = scheduler, steps - 1

    def step(self):
        if self.left > 0:
            self.scheduler.step()
        self.left -= 1


def losses():
    scores = numbers((6, 4), 1) * 3
    target = torch.tensor([0, 3, 1, 1, 2, 0])
    soft = torch.softmax(numbers((6, 4), 7), dim=1)
    cases = []
    for smoothing in (0.0, 0.1, 1.0):
        for name, aim in (("classes", target), ("soft", soft)):
            score = scores.clone().requires_grad_()
            loss = torch.nn.functional.cross_entropy(score, aim, label_smoothing=smoothing)
            loss.backward()
            cases.append(
                {
                    "name": f"{name}_{smoothing}",
                    "smoothing": smoothing,
                    "scores": flat([scores]),
                    "target": aim.flatten().tolist(),
                    "loss": loss.item(),
                    "grad": flat([score.grad]),
                }
            )
    return cases


def differs(a, b, place=""):
    """The first place where two JSON values are not equal to 1e-6 relative, or None."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next((d for key in a if (d := differs(a[key], b[key], f"{place}/{key}"))), None)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next(
            (d for i, (x, y) in enumerate(zip(a, b)) if (d := differs(x, y, f"{place}/{i}"))), None
        )
    if isinstance(a, float) and isinstance(b, float):
        return None if math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-8) else f"{place}: {a} and {b}"
    return None if a == b else f"{place}: {a!r:.80} and {b!r:.80}"


def main():
    golden = {"optimizers": optimizers(), "schedules": schedules(), "losses": losses()}
    if "--check" not in sys.argv:
        FILE.write_text(
            json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n"
        )
        return 0
    difference = differs(json.loads(FILE.read_text()), json.loads(json.dumps(golden)))
    if difference:
        print(
            f"{FILE.name} differs from PyTorch {torch.__version__} at {difference}", file=sys.stderr
        )
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
