# SPDX-License-Identifier: Apache-2.0
"""What optimizer.cpp does, with torch.optim's fused kernels, where it has none with foreach: `torch_optimizer.py THREADS`."""

import sys
import time

import numpy as np
import torch
from side import serve


def resnet18():
    shapes, inside = [(64, 3, 7, 7), (64,), (64,)], 64
    for out in (64, 128, 256, 512):
        for start in (inside, out):
            for channels in (start, out):
                shapes += [(out, channels, 3, 3), (out,), (out,)]
            if start != out:
                shapes += [(out, start, 1, 1), (out,), (out,)]
        inside = out
    return [*shapes, (1000, 512), (1000,)]


LISTS = {
    "resnet18": resnet18(),
    "200x1000": [(1000,)] * 200,
    "mlp": [(64, 784), (64,), (10, 64), (10,)],
}


def made_weights(shapes):
    torch.manual_seed(0)
    weights = []
    for shape in shapes:
        weight = torch.nn.Parameter(torch.randn(shape))
        weight.grad = torch.randn(shape)
        weights.append(weight)
    return weights


class Lookahead:
    """torch.optim has none: fused SGD, and each fifth step on slow weights by foreach kernels."""

    def __init__(self, weights):
        self.inner = torch.optim.SGD(weights, lr=1e-4, momentum=0.9, fused=True)
        self.fast = weights
        self.slow = [weight.detach().clone() for weight in weights]
        self.count = 0

    @torch.no_grad()
    def step(self):
        self.inner.step()
        self.count += 1
        if self.count % 5 == 0:
            torch._foreach_lerp_(self.slow, self.fast, 0.5)
            torch._foreach_copy_(self.fast, self.slow)


class Lion:
    """torch.optim has none: the authors' three lines by foreach kernels."""

    def __init__(self, weights):
        self.weights = weights
        self.means = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self):
        grads = [weight.grad for weight in self.weights]
        ahead = torch._foreach_lerp(self.means, grads, 0.1)
        torch._foreach_sign_(ahead)
        torch._foreach_add_(self.weights, ahead, alpha=-1e-4)
        torch._foreach_lerp_(self.means, grads, 0.01)


MAKERS = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=1e-4, momentum=0.9, fused=True),
    "adamw": lambda weights: torch.optim.AdamW(weights, lr=1e-4, fused=True),
    "lookahead": Lookahead,
    "radam": lambda weights: torch.optim.RAdam(weights, lr=1e-4, foreach=True),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, lr=1e-4, foreach=True),
    "lion": Lion,
}


class Stepped:
    def __init__(self, optimizer, shapes):
        self.weights = made_weights(shapes)
        self.optimizer = MAKERS[optimizer](self.weights)

    def __call__(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            self.optimizer.step()
        seconds = time.perf_counter() - start
        return {"seconds": seconds / steps, "check": self.checksum()}

    def checksum(self):
        words = (w.detach().numpy().reshape(-1).view(np.uint32) for w in self.weights)
        return int(np.bitwise_xor.reduce([np.bitwise_xor.reduce(w) for w in words]))


def variant(optimizer, shapes):
    made = []

    def run(steps):
        if not made:
            made.append(Stepped(optimizer, shapes))
        return made[0](steps)

    return run


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    serve({f"{o}/{name}": variant(o, shapes) for o in MAKERS for name, shapes in LISTS.items()})
