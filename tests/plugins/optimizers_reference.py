# SPDX-License-Identifier: Apache-2.0
"""Writes optimizers_golden.json: what published formulas give, in NumPy's float64, without any of our code.

    .venv/bin/python tests/plugins/optimizers_reference.py            write it
    .venv/bin/python tests/plugins/optimizers_reference.py --check    compare; exit status 1 if it differs

Where torch.optim has the algorithm its steps have to be ours, too, or nothing is written.
"""

import json
import sys
from pathlib import Path

import golden
import numpy as np
import optimizer_formulas as formulas
import torch

FILE = Path(__file__).with_name("optimizers_golden.json")


def trajectory(formula):
    weights, rows = formulas.begin(), []
    for t in range(1, formulas.STEPS + 1):
        weights = formula(
            weights, formulas.gradients(t, weights, getattr(formula, "bent", False)), t
        )
        rows.append([float(f"{x:.9g}") for w in weights for x in w.ravel()])
    return rows


def by_torch(make, flat=False):
    """The same steps by torch.optim; `flat`: with filters as matrices, of two dimensions alone."""

    def tensor(x):
        return torch.tensor(
            x.reshape(len(x), -1) if flat and x.ndim > 2 else x, dtype=torch.float32
        )

    weights = [torch.nn.Parameter(tensor(w)) for w in formulas.begin()]
    weights = [w for w in weights if w.dim() > 1] if flat else weights
    optimizer, rows = make(weights), []
    for t in range(1, formulas.STEPS + 1):
        for w, g in zip(weights, formulas.gradients(t, formulas.begin())):
            w.grad = tensor(g)
        optimizer.step()
        rows.append(golden.flat(weights))
    return rows


def close(ours, torchs, tolerance):
    short = [row[: len(other)] for row, other in zip(ours, torchs)]
    return np.allclose(short, torchs, rtol=tolerance, atol=tolerance)


def wrapped(use, inner, slot="inner", **params):
    return golden.part("optimizer", use, slots={slot: inner}, **params)


def cases():
    result, optim = [], torch.optim

    def case(name, spec, formula, torchs=None, tolerance=1e-5, rates=None):
        rows = trajectory(formula)
        if torchs is not None and not close(rows, torchs[0], torchs[1]):
            sys.exit(f"{name}: the formula here and torch.optim {torch.__version__} differ")
        more = {"rates": rates} if rates else {}
        result.append({"name": name, "part": spec, "tolerance": tolerance, "weights": rows} | more)

    def each(name, formula, torchs=None, tolerance=1e-5, use=None, **params):
        use = use or name
        spec = golden.part("optimizer", use, **params)
        case(name, spec, formula(**params), torchs, tolerance)

    def torchs(make, tolerance=1e-4, flat=False):
        return by_torch(make, flat), tolerance

    betas = {"beta1": 0.8, "beta2": 0.9, "eps": 1e-6, "weight_decay": 0.1}
    adam = {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.1}
    make = lambda w: optim.RAdam(w, lr=0.02, decoupled_weight_decay=True, foreach=True, **adam)
    each("radam", formulas.RAdam, torchs(make), lr=0.02, **betas)
    make = lambda w: optim.RAdam(w, lr=0.02)
    params = {"lr": 0.02, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    each("radam_unrectified", formulas.RAdam, torchs(make), use="radam", **params)
    each("lion", formulas.Lion, lr=0.01, beta1=0.9, beta2=0.99, weight_decay=0.1)
    for name, options in {
        "plain": {"momentum": 0.0, "centered": False, "weight_decay": 0.0},
        "centered": {"momentum": 0.0, "centered": True, "weight_decay": 0.1},
        "momentum": {"momentum": 0.7, "centered": True, "weight_decay": 0.0},
    }.items():
        make = lambda w, o=options: optim.RMSprop(w, lr=0.02, alpha=0.8, eps=1e-3, **o)
        params = options | {"lr": 0.02, "alpha": 0.8, "eps": 1e-3}
        each(f"rmsprop_{name}", formulas.RmsProp, torchs(make), use="rmsprop", **params)
    make = lambda w: optim.Adagrad(
        w, lr=0.1, lr_decay=0.2, eps=1e-8, initial_accumulator_value=0.3, weight_decay=0.1
    )
    params = {"lr": 0.1, "lr_decay": 0.2, "eps": 1e-8, "initial": 0.3, "weight_decay": 0.1}
    each("adagrad", formulas.Adagrad, torchs(make), **params)
    each("lamb", formulas.Lamb, lr=0.1, **betas)
    each("lars", formulas.Lars, lr=2.0, momentum=0.8, trust=0.02, weight_decay=0.1)
    make = lambda w: optim.Adafactor(w, lr=0.3, weight_decay=0.1, eps=(None, 0.05))
    params = {"lr": 0.3, "decay": -0.8, "eps": 0.05, "clip": 1.0, "weight_decay": 0.1}
    each("adafactor", formulas.Adafactor, torchs(make), **params)
    params |= {"clip": 0.3, "weight_decay": 0.0}  # which PyTorch doesn't take
    each("adafactor_clipped", formulas.Adafactor, use="adafactor", **params)
    each("soap", formulas.Soap, lr=0.05, every=2, max_dim=4, tolerance=1e-4, **betas)
    params = {"beta1": 0.9, "beta2": 0.8, "weight_decay": 0.1, "rho": 0.5, "every": 2}
    each("sophia", formulas.Sophia, lr=0.05, **params)

    adamw = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01}
    for name, params in {
        "muon": {"nesterov": True, "adjust": "original", "last": True},
        "muon_match": {"nesterov": False, "adjust": "match_rms_adamw", "last": True},
        "muon_last": {"nesterov": True, "adjust": "original", "last": False},
    }.items():
        params |= {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}
        muon, rest = formulas.Muon(**params), formulas.AdamW(**adamw)
        count = 2 if params["last"] else 1
        formula = lambda w, g, t, m=muon, r=rest, n=count: m(w[:n], g[:n], t) + r(w[n:], g[n:], t)
        make = lambda w: optim.Muon(
            w, lr=0.05, momentum=0.9, nesterov=params["nesterov"], weight_decay=0.1,
            adjust_lr_fn=params["adjust"],
        )  # fmt: skip
        spec = wrapped("muon", golden.part("optimizer", "adamw", **adamw), slot="rest", **params)
        # PyTorch's iterations are in bf16
        theirs = torchs(make, 0.02, flat=True) if params["last"] else None
        case(name, spec, formula, theirs, tolerance=2e-4)

    sgd = {"lr": 0.1, "momentum": 0.9}
    inner = golden.part("optimizer", "sgd", **sgd)
    for adaptive in (False, True):
        spec = wrapped("sam", inner, rho=0.2, adaptive=adaptive)
        case(f"sam{'_adaptive' * adaptive}", spec, formulas.Sam(formulas.Sgd(**sgd), 0.2, adaptive))
    radam = {"lr": 0.02} | betas
    spec = wrapped("ranger", golden.part("optimizer", "radam", **radam), k=2, alpha=0.4)
    case("ranger", spec, formulas.Ranger(formulas.RAdam(**radam), 2, 0.4))
    plain = {"lr": 0.1, "momentum": 0.0}
    spec = wrapped("schedule_free", golden.part("optimizer", "sgd", **plain), beta=0.8)
    case(
        "schedule_free_sgd",
        spec,
        formulas.ScheduleFree(formulas.Sgd(**plain), 0.8, 0, [0.1] * formulas.STEPS),
    )
    rates = [0.01, 0.02, 0.03, 0.04, 0.04, 0.02]
    adam = {"beta1": 0.0, "beta2": 0.9, "eps": 1e-6, "weight_decay": 0.0}
    spec = wrapped(
        "schedule_free",
        golden.part("optimizer", "adamw", **adam),
        **{"weight_decay": 0.1, "power": 1.0},
    )
    formula = formulas.ScheduleFree(formulas.AdamW(lr=0, **adam), 0.9, 0.1, rates, power=1)
    case("schedule_free_adamw", spec, formula, rates=rates)
    return result


def main():
    found = {"optimizers": cases()}
    if "--check" not in sys.argv:
        text = json.dumps(found, separators=(",", ":")).replace('{"name"', '\n{"name"')
        FILE.write_text(text + "\n")
        return 0
    difference = golden.differs(json.loads(FILE.read_text()), json.loads(json.dumps(found)))
    if difference:
        print(f"{FILE.name} differs from the formulas at {difference}", file=sys.stderr)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
