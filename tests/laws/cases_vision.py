# SPDX-License-Identifier: Apache-2.0
"""Cases of losses, metrics and augmentations, in the form of cases.py."""

from forms import Case, callback, coloured, idle, metric, pixels, places, transforms

NO_TRAINING = "without one there is no training to compare with"
NO_OFF_LOSS = "no setting makes it another loss"

VISION = {
    "transform/affine": Case(
        on=[
            transforms('{ use = "affine", shear = 10.0, shift = 0.1 }', '"normalize"'),
            transforms('"normalize"', '{ use = "affine", mode = "zero" }'),
        ],
        off=[
            idle('{ use = "affine", p = 0.0 }'),
            idle('{ use = "affine", rotate = 0.0, zoom_max = 1.0, warp = 0.0 }'),
        ],
    ),
    "transform/rotate": Case(
        on=[transforms('"rotate"', '"normalize"')],
        off=[idle('{ use = "rotate", max = 0.0 }'), idle('{ use = "rotate", p = 0.0 }')],
    ),
    "transform/zoom": Case(
        on=[transforms('{ use = "zoom", min = 0.8, mode = "border" }', '"normalize"')],
        off=[idle('{ use = "zoom", max = 1.0 }'), idle('{ use = "zoom", p = 0.0 }')],
    ),
    "transform/warp": Case(
        on=[transforms('"normalize"', '"warp"')],
        off=[idle('{ use = "warp", max = 0.0 }'), idle('{ use = "warp", p = 0.0 }')],
    ),
    "transform/dihedral": Case(
        on=[transforms('"dihedral"', '"normalize"')],
        off=[idle('{ use = "dihedral", p = 0.0 }')],
    ),
    "transform/erase": Case(
        on=[
            transforms('"erase"', '"normalize"'),
            transforms('"normalize"', '{ use = "erase", fill = "mean" }'),
        ],
        off=[
            idle('{ use = "erase", p = 0.0 }'),
            idle('{ use = "erase", area_min = 0.0, area_max = 0.0 }'),
        ],
    ),
    "transform/noise": Case(
        on=[transforms('"noise"', '"normalize"'), transforms('"normalize"', '"noise"')],
        off=[idle('{ use = "noise", sd = 0.0 }'), idle('{ use = "noise", p = 0.0 }')],
    ),
    "transform/brightness": Case(
        on=[transforms('"brightness"', '"normalize"')],
        off=[idle('{ use = "brightness", max = 0.0 }'), idle('{ use = "brightness", p = 0.0 }')],
    ),
    "transform/contrast": Case(
        on=[transforms('"contrast"', '"normalize"')],
        off=[idle('{ use = "contrast", max = 0.0 }'), idle('{ use = "contrast", p = 0.0 }')],
    ),
    "transform/saturation": Case(
        on=[coloured('"saturation"')],
        off=[coloured('{ use = "saturation", max = 0.0 }')],
        against=coloured(),
    ),
    "transform/hue": Case(
        on=[coloured('"hue"')],
        off=[
            coloured('{ use = "hue", max = 0.0 }', '"flip"'),
            coloured('"flip"', '{ use = "hue", p = 0.0 }'),
        ],
        against=coloured('"flip"'),
    ),
    "transform/rand_augment": Case(
        on=[
            transforms('{ use = "rand_augment", n = 3, magnitude = 20 }', '"normalize"'),
            coloured('"rand_augment"'),
        ],
        off=[idle('{ use = "rand_augment", n = 0 }')],
    ),
    "callback/centralize": Case(
        on=[callback("centralize", "dims = 2")],
        off=[callback("centralize", "dims = 5")],
    ),
    "callback/cutmix": Case(
        on=[callback("cutmix", "alpha = 1.0"), callback("cutmix", 'per = "item"')],
        off=[callback("cutmix", "alpha = 0.0")],
    ),
    "callback/swa": Case(on=[callback("swa", "start = 0.0")], off=[callback("swa", "start = 1.0")]),
    **{
        f"model/{name}": Case(
            on=[f'model = {{ use = "{name}", width = 2, stem = "cifar", drop_path = 0.3 }}'],
            never_off=NO_TRAINING,
        )
        for name in ("resnet18", "resnet34", "resnet50")
    },
    "model/squeezenet1_1": Case(
        on=['model = { use = "squeezenet1_1", dropout = 0.2 }'], never_off=NO_TRAINING
    ),
    "model/torchscript": Case(
        on=['model = { use = "torchscript", file = "net.pt" }'], never_off=NO_TRAINING
    ),
    "dataset/image_folder": Case(
        on=['data = { use = "image_folder", dir = "pictures", size = 20, valid = 0.3 }'],
        never_off=NO_TRAINING,
    ),
    "dataset/box_folder": Case(
        on=[
            'data = { use = "box_folder", dir = "boxes", size = 20, transforms = ["normalize"] }, '
            'loss = "mse", metric = ["mae"]',
            'data = { use = "box_folder", dir = "boxes", size = 20, point_of = "cat", empty = "skip" }, '
            'loss = "huber", metric = ["distance"]',
        ],
        never_off=NO_TRAINING,
    ),
    "dataset/dots": Case(
        on=[
            places("points", '"flip"', '"affine"', '{ use = "crop", padding = 2 }'),
            places("boxes", '"dihedral"', '"rand_augment"'),
        ],
        never_off=NO_TRAINING,
    ),
    "dataset/mask_folder": Case(on=[pixels("depth = 1")], never_off=NO_TRAINING),
    "model/unet": Case(on=[pixels("depth = 2", '"flip"', '"rand_augment"')], never_off=NO_TRAINING),
    "loss/l1": Case(elsewhere="REGRESSIONS", never_off=NO_OFF_LOSS),
    "loss/huber": Case(elsewhere="REGRESSIONS", never_off=NO_OFF_LOSS),
    "loss/bce": Case(
        on=[
            'loss = { use = "bce", smoothing = 0.1 }',
            'loss = { use = "bce", pos_weight = [3.0] }',
        ],
        never_off=NO_OFF_LOSS,
    ),
    "loss/dice": Case(on=['loss = { use = "dice", smooth = 1.0 }'], never_off=NO_OFF_LOSS),
    "loss/focal": Case(
        on=[
            'loss = { use = "focal", gamma = 1.5 }',
            'loss = { use = "focal", sigmoid = true, alpha = 0.25 }',
        ],
        never_off=NO_OFF_LOSS,
    ),
    **{
        f"metric/{name}": Case(on=[metric(name, more)], off=[metric(name, more)])
        for name, more in {
            "auroc": "",
            "calibration_error": "bins = 7",
            "dice": 'average = "micro"',
            "f1": "",
            "iou": "ignore = 3",
            "precision": "of_class = 2",
            "recall": "",
        }.items()
    },
    **{
        f"metric/{name}": Case(elsewhere="REGRESSIONS", never_off="its target is none of BASE's")
        for name in ("mae", "rmse", "r2")
    },
    **{
        f"metric/{name}": Case(elsewhere="POINTS", never_off="its target is none of BASE's")
        for name in ("distance", "pck")
    },
}

# What is measured of points, with all transforms that move them.
POINTS = """\
model = { use = "mlp", hidden = [6] }
loss = "mse"
metric = ["distance", { use = "pck", within = 0.2 }]
train = { epochs = 2, checkpoint_seconds = 0 }
study = { threads = 1, seeds = 2, metric = "valid.distance" }

[data]
use = "dots"
items = 60
valid_items = 20
batch = 16
transforms = ["normalize"]

[optimizer]
use = "sgd"
lr = 0.01

[arms]
plain = {}
moved = { data = { transforms = ["flip", "dihedral", "rotate", "zoom", "warp", "affine", "rand_augment", "normalize"] } }
tta = { callback = "tta" }
mixup = { callback = "mixup" }
"""

# The other losses and metrics of real values.
REGRESSIONS = """\
data = "line"
model = { use = "mlp", hidden = [6] }
metric = ["mae", "rmse", "r2"]
train = { epochs = 2, checkpoint_seconds = 0 }
study = { threads = 1, seeds = 2, metric = "valid.r2" }

[optimizer]
use = "sgd"
lr = 0.01

[arms]
l1 = { loss = "l1" }
huber = { loss = { use = "huber", delta = 0.5 } }
"""
