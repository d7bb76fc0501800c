# SPDX-License-Identifier: Apache-2.0
"""What callbacks say of a trained model, against what the model itself says: run again, or written in plain PyTorch."""

import json
import math
import struct
import sys
from pathlib import Path

import h5py
import numpy as np
import paribus
import pytest
import torch
import torch.nn.functional as F
from paribus import callback as callbacks
from torch import nn

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "plugins"), str(TESTS / "laws")]
import models_reference  # noqa: E402
from sets import png  # noqa: E402

SIZE, CLASSES = 32, 3


# --- confusion, classes, calibration, worst items ------------------------------------------------


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
    """Of a model that still errs, with the moving average of its weights, each bin as the metric has it."""
    study = paribus.Study(
        name="interpreted",
        data={
            "use": "glyphs",
            "items": 400,
            "valid_items": 150,
            "batch": 64,
            "transforms": ["normalize"],
        },
        model={"use": "mlp", "hidden": [16]},
        metric=["accuracy", {"use": "calibration_error", "bins": 7}, "f1", "recall", "precision"],
        callback=[
            {"use": "interpret", "worst": 5, "bins": 7},
            {"use": "ema", "decay": 0.5},
        ],
        train={"epochs": 3},
        study={"seeds": 2, "threads": 1},
    )
    return study.run(tmp_path_factory.mktemp("interpreted") / "run")


def last(run, name, seed=0):
    frame = run.results().table(name)
    frame = frame[frame["seed"] == seed]
    return frame[frame["step"] == frame["step"].max()]


def final(run, metric, seed=0):
    return next(row[metric] for row in run.results().rows if row["seed"] == seed)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_tables_agree_with_the_metrics(interpreted, seed):
    confusion = last(interpreted, "valid.confusion", seed)
    assert confusion["count"].sum() == 150 and (confusion["count"] > 0).all()
    right = confusion[confusion["class"] == confusion["taken"]]["count"].sum()
    assert right / 150 == pytest.approx(final(interpreted, "valid.accuracy", seed), abs=1e-12)
    classes = last(interpreted, "valid.classes", seed)
    seen = classes[classes["items"] + classes["taken"] > 0]
    for name in ("f1", "recall", "precision"):
        expected = final(interpreted, f"valid.{name}", seed)
        assert seen[name].mean() == pytest.approx(expected, abs=1e-12)
    bins = last(interpreted, "valid.calibration", seed)
    assert list(bins["low"]) == [i / 7 for i in range(7)] and bins["items"].sum() == 150
    some = bins[bins["items"] > 0]
    gap = (some["items"] * (some["accuracy"] - some["confidence"]).abs()).sum() / 150
    assert gap == pytest.approx(final(interpreted, "valid.calibration_error", seed), abs=1e-12)
    assert bins[bins["items"] == 0]["accuracy"].isna().all()


def test_each_validation_has_its_tables(interpreted):
    for name in ("valid.confusion", "valid.classes", "valid.calibration", "valid.worst"):
        frame = interpreted.results().table(name)
        assert list(frame.columns[:4]) == ["trial", "arm", "seed", "step"]
        assert set(zip(frame["seed"], frame["step"])) == {
            (seed, 7 * epoch) for seed in (0, 1) for epoch in (1, 2, 3)
        }


def test_items_of_the_greatest_loss_are_those_of_the_model(tmp_path):
    study = paribus.Study(
        data={"use": "glyphs", "items": 400, "valid_items": 150, "transforms": ["normalize"]},
        model={"use": "mlp", "hidden": [16]},
        callback=[{"use": "interpret", "worst": 6}],
        study={"threads": 1},
        train={"epochs": 1, "device": "cpu"},
    )
    run = study.run(tmp_path / "run")
    told = run.show_results(items=6, what="worst")
    worst = last(run, "valid.worst")
    assert list(worst["taken"]) == [one["class"] for one in told.predictions]
    np.testing.assert_allclose(worst["loss"], [one["loss"] for one in told.predictions], rtol=1e-5)
    chances = [one["probability"] for one in told.predictions]
    np.testing.assert_allclose(worst["confidence"], chances, rtol=1e-5)
    np.testing.assert_allclose(worst["probability"], np.exp(-worst["loss"]), rtol=1e-9)
    matrix = np.zeros((10, 10))
    for _, row in last(run, "valid.confusion").iterrows():
        matrix[row["class"], row["taken"]] = row["count"]
    assert matrix.tolist() == told.confusion
    names = dict(zip(last(run, "valid.classes")["class"], last(run, "valid.classes")["name"]))
    assert [names[number] for number in worst["class"]] == list(worst["name"])
    with h5py.File(run.directory / "results.h5") as file:
        trial = run.results().rows[0]["id"]
        (picture,) = file[f"pictures/{trial}/valid.worst"].values()
        assert struct.unpack(">II", bytes(picture[16:24])) == (6 * 136, 136)


def test_a_table_that_nobody_recorded_is_said(interpreted):
    with pytest.raises(paribus.ParibusError, match=r"the table 'wrong'; there are valid\.calib"):
        interpreted.results().table("wrong")


# --- Grad-CAM -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of three classes, a bright bar at another place in each; and the validation split as a tensor."""
    folder = tmp_path_factory.mktemp("pictures")
    draw = np.random.default_rng(3)
    seen = []
    for split, n in (("train", 16), ("valid", 5)):
        for number in range(CLASSES):
            place = folder / split / f"class{number}"
            place.mkdir(parents=True)
            for i in range(n):
                pixels = draw.integers(0, 120, (SIZE, SIZE, 3), dtype=np.uint8)
                pixels[4 + 8 * number : 10 + 8 * number, 6:26] += 100
                (place / f"{i:02}.png").write_bytes(png(SIZE, SIZE, pixels.tobytes()))
                if split == "valid":
                    seen.append(pixels)
    return folder, torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2) / 255.0


class ConvNet(nn.Module):
    def __init__(self, widths):
        super().__init__()
        pairs = list(zip([3, *widths], widths))
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        self.last = nn.Identity()
        self.head = nn.Conv2d(widths[-1], CLASSES, 3, 2, 1)

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(x)))
        return self.head(self.last(x)).mean((2, 3))


class Page(nn.Module):
    """His network of nine layers, of width 4."""

    def __init__(self):
        super().__init__()
        self.widths = {
            **{"prep": (3, 4), "layer1": (4, 8), "residual1a": (8, 8), "residual1b": (8, 8)},
            **{"layer2": (8, 16), "layer3": (16, 32)},
            **{"residual3a": (32, 32), "residual3b": (32, 32)},
        }
        for name, (a, b) in self.widths.items():
            block = nn.ModuleDict(
                {"conv": nn.Conv2d(a, b, 3, 1, 1, bias=False), "norm": nn.BatchNorm2d(b)}
            )
            setattr(self, name, block)
        self.last = nn.Identity()
        self.head = nn.Linear(32, CLASSES, bias=False)

    def block(self, name, x):
        block = getattr(self, name)
        x = F.relu(block["norm"](block["conv"](x)))
        return F.max_pool2d(x, 2) if name.startswith("layer") else x

    def forward(self, x):
        x = self.block("layer1", self.block("prep", x))
        x = x + self.block("residual1b", self.block("residual1a", x))
        x = self.block("layer3", self.block("layer2", x))
        x = self.last(x + self.block("residual3b", self.block("residual3a", x)))
        return self.head(x.amax((2, 3))) * 0.125


def resnet(blocks, bottleneck):
    net = models_reference.ResNet(blocks, bottleneck, width=4, small=True, classes=CLASSES)
    return net, net.layer4


def squeezenet():
    net = models_reference.squeezenet(CLASSES)
    return net, net["features"]


def with_last(net):
    return net, net.last


SMALL = {"width": 4, "stem": "cifar"}
MODELS = {
    "convnet": ({"use": "convnet", "channels": [4, 8]}, lambda: with_last(ConvNet([4, 8]))),
    "resnet9": ({"use": "resnet9", "width": 4}, lambda: with_last(Page())),
    "resnet18": ({"use": "resnet18", **SMALL}, lambda: resnet([2, 2, 2, 2], False)),
    "resnet34": ({"use": "resnet34", **SMALL}, lambda: resnet([3, 4, 6, 3], False)),
    "resnet50": ({"use": "resnet50", **SMALL}, lambda: resnet([3, 4, 6, 3], True)),
    "squeezenet1_1": ({"use": "squeezenet1_1"}, squeezenet),
}


@pytest.fixture(scope="module")
def looked(folder, tmp_path_factory):
    """All models, each looked at by the class that it takes items for, and by the true one."""
    common = {"items": 6, "choose": "first"}
    arms = {
        f"{name} {of}": {"model": model, "callback": [{"use": "grad_cam", "of": of, **common}]}
        for name, (model, _) in MODELS.items()
        for of in ("taken", "true")
    }
    study = paribus.Study(
        name="looked",
        data={"use": "image_folder", "dir": str(folder[0]), "size": SIZE, "batch": 8},
        model=MODELS["convnet"][0],
        optimizer={"use": "sgd", "lr": 0.02},
        train={"epochs": 2, "device": "cpu", "precision": "fp32"},
        study={"seeds": 1, "threads": 1},
        arms=arms,
    )
    return study.run(tmp_path_factory.mktemp("looked") / "run")


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    kinds = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        flat = np.frombuffer(content[begin:end], kinds[entry["dtype"]])
        tensors[name] = torch.from_numpy(flat.copy()).view(entry["shape"])
    return tensors


def by_hand(net, layer, inputs, classes):
    """The formula of the paper, by hooks."""
    kept = {}
    hook = layer.register_forward_hook(lambda module, given, made: kept.update(map=made))
    scores = net(inputs)
    hook.remove()
    wanted = scores.argmax(1) if classes is None else classes
    of_each = scores.gather(1, wanted[:, None]).sum()
    (gradient,) = torch.autograd.grad(of_each, kept["map"])
    weights = gradient.mean((2, 3), keepdim=True)
    return wanted, F.relu((weights * kept["map"]).sum(1)).detach()


@pytest.mark.parametrize("of", ["taken", "true"])
@pytest.mark.parametrize("name", MODELS)
def test_a_map_is_that_of_the_formula(looked, folder, name, of):
    frame = last_of(looked, f"{name} {of}")
    net, layer = MODELS[name][1]()
    weights = looked.directory / "checkpoints" / frame["trial"].iloc[0] / "final.safetensors"
    net.load_state_dict(read_safetensors(weights))
    net.eval()
    items = list(dict.fromkeys(frame["item"]))
    assert items == [0, 1, 2, 3, 4, 5]
    truth = torch.tensor([item // 5 for item in items])
    classes, maps = by_hand(net, layer, folder[1][items], truth if of == "true" else None)
    assert list(frame["class"]) == classes.repeat_interleave(maps[0].numel()).tolist()
    shape = (len(items), frame["row"].max() + 1, frame["column"].max() + 1)
    got = torch.tensor(frame["value"].to_numpy()).view(shape)
    assert got.shape == maps.shape
    scale = max(maps.max().item(), 1e-12)
    assert (got - maps).abs().max().item() <= 1e-4 * scale
    assert math.isfinite(scale)


def last_of(run, arm):
    frame = run.results().table("valid.grad_cam")
    frame = frame[frame["arm"] == arm]
    return frame[frame["step"] == frame["step"].max()]


def test_some_maps_are_no_blank(looked):
    """Else the formula would hold of nothing."""
    frame = looked.results().table("valid.grad_cam")
    lit = frame[frame["value"] > 0]["arm"].unique()
    assert {arm.split()[0] for arm in lit} >= {"convnet", "resnet9", "resnet18", "resnet50"}


def test_the_worst_items_are_those_of_interpret(tmp_path):
    study = paribus.Study(
        data={"use": "glyphs", "items": 200, "valid_items": 60, "transforms": ["normalize"]},
        model={"use": "convnet", "channels": [4, 8]},
        callback=[callbacks.GradCam(items=4), callbacks.Interpret(worst=4)],
        train={"epochs": 1},
        study={"threads": 1},
    )
    run = study.run(tmp_path / "run")
    items = list(dict.fromkeys(last(run, "valid.grad_cam")["item"]))
    assert items == list(last(run, "valid.worst")["item"])
    with h5py.File(run.directory / "results.h5") as file:
        trial = run.results().rows[0]["id"]
        (picture,) = file[f"pictures/{trial}/valid.grad_cam"].values()
        assert struct.unpack(">II", bytes(picture[16:24])) == (4 * 136, 2 * 136)


# --- what can't be looked at is said before the first step ---------------------------------------


def problem_of(place, **tables):
    usual = {"data": {"use": "glyphs", "items": 100, "valid_items": 50}, "model": "convnet"}
    with pytest.raises(paribus.StudyError) as caught:
        paribus.Study(**{**usual, **tables}).check()
    return str(caught.value)


def test_a_model_without_features_is_refused(place):
    every = [{"use": "grad_cam", "every": 2}]  # not due in the first epoch
    text = problem_of(place, model="mlp", callback=every)
    assert "callback/grad_cam: the model hands out no feature map; expected convnet" in text
