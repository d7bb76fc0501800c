# SPDX-License-Identifier: Apache-2.0
"""`paribus show-data`: what the model gets, as a picture."""

import base64
import json

import numpy as np
from drawing import at_terminal, kitty_image, paribus, texts
from PIL import Image

HEAD = '[data]\nuse = "glyphs"\nbatch = 32\nlimit = 640\ntransforms = [{}]\n[model]\nuse = "mlp"\n'


def study(folder, transforms: str, name="s.toml"):
    (folder / name).write_text(HEAD.format(transforms))
    return name


def shown(folder, file, *words) -> dict:
    return json.loads(paribus("show-data", file, "--json", *words, cwd=folder).stdout)


def images(told: dict) -> np.ndarray:
    first = told["inputs"][0]
    return np.frombuffer(base64.b64decode(first["bytes"]), np.uint8).reshape(first["shape"])


def test_values_are_those_of_the_data_again(tmp_path):
    raw = shown(tmp_path, study(tmp_path, ""))
    normalized = shown(tmp_path, study(tmp_path, '"normalize"', "n.toml"))
    assert images(raw).shape[0] == 24 and images(raw).max() > 200
    assert (images(raw) == images(normalized)).all()
    assert raw["items"] == normalized["items"] and raw["targets"] == normalized["targets"]
    assert not raw["stretched"] and not normalized["stretched"]
    assert len(raw["targets"][0]["numbers"]) == 24


def test_items_are_those_of_the_first_batch_with_its_draws(tmp_path):
    raw = shown(tmp_path, study(tmp_path, ""))
    flips = study(tmp_path, '"flip", "normalize"', "f.toml")
    first, again, later = (
        images(shown(tmp_path, flips, "--epoch", str(epoch))) for epoch in (0, 0, 1)
    )
    assert (first == again).all() and first.shape == later.shape and (first != later).any()
    turned = [bool((a != b).any()) for a, b in zip(first, images(raw), strict=True)]
    assert 3 < sum(turned) < 21
    for is_turned, a, b in zip(turned, first, images(raw), strict=True):
        assert (a == (b[:, :, ::-1] if is_turned else b)).all()


def test_the_other_split_and_fewer_items(tmp_path):
    file = study(tmp_path, '"flip", "normalize"')
    valid = shown(tmp_path, file, "--valid", "--items", "5")
    assert valid["split"] == "valid" and valid["items"] == [0, 1, 2, 3, 4]
    assert len(shown(tmp_path, file, "--items", "256")["items"]) == 32  # a batch


def test_picture(tmp_path):
    file = study(tmp_path, '"normalize"')
    done = paribus("show-data", file, "--items", "6", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("", "s-data.png\n")
    with Image.open(tmp_path / "s-data.png") as image:
        assert image.width > 400
    paribus("show-data", file, "--items", "6", "--picture", "p.svg", cwd=tmp_path)
    told = shown(tmp_path, file, "--items", "6")
    words = texts(tmp_path / "p.svg")
    for number in told["targets"][0]["numbers"]:
        names = told["class_names"]
        assert (names[int(number)] if names else str(int(number))) in words
    assert "train items of base, seed 0, as the model gets them" in words
    text = at_terminal("show-data", file, cwd=tmp_path, TERM="xterm-kitty")
    assert kitty_image(text).startswith(b"\x89PNG")


def test_moments_that_are_given(tmp_path):
    """Data sets state theirs; with others, the way back is theirs, too."""
    raw = shown(tmp_path, study(tmp_path, ""))
    given = study(tmp_path, '{ use = "normalize", mean = [100.0], std = [50.0] }', "g.toml")
    assert (images(shown(tmp_path, given)) == images(raw)).all()


def masks(folder):
    """Squares whose mask is where they are bright."""
    for part in ("images", "masks"):
        (folder / "squares" / part).mkdir(parents=True)
    for number in range(12):
        picture = np.zeros((32, 32, 3), np.uint8)
        at = 2 * number
        picture[at : at + 8, 4:20] = (255, 255, 255)
        mask = (picture[:, :, 0] > 0).astype(np.uint8)
        Image.fromarray(picture).save(folder / "squares" / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "squares" / "masks" / f"{number:02}.png")
    (folder / "squares" / "codes.txt").write_text("nothing\nsquare\n")


def test_masks_lie_where_their_image_is(tmp_path):
    masks(tmp_path)
    text = """\
[data]
use = "mask_folder"
dir = "squares"
height = 32
width = 32
batch = 4
transforms = ["flip", { use = "affine", rotate = 20.0, mode = "zero" }, "normalize"]
[model]
use = "unet"
width = 4
depth = 2
[[metric]]
use = "iou"
"""
    (tmp_path / "m.toml").write_text(text)
    told = shown(tmp_path, "m.toml")
    bright = images(told)[:, 0] > 127
    target = told["targets"][0]
    mask = np.frombuffer(base64.b64decode(target["bytes"]), np.uint8).reshape(target["shape"])
    mask = mask.reshape(bright.shape)
    assert target["type"] == "mask" and 0 < bright.mean() < 0.6
    assert (bright == (mask == 1)).mean() > 0.97  # but for edges between pixels
    paribus("show-data", "m.toml", "--picture", "m.svg", cwd=tmp_path)
    assert {"nothing", "square"} <= set(texts(tmp_path / "m.svg"))


def test_wrong_requests(tmp_path):
    file = study(tmp_path, '"normalise"')
    assert "did you mean" in paribus("show-data", file, status=2, cwd=tmp_path).stderr
    file = study(tmp_path, "")
    done = paribus("show-data", file, "--picture", "no/where.png", status=2, cwd=tmp_path)
    assert "there is no folder no" in done.stderr
