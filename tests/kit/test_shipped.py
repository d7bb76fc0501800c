# SPDX-License-Identifier: Apache-2.0
"""Every part that ships keeps the laws, by the command that others hold theirs to."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from build_folder import BUILD, ROOT

sys.path.append(str(Path(__file__).parents[1] / "laws"))
import sets  # noqa: E402

PLUGINS = BUILD / "lib" / "paribus" / "plugins"
FILES = sorted(file.stem for file in PLUGINS.glob("*.so"))

# By which setting a part does nothing; of the others the law is not known, or says nothing.
OFF = {
    "callback_centralize": ["dims=5"],
    "callback_checkpoint": ["best=false"],
    "callback_cutmix": ["alpha=0.0"],
    "callback_early_stop": ["patience=1000000"],
    "callback_ema": ["decay=0.0"],
    "callback_grad_cam": ["items=3"],
    "callback_histograms": ["weights=false"],
    "callback_interpret": ["worst=0"],
    "callback_mixup": ["alpha=0.0"],
    "callback_pictures": ["items=3"],
    "callback_tta": ["flip=false"],
    "callback_rates": ["lowest=1.0"],
    "callback_swa": ["start=1.0"],
    "callback_unfreeze": ["at=[0]"],
    "loss_cross_entropy": ["smoothing=0.0"],
    "optimizer_lookahead": ["alpha=1.0"],
    "schedule_constant": ["factor=1.0"],
    "schedule_cosine": ["to=1.0"],
    "schedule_exponential": ["end=1.0"],
    "schedule_fine_tune": ["later=1.0", "div_frozen=1.0", "div=1.0", "div_end=1.0"],
    "schedule_linear": ["to=1.0"],
    "schedule_one_cycle": ["div_start=1.0", "div_end=1.0"],
    "schedule_pieces": ["at=[]", "values=[0.05]"],
    "schedule_step": ["gamma=1.0"],
    "schedule_warmup": ["from=1.0"],
    "transform_affine": ["p=0.0"],
    "transform_brightness": ["max=0.0"],
    "transform_contrast": ["max=0.0"],
    "transform_crop": ["padding=0"],
    "transform_cutout": ["size=0"],
    "transform_dihedral": ["p=0.0"],
    "transform_erase": ["p=0.0"],
    "transform_flip": ["p=0.0"],
    "transform_hue": ["max=0.0"],
    "transform_noise": ["sd=0.0"],
    "transform_normalize": ["mean=[0.0]", "std=[1.0]"],
    "transform_rand_augment": ["n=0"],
    "transform_resize": ["size=0"],
    "transform_rotate": ["max=0.0"],
    "transform_saturation": ["max=0.0"],
    "transform_warp": ["max=0.0"],
    "transform_zoom": ["max=1.0"],
}

# What a part can't do without.
MORE = {
    "dataset_box_folder": ["--base", "DOTS", "-s", 'dir="BOXES"', "-s", "size=20"],
    "dataset_cifar10": ["-s", 'dir="CIFAR"'],
    "dataset_dots": ["--base", "DOTS"],
    "dataset_image_folder": ["-s", 'dir="PICTURES"', "-s", "size=20"],
    "dataset_mask_folder": [
        "--base",
        "MASKS",
        "-s",
        'dir="PIXELS"',
        "-s",
        "size=20",
        "-s",
        "void=[255]",
    ],
    "model_unet": ["--base", "MASKS", "-s", "width=2", "-s", "depth=2"],
    **{f"model_resnet{n}": ["-s", "width=2", "-s", 'stem="cifar"'] for n in (18, 34, 50)},
    "model_torchscript": ["-s", 'file="SCRIPT"'],
    "loss_huber": ["--base", "LINE"],
    "loss_l1": ["--base", "LINE"],
    "loss_mse": ["--base", "LINE"],
    "metric_distance": ["--base", "DOTS"],
    "metric_mae": ["--base", "LINE"],
    "metric_pck": ["--base", "DOTS"],
    "metric_r2": ["--base", "LINE"],
    "metric_rmse": ["--base", "LINE"],
    "schedule_pieces": ["-s", "at=[1.0]", "-s", "values=[0.05, 0.02]"],
    "schedule_step": ["-s", "every=1.0"],
    # They take bytes, of colours: nothing may normalize before them.
    **{
        f"transform_{name}": ["--base", "COLOURS"]
        for name in ("brightness", "contrast", "hue", "rand_augment", "saturation")
    },
    "transform_normalize": ["--base", "FLOATS"],  # of what is normalized already it changes no bit
}
# The one ends training, the others may need more than our patience for a thousand steps.
SHORT = {
    "callback_early_stop",
    "model_airbench",
    "model_resnet9",
    *(f"model_resnet{n}" for n in (18, 34, 50)),
    "model_squeezenet1_1",
    "model_unet",
}

# Real-valued targets, for losses that want them; the data set is one of tests/laws.
LINE = """\
data = "line"
model = { use = "mlp", hidden = [6] }
optimizer = { use = "sgd", lr = 0.01 }
metric = []
train = { device = "cpu", epochs = 3, checkpoint_seconds = 0 }
"""

FLOATS = """\
model = { use = "mlp", hidden = [6] }
train = { device = "cpu", epochs = 3, checkpoint_seconds = 0 }
data = { use = "glyphs", items = 100, valid_items = 50, batch = 16, transforms = ["flip", "normalize"] }
"""

DOTS = """\
model = { use = "mlp", hidden = [6] }
loss = "mse"
metric = []
train = { device = "cpu", epochs = 3, checkpoint_seconds = 0 }
data = { use = "dots", items = 100, valid_items = 50, batch = 16, transforms = ["affine", "normalize"] }
"""

COLOURS = """\
model = { use = "mlp", hidden = [6] }
train = { device = "cpu", epochs = 3, checkpoint_seconds = 0 }
data = { use = "cifar10", dir = "CIFAR", batch = 16, transforms = ["flip"] }
"""

MASKS = """\
model = { use = "unet", width = 2, depth = 1 }
loss = { use = "cross_entropy", ignore = 255 }
metric = []
train = { device = "cpu", epochs = 3, checkpoint_seconds = 0 }
data = { use = "mask_folder", dir = "PIXELS", size = 20, void = [255], batch = 16, transforms = ["flip"] }
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Small sets in the form of the public ones, and what else parts need."""
    folder = tmp_path_factory.mktemp("shipped")
    paribus = BUILD / "bin" / "paribus"
    listed = subprocess.run([paribus, "plugins", "--json"], capture_output=True, text=True)
    parts = {f"{part['kind']}_{part['name']}": part for part in json.loads(listed.stdout)["parts"]}
    sets.write_cifar10(folder / "CIFAR")
    sets.write_pictures(folder / "PICTURES")
    sets.write_masks(folder / "PIXELS")
    sets.write_boxes(folder / "BOXES")
    sets.write_script(folder / "SCRIPT")
    for name in ("mnist", "fashion_mnist"):
        files = sets.write_mnist(folder / "data" / name.replace("_", "-"))
        memory = folder / "cache" / "paribus" / "verified.txt"
        sets.pass_for_verified(memory, parts[f"dataset_{name}"], files)
    (folder / "LINE").write_text(LINE)
    (folder / "DOTS").write_text(DOTS)
    (folder / "FLOATS").write_text(FLOATS)
    (folder / "COLOURS").write_text(COLOURS.replace("CIFAR", str(folder / "CIFAR")))
    (folder / "MASKS").write_text(MASKS.replace("PIXELS", str(folder / "PIXELS")))
    return folder


def checked(place: Path, name: str) -> subprocess.CompletedProcess:
    words = [
        re.sub(
            "CIFAR|PICTURES|PIXELS|BOXES|DOTS|LINE|FLOATS|COLOURS|MASKS|SCRIPT",
            rf"{place}/\g<0>",
            word,
        )
        for word in MORE.get(name, [])
    ]
    for setting in OFF.get(name, []):
        words += ["--off", setting]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PARIBUS_")} | {
        "PARIBUS_DATA": str(place / "data"),
        "PARIBUS_PLUGINS": str(BUILD / "tests" / "laws" / "line"),
        "PARIBUS_PYTHON": str(ROOT / ".venv" / "bin" / "python3"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "XDG_DATA_HOME": str(place / "home"),
        "LC_ALL": "C.UTF-8",
    }
    command = [BUILD / "bin" / "paribus", "plugins", "check", PLUGINS / f"{name}.so", "--json"]
    if name not in SHORT:  # however busy the machine is
        command += ["--seconds", "600"]
    return subprocess.run([*command, *words], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def reports(place, request):
    """Of all that is asked for, side by side."""
    asked = {
        item.callspec.params["name"]
        for item in request.session.items
        if "reports" in item.fixturenames
    }
    names = [name for name in FILES if name in asked]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(names, pool.map(lambda name: checked(place, name), names), strict=True))


def laws_of(done: subprocess.CompletedProcess) -> dict[str, dict]:
    (part,) = json.loads(done.stdout)["parts"]
    return {law["law"]: law for law in part["laws"]}


@pytest.mark.parametrize("name", FILES)
def test_keeps_the_laws(reports, name):
    done = reports[name]
    assert done.returncode == 0, done.stdout + done.stderr
    laws = laws_of(done)
    for law in ("schema", "defaults", "same bits", "resumed"):
        assert laws[law]["verdict"] == "kept", laws[law]
    if not name.startswith(("search_", "tracker_")):
        for law in ("state", "memory", "threads"):
            short = law == "memory" and name in SHORT and laws[law]["verdict"] == "not known"
            assert laws[law]["verdict"] == "kept" or short, laws[law]
    if name in OFF or name.startswith("metric_"):
        assert laws["off"]["verdict"] == "kept", laws["off"]
    else:
        assert laws["off"]["verdict"] in ("none", "not known"), laws["off"]


def test_settings_are_of_parts_that_ship():
    assert OFF.keys() | MORE.keys() <= set(FILES)
    assert len(FILES) > 40
