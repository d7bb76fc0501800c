# SPDX-License-Identifier: Apache-2.0
"""Optimizers' formulas as they were published, one tensor of weights at a time, in NumPy's float64."""

import math

import numpy as np

SHAPES = {"filter": (3, 2, 2, 2), "matrix": (4, 3), "vector": (5,)}
STEPS = 6


def numbers(shape, seed):
    """In (-1, 1), and matrices of full rank; optimizer_published.cpp has the same."""
    i = np.arange(math.prod(shape), dtype=np.float64)
    return np.sin(1.7 * i + 0.9 * np.sin(0.45 * i * i) + 0.3 * seed + 0.1).reshape(shape)


def begin():
    return [numbers(shape, seed) for seed, shape in enumerate(SHAPES.values())]


def gradients(step, weights, bent=False):
    """Of step 1, 2, ...: given numbers; bent, a function of the weights as well."""
    given = [numbers(w.shape, 10 * step + i) for i, w in enumerate(weights)]
    return [g + w**3 for g, w in zip(given, weights)] if bent else given


def norm(x):
    return math.sqrt((x * x).sum())


class Each:
    """A formula for one tensor of weights: `step(w, g, t)` returns the new w and may keep things in self.s."""

    def __init__(self, **params):
        self.__dict__.update(params)
        self.states = {}

    def __call__(self, weights, grads, t):
        result = []
        for i, (w, g) in enumerate(zip(weights, grads)):
            self.s = self.states.setdefault(i, {})
            result.append(self.step(w, g, t))
        return result

    def average(self, name, x, beta):
        self.s[name] = beta * self.s.get(name, np.zeros_like(x)) + (1 - beta) * x
        return self.s[name]


class Sgd(Each):
    def step(self, w, g, t):
        self.s["v"] = self.momentum * self.s["v"] + g if t > 1 else g
        return w - self.lr * self.s["v"]


class AdamW(Each):
    def step(self, w, g, t):
        m = self.average("m", g, self.beta1) / (1 - self.beta1**t)
        v = self.average("v", g * g, self.beta2) / (1 - self.beta2**t)
        return w - self.lr * self.weight_decay * w - self.lr * m / (np.sqrt(v) + self.eps)


class RAdam(Each):
    def step(self, w, g, t):
        w = w - self.lr * self.weight_decay * w
        m = self.average("m", g, self.beta1) / (1 - self.beta1**t)
        v = self.average("v", g * g, self.beta2)
        most = 2 / (1 - self.beta2) - 1
        r = most - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if r <= 5:
            return w - self.lr * m
        certain = math.sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r))
        return w - self.lr * certain * m * math.sqrt(1 - self.beta2**t) / (np.sqrt(v) + self.eps)


class Lion(Each):
    def step(self, w, g, t):
        c = self.beta1 * self.s.get("m", 0 * g) + (1 - self.beta1) * g
        self.average("m", g, self.beta2)
        return w - self.lr * (np.sign(c) + self.weight_decay * w)


class RmsProp(Each):
    def step(self, w, g, t):
        g = g + self.weight_decay * w
        v = self.average("v", g * g, self.alpha)
        if self.centered:
            v = v - self.average("m", g, self.alpha) ** 2
        step = g / (np.sqrt(v) + self.eps)
        self.s["b"] = self.momentum * self.s.get("b", 0) + step
        return w - self.lr * self.s["b"]


class Adagrad(Each):
    def step(self, w, g, t):
        g = g + self.weight_decay * w
        self.s["sum"] = self.s.get("sum", self.initial) + g * g
        lr = self.lr / (1 + (t - 1) * self.lr_decay)
        return w - lr * g / (np.sqrt(self.s["sum"]) + self.eps)


class Lamb(Each):
    def step(self, w, g, t):
        m = self.average("m", g, self.beta1) / (1 - self.beta1**t)
        v = self.average("v", g * g, self.beta2) / (1 - self.beta2**t)
        u = m / (np.sqrt(v) + self.eps) + self.weight_decay * w
        return w - self.lr * norm(w) / norm(u) * u


class Lars(Each):
    def step(self, w, g, t):
        local = self.trust * norm(w) / (norm(g) + self.weight_decay * norm(w))
        self.s["v"] = self.momentum * self.s.get("v", 0) + self.lr * local * (
            g + self.weight_decay * w
        )
        return w - self.s["v"]


class Adafactor(Each):
    """Shazeer and Stern's algorithms 4 and 5, with the bounds of PyTorch."""

    def step(self, w, g, t):
        tiny = float(np.finfo(np.float32).eps)
        beta2 = 1 - t**self.decay
        rate = max(self.eps, norm(w) / math.sqrt(w.size)) * min(self.lr, 1 / math.sqrt(t))
        if g.ndim > 1:
            rows = self.average("r", (g * g).mean(-1), beta2)
            columns = self.average("c", (g * g).mean(-2), beta2)
            whole = np.maximum(rows.mean(-1), tiny)[..., None, None]
            v = rows[..., :, None] * columns[..., None, :] / whole
        else:
            v = self.average("v", g * g, beta2)
        u = g / np.sqrt(np.maximum(v, tiny**2))
        u = u / max(1, norm(u) / math.sqrt(u.size) / self.clip)
        return w * (1 - self.lr * self.weight_decay) - rate * u


class Muon(Each):
    def step(self, w, g, t):
        b = self.average("b", g, self.momentum)
        if self.nesterov:
            b = self.momentum * b + (1 - self.momentum) * g
        x = b.reshape(len(b), -1)
        rows, columns = x.shape
        x = x.T if rows > columns else x
        x = x / norm(x)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        x = (x.T if rows > columns else x).reshape(w.shape)
        scale = math.sqrt(max(1, rows / columns))
        if self.adjust == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        return w * (1 - self.lr * self.weight_decay) - self.lr * scale * x


class Soap(Each):
    """Algorithm 3 with the authors' order of things: no step at first, decay and matrices after it."""

    def step(self, w, g, t):
        g = g.reshape(len(g), -1)
        sides = {"l": g @ g.T, "r": g.T @ g} if w.ndim > 1 else {}
        sides = {name: m for name, m in sides.items() if len(m) <= self.max_dim}

        def rotate(x, back=False):
            if "l" in sides:
                x = (self.s["Ql"] if back else self.s["Ql"].T) @ x
            if "r" in sides:
                x = x @ (self.s["Qr"].T if back else self.s["Qr"])
            return x

        if t > 1:
            k = t - 1
            m = rotate(self.average("m", g, self.beta1)) / (1 - self.beta1**k)
            v = self.average("v", rotate(g) ** 2, self.beta2)
            # eps is added before the bias of the root is taken away, as Adam's first paper has it
            n = rotate(m * math.sqrt(1 - self.beta2**k) / (np.sqrt(v) + self.eps), back=True)
            w = (w - self.lr * n.reshape(w.shape)) * (1 - self.lr * self.weight_decay)
        for dim, (name, outer) in enumerate(sides.items()):
            m = self.average(name, outer, self.beta2)
            if t == 1:
                self.s["Q" + name] = np.linalg.eigh(m)[1][:, ::-1]
            elif (t - 1) % self.every == 0:
                q = self.s["Q" + name]
                order = np.argsort(-np.diag(q.T @ m @ q), kind="stable")
                axis = dim if len(sides) == 2 else {"l": 0, "r": 1}[name]
                self.s["v"] = np.take(self.s["v"], order, axis=axis)
                self.s["Q" + name] = np.linalg.qr(m @ q[:, order])[0]
        return w


class Sam:
    """Around a formula; gradients are functions of the weights."""

    bent = True

    def __init__(self, inner, rho, adaptive):
        self.inner, self.rho, self.adaptive = inner, rho, adaptive

    def __call__(self, weights, grads, t):
        size = [np.abs(w) if self.adaptive else np.ones_like(w) for w in weights]
        whole = math.sqrt(sum(((s * g) ** 2).sum() for s, g in zip(size, grads)))
        there = [w + self.rho * s * s * g / whole for w, s, g in zip(weights, size, grads)]
        return self.inner(weights, gradients(t, there, bent=True), t)


class Ranger:
    def __init__(self, inner, k, alpha):
        self.inner, self.k, self.alpha, self.slow = inner, k, alpha, begin()

    def __call__(self, weights, grads, t):
        flat = [
            g - g.mean(axis=tuple(range(1, g.ndim)), keepdims=True) if g.ndim > 1 else g
            for g in grads
        ]
        weights = self.inner(weights, flat, t)
        if t % self.k == 0:
            self.slow = [s + self.alpha * (w - s) for s, w in zip(self.slow, weights)]
            weights = [s.copy() for s in self.slow]
        return weights


class ScheduleFree:
    """Equations 3 to 5 of the paper, weighted as its appendix says; `rates` are the inner optimizer's at each step."""

    def __init__(self, inner, beta, weight_decay, rates, power=0):
        self.inner, self.beta, self.decay, self.rates = inner, beta, weight_decay, rates
        self.z, self.x, self.sum, self.power = begin(), begin(), 0, power

    def __call__(self, weights, grads, t):
        lr = self.inner.lr = self.rates[t - 1]
        z = [z - lr * self.decay * y for z, y in zip(self.z, weights)]
        self.z = self.inner(z, grads, t)
        counts = t**self.power * max(self.rates[:t]) ** 2
        self.sum += counts
        c = counts / self.sum
        self.x = [(1 - c) * x + c * z for x, z in zip(self.x, self.z)]
        return [(1 - self.beta) * z + self.beta * x for z, x in zip(self.z, self.x)]


def philox(key, block):
    """Philox4x32-10 (Salmon et al. 2011) of the counter (block, 0, 0, 0)."""
    c, k, mask = [block, 0, 0, 0], [key & 0xFFFFFFFF, key >> 32], 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & mask, (a >> 32) ^ c[3] ^ k[1], a & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def uniforms(key, n):
    words = [word for block in range(n) for word in philox(key, block)]
    return [((words[2 * i] << 32 | words[2 * i + 1]) >> 11) * 2.0**-53 for i in range(n)]


class Sophia(Each):
    """Algorithm 3 of Liu et al. with their estimator 2, of the model scores = X matrix + vector[:3] on six items."""

    ITEMS = 6

    def __call__(self, weights, grads, t):
        if (t - 1) % self.every == 0:
            self.sampled = self.look(*weights, t)
        self.which = iter(range(len(weights)))
        return super().__call__(weights, grads, t)

    def look(self, filters, matrix, vector, t):
        x = numbers((self.ITEMS, 4), 3)
        scores = np.exp(x @ matrix + vector[:3])
        shares = scores / scores.sum(1, keepdims=True)
        labels = (shares.cumsum(1) <= np.array(uniforms(t, self.ITEMS))[:, None]).sum(1)
        error = (shares - np.eye(3)[labels]) / self.ITEMS
        return [0 * filters, x.T @ error, np.append(error.sum(0), [0, 0])]

    def step(self, w, g, t):
        i = next(self.which)
        m = self.average("m", g, self.beta1)
        if (t - 1) % self.every == 0:
            self.average("h", self.ITEMS * self.sampled[i] ** 2, self.beta2)
        w = w - self.lr * self.weight_decay * w
        return w - self.lr * np.clip(m / np.maximum(self.rho * self.s["h"], 1e-12), -1, 1)
