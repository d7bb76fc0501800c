# SPDX-License-Identifier: Apache-2.0
"""Studies for the page: small ones like those that people run, hostile ones, large ones."""

import math
import random
import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import journals  # noqa: E402

HOSTILE = [
    "<img src=x onerror=\"window.pwned='img'\">",
    "</script><script>window.pwned='script'</script>",
    "<a href=\"javascript:window.pwned='link'\">here</a> <b>bold</b>",
    "\x1b[2J\x1b[31mred\x07 \u202etxt.exe {{script}} %{x} $\\alpha$",
    "n" * 10_000,
    "=cmd|' /C calc'!A0, \"quoted\"\r\nnext",
]


def curve(seed: int, arm: float, epochs: int) -> tuple[list[float], list[float]]:
    draw = random.Random(f"{seed}/{arm}")
    loss = [
        2.3 * math.exp(-0.25 * (1 + arm) * step / 10) + 0.2 + draw.gauss(0, 0.03)
        for step in range(epochs * 10)
    ]
    return loss, [
        0.9 - 0.5 * math.exp(-(1 + arm) * (e + 1) / 3) + draw.gauss(0, 0.01) for e in range(epochs)
    ]


def write_trial(
    folder: Path, trial: str, arm: str, seed: int, effect: float, epochs=8, **last
) -> None:
    """Over what journals.write_study wrote: with curves, and the study's metric as they end."""
    loss, accuracy = curve(seed, effect, epochs)
    metrics = {"train.loss": loss[-1], "valid.accuracy": accuracy[-1]} | last
    end = dict(status="done", message="", steps=len(loss), seconds=1.5 + seed, epochs=epochs)
    (folder / "journal" / f"{trial}.log").write_bytes(
        journals.MAGIC
        + journals.event(
            event="start", id=trial, arm=arm, seed=seed, facts={"steps_per_epoch": 10}, time=1.0
        )
        + journals.series("train.loss", "nat")
        + journals.series("valid.accuracy", "1")
        + journals.points(0, range(1, len(loss) + 1), loss)
        + journals.points(1, range(10, len(loss) + 1, 10), accuracy)
        + journals.event(event="end", final=metrics, best=metrics, weights_sha256="00", **end)
    )


def arms(folder: Path, effects: dict[str, float], seeds=8, failed=(), epochs=8, **study) -> Path:
    """A study of arms with learning curves; `failed`: (arm, seed) that have no result."""
    journals.write_study(
        folder,
        {arm: {s: None if (arm, s) in failed else 0.5 for s in range(seeds)} for arm in effects},
        **{"question": "Does Lookahead help SGD once the rate is annealed?"} | study,
    )
    for number, (arm, effect) in enumerate(effects.items()):
        for seed in range(seeds):
            if (arm, seed) not in failed:
                write_trial(folder, f"{number:02x}{seed:06x}", arm, seed, effect, epochs)
    return folder


def two_arms(folder: Path) -> Path:
    return arms(folder, {"sgd": 0.0, "lookahead": 0.25}, margin=0.005)


def hostile(folder: Path) -> Path:
    """Names, question, messages and values that want to be more than text."""
    effects = {name: 0.1 * i for i, name in enumerate(HOSTILE)}
    arms(folder, effects, seeds=6, question=HOSTILE[1] + HOSTILE[0], failed=[(HOSTILE[1], 2)])
    broken = journals.trial_journal(
        "01000002", HOSTILE[1], 2, {}, end="failed", message=HOSTILE[0] + HOSTILE[3]
    )
    (folder / "journal" / "01000002.log").write_bytes(broken)
    for seed, value in enumerate((math.nan, math.inf, -math.inf)):
        trial = f"02{seed:06x}"
        journal = journals.trial_journal(
            trial, HOSTILE[2], seed, {"valid.accuracy": value}, end=None
        )
        journal += journals.series("valid.accuracy", HOSTILE[0])
        journal += journals.points(1, [5, 10], [value, value])
        end = dict(status="done", message="", steps=10, seconds=1.0, epochs=2, weights_sha256="00")
        metrics = {"valid.accuracy": value}
        (folder / "journal" / f"{trial}.log").write_bytes(
            journal + journals.event(event="end", final=metrics, best=metrics, **end)
        )
    (folder / "study.toml").write_text(f"# {HOSTILE[1]}\n")
    (folder / "paribus.lock").write_text(
        '{"plugins": [{"file": "/a/<b>.so", "sha256": "<i>", "parts": ["<u>"]}]}'
    )
    return folder


def sweep(folder: Path, points=60) -> Path:
    draw = random.Random(5)
    values, results = {}, {}
    for i in range(points):
        rate, momentum = 10 ** draw.uniform(-4, 0), draw.choice([0.0, 0.9, 0.99])
        model = draw.choice(["mlp", "convnet"])
        name = f"optimizer.lr={rate:.5g}, optimizer.momentum={momentum}, model={model}, n={i}"
        values[name] = {
            "optimizer.lr": rate,
            "optimizer.momentum": momentum,
            "model": {"use": model},
        }
        best = 0.9 - 0.08 * (math.log10(rate) + 2) ** 2 + 0.03 * (model == "convnet")
        results[name] = {0: best + draw.gauss(0, 0.01)}
    axes = ["optimizer.lr", "optimizer.momentum", "model"]
    return journals.write_study(folder, results, axes=axes, values=values, question="Which rate?")


def factorial(folder: Path) -> Path:
    names = {"full": [1, 1], "no crop": [0, 1], "no ema": [1, 0], "none": [0, 0]}
    design = {
        "kind": "factorial",
        "factors": ["data.transforms.crop", "callback.ema"],
        "on": [list(map(bool, on)) for on in names.values()],
    }
    return arms(
        folder,
        {name: 0.2 * on[0] + 0.05 * on[1] for name, on in names.items()},
        design=design,
        question="Which parts matter?",
    )


def long_study(folder: Path, trials=4, points=100_000) -> Path:
    """Each trial with `points` points of one series, among them one far below and one far above all others."""
    names = {"a": range(trials // 2), "b": range(trials - trials // 2)}
    journals.write_study(
        folder,
        {arm: dict.fromkeys(seeds, 0.5) for arm, seeds in names.items()},
        metric="train.loss",
        goal="minimize",
    )
    body, at = b"", {points // 3: -50.0, points // 2: 70.0}
    for first in range(1, points + 1, 8000):
        steps = range(first, min(first + 8000, points + 1))
        payload = b"".join(
            (
                journals._varint(0)
                + journals._varint(2 * (s if s == steps[0] else 1))
                + struct.pack("<d", at.get(s, math.sin(s / 500)))
            )
            for s in steps
        )
        body += journals.record(journals.POINTS, payload)
    for number, (arm, seeds) in enumerate(names.items()):
        for seed in seeds:
            trial, metrics = f"{number:02x}{seed:06x}", {"train.loss": 0.1 * seed}
            (folder / "journal" / f"{trial}.log").write_bytes(
                journals.MAGIC
                + journals.event(
                    event="start",
                    id=trial,
                    arm=arm,
                    seed=seed,
                    facts={"steps_per_epoch": 100},
                    time=1.0,
                )
                + journals.series("train.loss", "nat")
                + body
                + journals.event(
                    event="end",
                    status="done",
                    message="",
                    steps=points,
                    seconds=1.0,
                    epochs=1,
                    final=metrics,
                    best=metrics,
                    weights_sha256="00",
                )
            )
    return folder


def seen(folder: Path) -> Path:
    """Trials that recorded pictures and histograms, of hostile names too, and samples of the machine."""
    arms(folder, {"plain": 0.0, HOSTILE[0]: 0.2}, seeds=3)
    for number in range(2):
        for seed in range(3):
            path = folder / "journal" / f"{number:02x}{seed:06x}.log"
            body = b""
            for step in (10, 20, 30):
                for name in ("weights.a", HOSTILE[1]):
                    body += journals.histogram(name, step, -step / 10, 1.0, [step, 5, 3, 2])
                body += journals.picture("valid.pictures", step, png(40, 24, step))
            body += journals.histogram("empty", 10, 0.0, 0.0, [0, 0], not_finite=9)
            body += journals.picture(HOSTILE[4], 10, b"no picture")
            path.write_bytes(path.read_bytes() + body)
    log = journals.MAGIC + journals.event(event="start", time=1000.0, every=1)
    for name, unit in (("cpu", "%"), ("energy", "J"), ("trials/00000000/memory", "B")):
        log += journals.series(name, unit)
    steps = [*range(20), *range(200, 1400)]  # it stood still in between
    for at, series in enumerate(([50.0] * 1220, range(1220), [4e8] * 1220)):
        values = [float(one) for one in series]
        if at == 0:
            values[700] = 99.5
        log += journals.points(at, steps, values)
    (folder / "journal" / "system.log").write_bytes(log)
    return folder


def interpreted(folder: Path) -> Path:
    """Trials of callback/interpret and callback/grad_cam: in the second arm classes of hostile names, and numbers that are none."""
    arms(folder, {"plain": 0.0, "hostile": 0.2}, seeds=2)
    for number, names in enumerate((["cat", "dog", "owl"], [HOSTILE[0], HOSTILE[1], HOSTILE[3]])):
        for seed in range(2):
            path = folder / "journal" / f"{number:02x}{seed:06x}.log"
            body = b"".join(interpretation(names, step, seed, number == 1) for step in (10, 80))
            path.write_bytes(path.read_bytes() + body)
    return folder


def interpretation(names: list[str], step: int, seed: int, is_odd: bool) -> bytes:
    """Of 30 items each; the second class is taken for the third 7 + seed times."""
    wrong = 7 + seed
    cells = [(0, 0, 30), (1, 1, 30 - wrong), (1, 2, wrong), (2, 0, 1), (2, 2, 29)]
    nan = math.nan
    return b"".join(
        [
            journals.table(
                "valid.confusion",
                step,
                dict(zip(("class", "taken", "count"), map(list, zip(*cells)))),
            ),
            journals.table(
                "valid.classes",
                step,
                {
                    "class": [0, 1, 2],
                    "name": names,
                    "items": [30, 30, 30],
                    "taken": [31, 30 - wrong, 29 + wrong],
                    "right": [30, 30 - wrong, 29],
                    "precision": [30 / 31, 1.0, 29 / (29 + wrong)],
                    "recall": [1.0, 1 - wrong / 30, 29 / 30],
                    "f1": [60 / 61, nan if is_odd else 0.9 - 0.01 * seed, 0.8],
                },
            ),
            journals.table(
                "valid.calibration",
                step,
                {
                    "low": [0.0, 0.5],
                    "high": [0.5, 1.0],
                    "items": [0, 90],
                    "confidence": [nan, 0.95],
                    "accuracy": [nan, 0.85],
                },
            ),
            journals.table(
                "valid.worst",
                step,
                {
                    "item": [12, 5],
                    "class": [1, 2],
                    "name": [names[1], names[2]],
                    "taken": [2, 0],
                    "taken_name": [names[2], names[0]],
                    "loss": [nan if is_odd else 6.5, 4.25],
                    "probability": [0.0015, 0.0143],
                    "confidence": [0.99, 0.75],
                },
            ),
            journals.picture("valid.worst", step, png(272, 136, 90)),
            journals.table(
                "valid.grad_cam",
                step,
                {
                    "item": [12, 12, 5, 5],
                    "class": [2, 2, 0, 0],
                    "row": [0, 0, 0, 0],
                    "column": [0, 1, 0, 1],
                    "value": [0.5, 1.0, 0.0, 0.25],
                },
            ),
            journals.picture("valid.grad_cam", step, png(272, 272, 160)),
        ]
    )


def png(width: int, height: int, shade: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
