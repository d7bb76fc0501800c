# SPDX-License-Identifier: Apache-2.0
"""Writes journals and made-up studies for the tests, from the format's description alone (docs/results.md)."""

import json
import math
import struct
from pathlib import Path

MAGIC = b"paribus\x01"
EVENT, SERIES, POINTS, HISTOGRAM, PICTURE, TABLE = 1, 2, 3, 7, 8, 9


def _make_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _make_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def record(kind, payload):
    body = struct.pack("<IB", len(payload), kind) + payload
    return body + struct.pack("<I", crc32c(body))


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def event(**fields):
    """JSON has no NaN: null stands for it."""
    return record(EVENT, json.dumps(_without_nan(fields)).encode())


def series(name, unit=""):
    return record(SERIES, struct.pack("<H", len(name.encode())) + name.encode() + unit.encode())


def _varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def points(which, steps, values):
    """All as float64; the reader must not mind."""
    payload, last = bytearray(), 0
    for step, value in zip(steps, values, strict=True):
        move = step - last
        last = step
        payload += _varint(which * 2) + _varint(move << 1 if move >= 0 else (-move << 1) - 1)
        payload += struct.pack("<d", value)
    return record(POINTS, bytes(payload))


def _shown(kind, name, step, rest):
    name = name.encode()
    return record(kind, struct.pack("<H", len(name)) + name + struct.pack("<q", step) + rest)


def histogram(name, step, low, high, counts, total=0.0, squares=0.0, not_finite=0):
    numbers = struct.pack("<4dQ", low, high, total, squares, not_finite)
    return _shown(HISTOGRAM, name, step, numbers + struct.pack(f"<{len(counts)}Q", *counts))


def picture(name, step, png):
    return _shown(PICTURE, name, step, png)


def table(name, step, columns):
    """Of floats, ints or texts, by the first of each column."""
    rows = len(next(iter(columns.values())))
    body = struct.pack("<I", rows)
    for column, values in columns.items():
        kind = {float: 0, int: 1, str: 2}[type(values[0])] if values else 0
        encoded = column.encode()
        body += struct.pack("<BH", kind, len(encoded)) + encoded
        for value in values:
            if kind == 2:
                body += struct.pack("<I", len(value.encode())) + value.encode()
            else:
                body += struct.pack("<q" if kind else "<d", value)
    return _shown(TABLE, name, step, body)


def trial_journal(trial, arm, seed, metrics, *, end="done", message="", steps=10):
    """A trial of ten steps with one series; its end has `metrics` as final and best. `end` None: killed before it."""
    journal = (
        MAGIC
        + event(event="start", id=trial, arm=arm, seed=seed, facts={"steps_per_epoch": 5}, time=1.0)
        + series("train.loss", "nat")
        + points(0, range(1, steps + 1), [1 / step for step in range(1, steps + 1)])
    )
    if end is None:
        return journal
    return journal + event(
        event="end",
        status=end,
        message=message,
        steps=steps,
        seconds=1.5,
        final=metrics,
        best=metrics,
        weights_sha256="00",
    )


def write_study(
    folder,
    arms,
    *,
    metric="valid.accuracy",
    goal="maximize",
    unit="",
    alpha=0.05,
    margin=0.0,
    test="auto",
    at="last",
    question="Is it so?",
    axes=(),
    values=None,
    environment=None,
    design=None,
    until_decided=False,
    price="",
):
    """`arms`: {name: {seed: value}} of the one metric; a value of None is a failed trial, "missing" lacks the metric."""
    journal = Path(folder) / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    variants, trials = [], []
    for number, (arm, by_seed) in enumerate(arms.items()):
        spec = {"train": {"epochs": 2}, "arm": arm, "seed": 0}
        change = {"op": "replace", "path": "/arm", "value": arm}
        how = {"patch": [change]} if variants else {"spec": spec}
        variants.append({"arm": arm, "epochs": 2, "values": (values or {}).get(arm, {}), **how})
        for seed, value in by_seed.items():
            trial = f"{number:02x}{seed:06x}"
            trials.append([number, seed, trial])
            status = "failed" if value is None else "done"
            metrics = {} if value in (None, "missing") else {metric: value}
            (journal / f"{trial}.log").write_bytes(
                trial_journal(trial, arm, seed, metrics, end=status)
            )
    plan = {
        "event": "plan",
        "arms": list(arms),
        "axes": list(axes),
        "variants": variants,
        "design": design,
        "trials": trials,
        "study": {
            "name": "made-up",
            "question": question,
            "metric": metric,
            "goal": goal,
            "alpha": alpha,
            "test": test,
            "margin": margin,
            "until_decided": until_decided,
            "price": price,
            "at": at,
            "unit": unit,
        },
        "environment": environment or {"paribus": "0.1.0", "libtorch": "2.13.0"},
    }
    (journal / "study.log").write_bytes(MAGIC + event(**plan))
    return Path(folder)
