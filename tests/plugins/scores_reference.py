# SPDX-License-Identifier: Apache-2.0
"""Writes scores_golden.json: what published formulas of losses and metrics give, in NumPy's float64, by plain loops.

    .venv/bin/python tests/plugins/scores_reference.py            write it
    .venv/bin/python tests/plugins/scores_reference.py --check    compare; exit status 1 if it differs

Where PyTorch has the loss, its value has to be ours, too, or nothing is written; gradients are PyTorch's.
"""

import json
import math
import sys
from pathlib import Path

import golden
import numpy as np
import torch
import torch.nn.functional as F

FILE = Path(__file__).with_name("scores_golden.json")

SCORES = golden.numbers((6, 4), 1) * 3
CLASSES = torch.tensor([0, 3, 1, 1, 2, 0])
SOFT = torch.softmax(golden.numbers((6, 4), 7), dim=1)
LABELS = torch.tensor(
    [[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
).float()
PIXELS = golden.numbers((2, 3, 4, 5), 3) * 2
MASKS = torch.tensor([(7 * i + i // 3) % 3 for i in range(40)]).view(2, 1, 4, 5)


def one_hot(classes, k):
    return np.array([[float(c == j) for j in range(k)] for c in classes])


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def bce(x, q, smoothing=0.0, pos_weight=1.0):
    q = q * (1 - smoothing) + smoothing / 2
    p = sigmoid(x)
    return np.mean(-(pos_weight * q * np.log(p) + (1 - q) * np.log(1 - p)))


def focal(x, q, gamma):
    p = softmax(x)
    return np.mean(-np.sum(q * (1 - p) ** gamma * np.log(p), axis=1))


def sigmoid_focal(x, q, gamma, alpha=None):
    p = sigmoid(x)
    total = 0.0
    for row, aim in zip(p, q):
        for pk, qk in zip(row, aim):
            p_t = pk if qk == 1 else 1 - pk
            weight = 1.0 if alpha is None else (alpha if qk == 1 else 1 - alpha)
            total += -weight * (1 - p_t) ** gamma * math.log(p_t)
    return total / p.size


def dice_loss(x, masks, smooth):
    p = softmax(x)
    losses = []
    for item, mask in zip(p, masks):
        for k, plane in enumerate(item):
            q = (mask[0] == k).astype(float)
            losses.append(1 - (2 * (plane * q).sum() + smooth) / (plane.sum() + q.sum() + smooth))
    return np.mean(losses)


def huber(d, delta):
    return np.mean(
        [e * e / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2) for e in d.ravel()]
    )


def losses():
    cases = []
    scores, soft, labels = (t.double().numpy() for t in (SCORES, SOFT, LABELS))
    hot = one_hot(CLASSES, 4)
    real = golden.numbers((6, 4), 9).double().numpy() * 2

    def case(name, spec, output, target, value, torchs):
        leaf = output.clone().requires_grad_()
        by_torch = torchs(leaf)
        by_torch.backward()
        assert math.isclose(value, by_torch.item(), rel_tol=1e-5), f"{name}: {value} {by_torch}"
        cases.append(
            {
                "name": name,
                "part": spec,
                "output": golden.flat([output]),
                "output_shape": list(output.shape),
                "target": target.flatten().tolist(),
                "target_shape": list(target.shape),
                "loss": float(value),
                "grad": golden.flat([leaf.grad]),
            }
        )

    logits = F.binary_cross_entropy_with_logits
    spec = golden.part("loss", "bce")
    hot32 = torch.from_numpy(hot).float()
    case("bce_labels", spec, SCORES, LABELS, bce(scores, labels), lambda x: logits(x, LABELS))
    case("bce_classes", spec, SCORES, CLASSES, bce(scores, hot), lambda x: logits(x, hot32))
    spec = golden.part("loss", "bce", smoothing=0.2)
    smooth = LABELS * 0.8 + 0.1
    case("bce_smooth", spec, SCORES, LABELS, bce(scores, labels, 0.2), lambda x: logits(x, smooth))
    weights = [0.5, 1.0, 2.0, 3.0]
    case(
        "bce_weights",
        golden.part("loss", "bce", pos_weight=weights),
        SCORES,
        LABELS,
        bce(scores, labels, 0.0, np.array(weights)),
        lambda x: logits(x, LABELS, pos_weight=torch.tensor(weights)),
    )
    single, zero_one = SCORES[:, :1], LABELS[:, 0].long()
    case(
        "bce_one_output",
        golden.part("loss", "bce"),
        single,
        zero_one,
        bce(scores[:, :1], labels[:, :1]),
        lambda x: logits(x, LABELS[:, :1]),
    )

    def torch_focal(x, q, gamma):
        log_p = F.log_softmax(x, dim=1)
        return -(q * (1 - log_p.exp()) ** gamma * log_p).sum(1).mean()

    for gamma in (0.0, 2.0, 0.5):
        spec = golden.part("loss", "focal", gamma=gamma)
        for name, target, q, aim in (("classes", CLASSES, hot, hot32), ("soft", SOFT, soft, SOFT)):
            value = focal(scores, q, gamma)
            case(
                f"focal_{name}_{gamma}",
                spec,
                SCORES,
                target,
                value,
                lambda x, a=aim, g=gamma: torch_focal(x, a, g),
            )

    def vision_focal(x, q, gamma, alpha):
        """torchvision.ops.sigmoid_focal_loss, reduction "mean"; alpha < 0: no weights."""
        p, ce = torch.sigmoid(x), logits(x, q, reduction="none")
        loss = ce * (1 - (p * q + (1 - p) * (1 - q))) ** gamma
        return (loss * (alpha * q + (1 - alpha) * (1 - q)) if alpha >= 0 else loss).mean()

    for alpha in (None, 0.25):
        extra = {} if alpha is None else {"alpha": alpha}
        case(
            f"focal_sigmoid_{alpha}",
            golden.part("loss", "focal", sigmoid=True, **extra),
            SCORES,
            LABELS,
            sigmoid_focal(scores, labels, 2.0, alpha),
            lambda x, a=-1 if alpha is None else alpha: vision_focal(x, LABELS, 2.0, a),
        )

    def fastai_dice(x, smooth):
        """fastai.losses.DiceLoss, reduction "mean"."""
        p = F.softmax(x, dim=1)
        q = F.one_hot(MASKS[:, 0], 3).permute(0, 3, 1, 2).float()
        inter, union = (p * q).sum((2, 3)), (p + q).sum((2, 3))
        return (1 - (2 * inter + smooth) / (union + smooth)).mean()

    for smooth in (1e-6, 1.0):
        value = dice_loss(PIXELS.double().numpy(), MASKS.numpy(), smooth)
        spec = golden.part("loss", "dice", smooth=smooth)
        case(f"dice_{smooth}", spec, PIXELS, MASKS, value, lambda x, s=smooth: fastai_dice(x, s))
    target = torch.from_numpy(real).float()
    case(
        "l1",
        golden.part("loss", "l1"),
        SCORES,
        target,
        np.abs(scores - real).mean(),
        lambda x: F.l1_loss(x, target),
    )
    for delta in (1.0, 0.4):
        spec = golden.part("loss", "huber", delta=delta)
        value = huber(scores - real, delta)
        case(
            f"huber_{delta}",
            spec,
            SCORES,
            target,
            value,
            lambda x, d=delta: F.huber_loss(x, target, delta=d),
        )
    return cases


def confusion(truth, guess, k):
    table = [[0] * k for _ in range(k)]
    for t, g in zip(truth, guess):
        table[t][g] += 1
    return table


def class_ratios(table, ratio):
    """(above, below) of each class that is true or guessed anywhere; None for the others."""
    result = []
    for c in range(len(table)):
        right, actual, guessed = table[c][c], sum(table[c]), sum(row[c] for row in table)
        result.append(ratio(right, guessed, actual) if actual + guessed else None)
    return result


RATIOS = {
    "precision": lambda right, guessed, actual: (right, guessed),
    "recall": lambda right, guessed, actual: (right, actual),
    "f1": lambda right, guessed, actual: (2 * right, guessed + actual),
    "dice": lambda right, guessed, actual: (2 * right, guessed + actual),
    "iou": lambda right, guessed, actual: (right, guessed + actual - right),
}


def auroc(scores, positive):
    """By its definition: over all pairs of one that is and one that isn't."""
    pairs = [
        (a > b) + (a == b) / 2
        for a, p in zip(scores, positive)
        if p
        for b, q in zip(scores, positive)
        if not q
    ]
    return sum(pairs) / len(pairs) if pairs else None


def calibration(scores, classes, bins):
    p = softmax(scores)
    sums = [[0, 0.0, 0] for _ in range(bins)]
    for row, c in zip(p, classes):
        confidence = row.max()
        b = max(0, math.ceil(confidence * bins) - 1)
        sums[b][0] += 1
        sums[b][1] += confidence
        sums[b][2] += row.argmax() == c
    return sum(n / len(p) * abs(right / n - c / n) for n, c, right in sums if n)


def metrics():
    """40 items of 5 classes, of which class 4 is never true nor guessed; coarse scores, so that many are equal."""
    cases = []
    n, k = 40, 5
    scores = np.array(
        [[round(3 * math.sin(1.3 * i + 2.1 * j)) for j in range(k)] for i in range(n)], dtype=float
    )
    scores[:, 4] = -9
    scores[:, 0] += 0.5  # no ties within an item
    scores[:, 1] += 0.25
    scores[:, 2] += 0.125
    truth = [(i * i + i // 4) % 4 for i in range(n)]

    def case(name, spec, output, target, value):
        output, target = np.asarray(output), np.asarray(target)
        cases.append(
            {
                "name": name,
                "part": spec,
                "output": output.ravel().tolist(),
                "output_shape": list(output.shape),
                "target": target.ravel().tolist(),
                "target_shape": list(target.shape),
                "whole": target.dtype.kind == "i",
                "value": float(value),
            }
        )

    def ratios(label, output, target, table, ignore=None):
        extra = {} if ignore is None else {"ignore": ignore}
        for name, ratio in RATIOS.items():
            each = class_ratios(table, ratio)
            values = [a / b if b else 0.0 for a, b in (r for r in each if r)]
            case(
                f"{name}_{label}",
                golden.part("metric", name, **extra),
                output,
                target,
                np.mean(values),
            )
            above, below = (sum(r[i] for r in each if r) for i in (0, 1))
            micro = golden.part("metric", name, average="micro", **extra)
            case(f"{name}_micro_{label}", micro, output, target, above / below)
            one = golden.part("metric", name, of_class=1, **extra)
            case(f"{name}_class_{label}", one, output, target, each[1][0] / each[1][1])

    ratios("items", scores, truth, confusion(truth, scores.argmax(1), k))
    pixels = PIXELS.double().numpy()
    mask = MASKS.numpy()
    table = confusion(mask.ravel(), pixels.argmax(1).ravel(), 3)
    ratios("pixels", pixels, mask, table)
    seen = mask.ravel() != 2
    table = confusion(mask.ravel()[seen], pixels.argmax(1).ravel()[seen], 3)
    ratios("ignoring", pixels, mask, table, ignore=2)
    binary, zero_one = scores[:, :1] - 0.4, [int(t == 0) for t in truth]
    ratios("binary", binary, zero_one, confusion(zero_one, (binary[:, 0] > 0).astype(int), 2))

    areas = [auroc(softmax(scores)[:, c], [t == c for t in truth]) for c in range(4)]
    case("auroc_classes", golden.part("metric", "auroc"), scores, truth, np.mean(areas))
    two = scores[:, :2]
    p = softmax(two)[:, 1]
    case("auroc_two", golden.part("metric", "auroc"), two, zero_one, auroc(p, zero_one))
    case(
        "auroc_one",
        golden.part("metric", "auroc"),
        scores[:, :1],
        zero_one,
        auroc(scores[:, 0], zero_one),
    )
    labels = np.array([[float((i + j) % 3 == 0) for j in range(k)] for i in range(n)])
    areas = [auroc(scores[:, c], labels[:, c]) for c in range(k)]
    case("auroc_labels", golden.part("metric", "auroc"), scores, labels, np.mean(areas))
    for bins in (15, 4, 1):
        spec = golden.part("metric", "calibration_error", bins=bins)
        case(f"calibration_{bins}", spec, scores, truth, calibration(scores, truth, bins))

    output = np.array([[math.sin(0.9 * i), 1000 + math.cos(1.1 * i)] for i in range(n)])
    target = np.array([[math.sin(0.9 * i + 0.2), 1000 + math.cos(1.1 * i) * 1.3] for i in range(n)])
    case("mae", golden.part("metric", "mae"), output, target, np.abs(output - target).mean())
    case(
        "rmse",
        golden.part("metric", "rmse"),
        output,
        target,
        np.sqrt(((output - target) ** 2).mean()),
    )
    r2 = 1 - ((target - output) ** 2).sum(0) / ((target - target.mean(0)) ** 2).sum(0)
    case("r2", golden.part("metric", "r2"), output, target, r2.mean())
    return cases


def main():
    made = {"losses": losses(), "metrics": metrics()}
    if "--check" not in sys.argv:
        text = json.dumps(made, separators=(",", ":")).replace('{"name"', '\n{"name"')
        FILE.write_text(text + "\n")
        return 0
    difference = golden.differs(json.loads(FILE.read_text()), json.loads(json.dumps(made)))
    if difference:
        print(f"{FILE.name} differs from the formulas at {difference}", file=sys.stderr)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
