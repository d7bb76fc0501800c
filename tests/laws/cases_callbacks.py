# SPDX-License-Identifier: Apache-2.0
"""The callbacks among the cases of cases.py."""

from forms import Case, callback

CALLBACKS = {
    "callback/checkpoint": Case(
        on=[callback("checkpoint", "every = 1")],
        off=[callback("checkpoint", "every = 1"), callback("checkpoint", "best = false")],
    ),
    "callback/early_stop": Case(
        on=[callback("early_stop", 'metric = "valid.accuracy", min_delta = 1.0, patience = 1')],
        off=[callback("early_stop", "patience = 1000000")],
    ),
    "callback/ema": Case(
        on=[callback("ema", "decay = 0.9")],
        off=[callback("ema", "decay = 0.0"), callback("ema", "decay = 0.0, warmup = false")],
    ),
    "callback/grad_cam": Case(
        on=[
            callback("grad_cam", "items = 3"),
            callback("grad_cam", 'of = "true", choose = "first"'),
        ],
        off=[callback("grad_cam", "items = 30"), callback("grad_cam", 'of = "true"')],
    ),
    "callback/histograms": Case(
        on=[callback("histograms", "every = 1, bins = 8")],
        off=[callback("histograms", "every = 1"), callback("histograms", "grads = false")],
    ),
    "callback/interpret": Case(
        on=[callback("interpret", "worst = 3")],
        off=[callback("interpret", "worst = 0"), callback("interpret", "bins = 3")],
    ),
    "callback/mixup": Case(
        on=[callback("mixup", "alpha = 0.4"), callback("mixup", 'per = "batch"')],
        off=[callback("mixup", "alpha = 0.0")],
    ),
    "callback/pictures": Case(
        on=[callback("pictures", "every = 1")], off=[callback("pictures", "items = 3")]
    ),
    "callback/rates": Case(
        on=[
            callback("rates", "lowest = 0.01, norm_bias_decay = 0.0"),
            callback("rates", "layers = [0.1, 1.0], bias = 64.0"),
        ],
        off=[callback("rates", "lowest = 1.0"), callback("rates", "layers = [1.0, 1.0]")],
    ),
    "callback/tta": Case(
        on=[callback("tta", "shift = 1"), callback("tta", "flip = true")],
        off=[callback("tta", "flip = false")],
    ),
    "callback/unfreeze": Case(
        on=[callback("unfreeze", "at = [1]"), callback("unfreeze", "at = [2], norms = false")],
        off=[callback("unfreeze", "at = [0]"), callback("unfreeze", "at = [0], norms = false")],
    ),
}
