# SPDX-License-Identifier: Apache-2.0
"""Points and boxes in `paribus show-data` and `paribus show-results`: they lie where their image shows them."""

import base64
import json

import numpy as np
import pytest
from drawing import paribus, texts
from PIL import Image

STUDY = """\
loss = "mse"
metric = "{metric}"
[data]
use = "dots"
target = "{target}"
dots = 3
noise = 0.0
items = 64
valid_items = 20
batch = 16
transforms = [{transforms}]
[model]
use = "convnet"
channels = [8, 16, 16, 16]
[train]
epochs = 1
"""
MOVES = '"flip", { use = "affine", rotate = 30.0, shift = 0.1, mode = "zero" }, { use = "crop", padding = 0, size = 22 }, { use = "resize", size = 44 }, "normalize"'


def study(folder, target: str, transforms='"normalize"', name="s.toml") -> str:
    metric = "distance" if target == "points" else "mae"
    text = STUDY.format(target=target, transforms=transforms, metric=metric)
    (folder / name).write_text(text)
    return name


def shown(folder, *words) -> dict:
    return json.loads(paribus(*words, "--json", cwd=folder).stdout)


def images(told: dict) -> np.ndarray:
    first = told["inputs"][0]
    return np.frombuffer(base64.b64decode(first["bytes"]), np.uint8).reshape(first["shape"])


def target(told: dict) -> np.ndarray:
    (one,) = told["targets"]
    return np.array(one["numbers"]).reshape(one["shape"])


def pixels(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    return (places + 1) / 2 * np.array([picture.shape[2], picture.shape[1]])


def test_points_lie_on_their_dots(tmp_path):
    study(tmp_path, "points", MOVES)
    told = shown(tmp_path, "show-data", "s.toml")
    assert told["targets"][0]["type"] == "points" and told["targets"][0]["shape"] == [16, 3, 2]
    seen = 0
    for picture, points in zip(images(told), target(told), strict=True):
        for colour, (x, y) in enumerate(pixels(points, picture)):
            if not (2 < x < 42 and 2 < y < 42):
                continue  # it was moved out, or lies on the edge
            pixel = picture[:, int(y), int(x)]
            assert pixel.argmax() == colour and pixel[colour] > 150
            seen += 1
    assert seen > 24


def test_boxes_lie_about_their_dots(tmp_path):
    study(tmp_path, "boxes", MOVES)
    told = shown(tmp_path, "show-data", "s.toml")
    assert told["class_names"] == ["red", "green", "blue"]
    seen = 0
    for picture, boxes in zip(images(told), target(told), strict=True):
        for *edges, number in boxes:
            if number < 0:
                continue
            corners = pixels(np.array(edges).reshape(2, 2), picture)
            if (corners[1] - corners[0]).min() < 8:
                continue  # hardly anything of it is left
            x, y = corners.mean(0)
            assert picture[:, int(y), int(x)].argmax() == number
            seen += 1
    assert seen > 10


@pytest.mark.parametrize("kind", ["points", "boxes"])
def test_picture_of_data(tmp_path, kind):
    study(tmp_path, kind)
    paribus("show-data", "s.toml", "--items", "6", "--picture", "p.png", cwd=tmp_path)
    with Image.open(tmp_path / "p.png") as image:
        assert image.width > 400
    paribus("show-data", "s.toml", "--items", "6", "--picture", "p.svg", cwd=tmp_path)
    assert ("blue" in texts(tmp_path / "p.svg")) == (kind == "boxes")


def test_predictions_lie_beside_targets(tmp_path):
    study(tmp_path, "points")
    paribus("run", "s.toml", "--dir", "s", "--no-report", "-q", cwd=tmp_path)
    told = shown(tmp_path, "show-results", "s", "--items", "20")
    truths = target(told)
    (row,) = shown(tmp_path, "results", "s")["rows"]
    guesses = []
    for truth, guess in zip(truths, told["predictions"], strict=True):
        assert guess["points"]["type"] == "points" and guess["points"]["shape"] == [1, 3, 2]
        guesses.append(np.array(guess["points"]["numbers"]).reshape(3, 2))
        assert guess["loss"] == pytest.approx(((guesses[-1] - truth) ** 2).mean(), rel=1e-4)
    off = (np.array(guesses) - truths) * np.array([16, 12])
    assert row["valid.distance"] == pytest.approx(np.hypot(*off.T).mean(), rel=1e-4)
    paribus("show-results", "s", "--picture", "r.svg", cwd=tmp_path)
    words = " ".join(texts(tmp_path / "r.svg"))
    assert "ring is, cross predicted" in words
