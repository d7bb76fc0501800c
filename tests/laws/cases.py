# SPDX-License-Identifier: Apache-2.0
"""How each shipped part is put to use, and how it is switched off. A part without an entry here fails the laws' tests.

Texts are arms as a study file has them, put over BASE. `on`: arms in which the part acts. `off`: arms in which it stands
and does nothing: every number must be that of `against`, an arm too. `never_off`: why there is no such setting."""

from cases_callbacks import CALLBACKS
from cases_vision import VISION
from forms import CROP, Case, momentum, rate, transforms

DATA = """\
[data]
use = "glyphs"
items = 100
valid_items = 50
batch = 16                     # the last batch of an epoch is smaller
transforms = [{ use = "crop", padding = 2 }, "flip", "normalize"]
"""

# Batch norm, for buffers; momentum, for state of the optimizer; draws, to be shifted by who may not.
BASE = (
    'metric = ["accuracy"]\n'
    + DATA
    + """
[model]
use = "convnet"
channels = [4, 8]

[optimizer]
use = "sgd"
lr = 0.05
momentum = 0.9

[train]
epochs = 3
checkpoint_seconds = 0

"""
)


ADAM = 'optimizer = { use = "adam" }'

SECOND_ACCURACY = '"metric.again" = { use = "accuracy", name = "again" }'
SECOND_LOSS = '"metric.again" = { use = "loss", name = "again" }'

NO_TRAINING = "without one there is no training to compare with"
NO_OFF_LOSS = "no setting makes it another loss"
NO_OFF_OPTIMIZER = "no setting makes it another optimizer"
NO_OFF_SEARCH = "it chooses trials and is in none"
NO_OFF_TRACKER = "it looks on from outside"

CASES = {
    "dataset/glyphs": Case(on=["data.clutter = 1"], never_off=NO_TRAINING),
    "dataset/mnist": Case(on=['data = "mnist"'], never_off=NO_TRAINING),
    "dataset/fashion_mnist": Case(on=['data = "fashion_mnist"'], never_off=NO_TRAINING),
    "dataset/cifar10": Case(
        on=['data = { use = "cifar10", dir = "cifar10" }'], never_off=NO_TRAINING
    ),
    "transform/crop": Case(
        on=[transforms('{ use = "crop", size = 24, mode = "reflect" }', '"normalize"')],
        off=[
            transforms(
                '{ use = "crop", name = "idle", padding = 0 }', CROP, '"flip"', '"normalize"'
            ),
            transforms(
                CROP, '"flip"', '"normalize"', '{ use = "crop", name = "idle", padding = 0 }'
            ),
        ],
    ),
    "transform/flip": Case(
        on=[
            transforms('"flip"', '"normalize"'),
            transforms('{ use = "flip", alternate = true }', '"normalize"'),
        ],
        off=[
            transforms('{ use = "flip", name = "idle", p = 0.0 }', CROP, '"flip"', '"normalize"'),
            transforms(CROP, '"flip"', '"normalize"', '{ use = "flip", name = "idle", p = 0.0 }'),
        ],
    ),
    "transform/cutout": Case(
        on=[
            transforms('"cutout"', '"normalize"'),
            transforms('"normalize"', '{ use = "cutout", size = 12, p = 0.5 }'),
        ],
        off=[
            transforms('{ use = "cutout", size = 0 }', CROP, '"flip"', '"normalize"'),
            transforms(CROP, '"flip"', '"normalize"', '{ use = "cutout", p = 0.0 }'),
        ],
    ),
    "transform/normalize": Case(
        on=[transforms('{ use = "normalize", mean = [128.0], std = [64.0] }')],
        off=[
            transforms(
                CROP,
                '"flip"',
                '"normalize"',
                '{ use = "normalize", name = "idle", mean = [0.0], std = [1.0] }',
            )
        ],
    ),
    "transform/resize": Case(
        on=[
            transforms('{ use = "resize", size = 20 }', '"normalize"'),
            transforms('"normalize"', '{ use = "resize", size = 31, mode = "bilinear" }'),
        ],
        off=[
            transforms('{ use = "resize", size = 0 }', CROP, '"flip"', '"normalize"'),
            transforms('{ use = "resize", size = 28 }', CROP, '"flip"', '"normalize"'),
            transforms(
                CROP, '"flip"', '"normalize"', '{ use = "resize", size = 28, mode = "bilinear" }'
            ),
        ],
    ),
    "model/mlp": Case(on=['model = { use = "mlp", hidden = [8] }'], never_off=NO_TRAINING),
    "model/convnet": Case(
        on=['model = { use = "convnet", channels = [6], act = "gelu", norm = false }'],
        never_off=NO_TRAINING,
    ),
    "model/airbench": Case(
        on=[
            'model = { use = "airbench", widths = [6, 8] }',
            'model = { use = "airbench", widths = [4], whiten = false, identity = false }',
        ],
        never_off=NO_TRAINING,
    ),
    "model/resnet9": Case(on=['model = { use = "resnet9", width = 2 }'], never_off=NO_TRAINING),
    "loss/cross_entropy": Case(
        on=["loss.smoothing = 0.1"],
        off=['loss = { use = "cross_entropy", smoothing = 0.0 }'],
    ),
    "loss/mse": Case(elsewhere="REGRESSION", never_off=NO_OFF_LOSS),
    "metric/accuracy": Case(
        on=[SECOND_ACCURACY],
        off=[SECOND_ACCURACY],
    ),
    "metric/loss": Case(
        on=['"metric.loss" = { use = "loss" }'],
        off=['"metric.loss" = { use = "loss" }', SECOND_LOSS],
    ),
    "metric/top_k": Case(
        on=['"metric.top_k" = { use = "top_k", k = 3 }'],
        off=['"metric.top_k" = { use = "top_k", k = 3 }'],
    ),
    **VISION,
    "optimizer/sgd": Case(
        on=["optimizer = { nesterov = true, weight_decay = 1e-4 }"],
        off=["optimizer = { momentum = 0.0, dampening = 0.5 }"],
        against="optimizer = { momentum = 0.0 }",
    ),
    "optimizer/adam": Case(
        on=[ADAM, 'optimizer = { use = "adam", amsgrad = true, weight_decay = 1e-2 }'],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/adamw": Case(
        on=['optimizer = { use = "adamw" }', 'optimizer = { use = "adamw", amsgrad = true }'],
        off=['optimizer = { use = "adamw", weight_decay = 0.0 }'],
        against=ADAM,
    ),
    "optimizer/lookahead": Case(
        on=[
            'optimizer = { use = "lookahead", k = 3, inner = "@base" }',
            'optimizer = { use = "lookahead", k = 3, evaluate = "fast", inner = "adamw" }',
        ],
        off=[
            'optimizer = { use = "lookahead", k = 3, alpha = 1.0, inner = "@base" }',
            'optimizer = { use = "lookahead", k = 1000000, evaluate = "fast", inner = "@base" }',
        ],
    ),
    "optimizer/radam": Case(
        # beta2 = 0.9: rectified from the sixth step on
        on=['optimizer = { use = "radam", beta2 = 0.9, weight_decay = 1e-2 }'],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/ranger": Case(
        on=[
            'optimizer = { use = "ranger", k = 3 }',
            'optimizer = { use = "ranger", k = 2, alpha = 0.8, inner = "@base" }',
        ],
        off=['optimizer = { use = "ranger", alpha = 1.0, centralize = false, inner = "@base" }'],
    ),
    "optimizer/lamb": Case(
        on=['optimizer = { use = "lamb", lr = 0.01 }'], never_off=NO_OFF_OPTIMIZER
    ),
    "optimizer/lars": Case(
        on=['optimizer = { use = "lars", weight_decay = 1e-4 }'], never_off=NO_OFF_OPTIMIZER
    ),
    "optimizer/lion": Case(
        on=['optimizer = { use = "lion", lr = 1e-3, weight_decay = 0.1 }'],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/adafactor": Case(
        on=['optimizer = { use = "adafactor", weight_decay = 1e-2 }'], never_off=NO_OFF_OPTIMIZER
    ),
    "optimizer/muon": Case(
        on=[
            'optimizer = { use = "muon" }',
            'optimizer = { use = "muon", last = true, precision = "bf16", rest = "@base" }',
        ],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/soap": Case(
        on=[
            'optimizer = { use = "soap", every = 2 }',
            'optimizer = { use = "soap", every = 3, max_dim = 20 }',
        ],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/schedule_free": Case(
        on=[
            'optimizer = { use = "schedule_free", inner = "@base" }, '
            + '"schedule.optimizer.inner.lr" = { use = "warmup", fraction = 0.3 }',
            'optimizer = { use = "schedule_free", power = 1.0, weight_decay = 0.1, '
            + 'inner = { use = "adamw", beta1 = 0.0 } }',
        ],
        never_off="whatever it is set to, it validates an average",
    ),
    "optimizer/sophia": Case(
        on=['optimizer = { use = "sophia", every = 4 }, train = { accumulate = 2 }'],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/rmsprop": Case(
        on=[
            'optimizer = { use = "rmsprop" }',
            'optimizer = { use = "rmsprop", centered = true, momentum = 0.5, weight_decay = 1e-4 }',
        ],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/adagrad": Case(
        on=['optimizer = { use = "adagrad", initial = 0.1, lr_decay = 0.01 }'],
        never_off=NO_OFF_OPTIMIZER,
    ),
    "optimizer/sam": Case(
        on=[
            'optimizer = { use = "sam", inner = "@base" }, "callback.mixup" = "mixup"',
            'optimizer = { use = "sam", rho = 0.5, adaptive = true, inner = "adamw" }, '
            + "train = { accumulate = 3, clip_norm = 1.0 }",
        ],
        off=['optimizer = { use = "sam", rho = 0.0, inner = "@base" }'],
    ),
    "schedule/constant": Case(
        on=[rate('{ use = "constant", factor = 0.5 }')],
        off=[
            rate('"constant"'),
            momentum('"constant"'),
            '"schedule.data.transforms.crop.padding" = "constant"',
        ],
    ),
    "schedule/cosine": Case(
        on=[rate('{ use = "cosine", begin = 0.3 }'), momentum('{ use = "cosine", to = 0.5 }')],
        off=[rate('{ use = "cosine", to = 1.0 }')],
    ),
    "schedule/exponential": Case(
        on=[rate('{ use = "exponential", gamma = 0.7, staircase = true }')],
        off=[
            rate('{ use = "exponential", end = 1.0 }'),
            rate('{ use = "exponential", gamma = 1.0 }'),
        ],
    ),
    "schedule/fine_tune": Case(
        on=[rate('{ use = "fine_tune", max = 0.2 }')],
        off=[
            rate('{ use = "fine_tune", later = 1.0, div_frozen = 1.0, div = 1.0, div_end = 1.0 }')
        ],
    ),
    "schedule/linear": Case(
        on=[
            '"schedule.data.transforms.crop.padding" = { use = "linear", from = 0.0, to = 4.0, values = true }'
        ],
        off=[rate('{ use = "linear", to = 1.0 }')],
    ),
    "schedule/one_cycle": Case(
        on=[
            rate('{ use = "one_cycle", max = 0.2 }'),
            rate('{ use = "one_cycle", convention = "pytorch" }'),
        ],
        off=[rate('{ use = "one_cycle", div_start = 1.0, div_end = 1.0 }')],
    ),
    "schedule/pieces": Case(
        on=[rate('{ use = "pieces", at = [1.0, 2.0], values = [0.05, 0.2, 0.01] }')],
        off=[
            rate('{ use = "pieces", at = [], values = [0.05] }'),
            momentum('{ use = "pieces", at = [1.0], values = [0.9, 0.9] }'),
        ],
    ),
    "schedule/step": Case(
        on=[rate('{ use = "step", every = 1.0 }')],
        off=[
            rate('{ use = "step", every = 1.0, gamma = 1.0 }'),
            rate('{ use = "step", milestones = [1000.0] }'),
        ],
    ),
    "schedule/warmup": Case(
        on=[rate('{ use = "warmup", fraction = 0.3, then = "cosine" }')],
        off=[
            rate('{ use = "warmup", fraction = 0.0 }'),
            rate('{ use = "warmup", epochs = 0.0 }'),
            rate('{ use = "warmup", fraction = 0.5, from = 1.0 }'),
        ],
    ),
    **CALLBACKS,
    "search/asha": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/grid": Case(elsewhere="SWEEPS", never_off=NO_OFF_SEARCH),
    "search/hyperband": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/latin_hypercube": Case(elsewhere="SWEEPS", never_off=NO_OFF_SEARCH),
    "search/median_stopping": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/optuna": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/pbt": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/random": Case(elsewhere="SWEEPS", never_off=NO_OFF_SEARCH),
    "search/sobol": Case(elsewhere="SWEEPS", never_off=NO_OFF_SEARCH),
    "search/successive_halving": Case(elsewhere="ADAPTIVE", never_off=NO_OFF_SEARCH),
    "search/zip": Case(elsewhere="SWEEPS", never_off=NO_OFF_SEARCH),
    "tracker/csv": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
    "tracker/mlflow": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
    "tracker/tensorboard": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
    "tracker/wandb": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
    "tracker/wandb_offline": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
    "tracker/webhook": Case(elsewhere="TRACKERS", never_off=NO_OFF_TRACKER),
}

# What needs a study of its own.
REGRESSION = """\
optimizer = { use = "sgd", lr = 0.01 }
data = "line"
model = { use = "mlp", hidden = [6] }
loss = "mse"
metric = []
train = { epochs = 3, checkpoint_seconds = 0 }
study = { threads = 1, seeds = 2 }
"""

SWEEPS = {
    "search/grid": 'search = "grid"\n"optimizer.momentum" = [0.5, 0.9]\n"data.batch" = [16, 25]\n',
    "search/random": 'search = { use = "random", trials = 4 }\n'
    '"optimizer.lr" = { log = [0.01, 0.2] }\n"optimizer.momentum" = [0.5, 0.9]\n',
    "search/sobol": 'search = { use = "sobol", trials = 4 }\n'
    '"optimizer.lr" = { log = [0.01, 0.2] }\n"optimizer.momentum" = [0.5, 0.9]\n',
    "search/latin_hypercube": 'search = { use = "latin_hypercube", trials = 4 }\n'
    '"optimizer.lr" = { log = [0.01, 0.2] }\n"optimizer.momentum" = [0.5, 0.9]\n',
    "search/zip": 'search = "zip"\n'
    '"optimizer.momentum" = [0.5, 0.6, 0.7, 0.9]\n"data.batch" = [16, 25, 16, 25]\n',
}

RATE = '"optimizer.lr" = { log = [0.01, 0.2] }\n'
ADAPTIVE = {
    "search/asha": 'search = { use = "asha", trials = 6, at_once = 3 }\n' + RATE,
    "search/hyperband": 'search = { use = "hyperband", at_once = 2 }\n' + RATE,
    "search/median_stopping": 'search = { use = "median_stopping", trials = 6, quorum = 1 }\n'
    + RATE,
    "search/optuna": 'search = { use = "optuna", trials = 6, startup = 2, pruner = "median" }\n'
    + RATE,
    "search/pbt": 'search = { use = "pbt", population = 4, at_once = 3 }\n' + RATE,
    "search/successive_halving": 'search = { use = "successive_halving", trials = 6 }\n' + RATE,
}

# Nobody is there for those that need a server: it changes no number.
TRACKERS = """
tracker = [
  "csv", "tensorboard", "wandb_offline",
  { use = "mlflow", uri = "http://127.0.0.1:9" },
  { use = "wandb", base_url = "http://127.0.0.1:9" },
  { use = "webhook", url = "http://127.0.0.1:9/" },
]
"""


def arm_name(part: str, number: int) -> str:
    return f"{part.replace('/', '-')}-{number}"


def missing_or_stale(parts) -> list[str]:
    return sorted(
        [f"{part} has no case" for part in parts - CASES.keys()]
        + [f"{part} is no part" for part in CASES.keys() - parts]
    )
