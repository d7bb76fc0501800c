# SPDX-License-Identifier: Apache-2.0
"""`paribus show-results`: what a trained model makes of the validation items."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from drawing import PARIBUS, at_terminal, kitty_image, paribus, texts
from PIL import Image
from test_show_data import masks

STUDY = """\
[study]
seeds = 2
[data]
use = "glyphs"
batch = 64
limit = 2000
valid_limit = 500
transforms = ["flip", "normalize"]
[model]
use = "convnet"
channels = [8, 16]
[train]
epochs = 2
[schedule]
"optimizer.lr" = "one_cycle"
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "s.toml").write_text(STUDY)
    paribus("run", "s.toml", "--dir", "s", "--no-report", "-q", cwd=folder)
    return folder


def shown(folder, *words) -> dict:
    return json.loads(paribus("show-results", "s", "--json", *words, cwd=folder).stdout)


def rows(folder) -> list[dict]:
    return json.loads(paribus("results", "s", "--json", cwd=folder).stdout)["rows"]


def test_it_is_what_training_measured(trained):
    for row in rows(trained):
        told = shown(trained, row["id"])
        counts = np.array(told["confusion"])
        assert counts.sum() == told["of"] == 500
        assert counts.trace() / 500 == row["valid.accuracy"]
        everything = shown(trained, row["id"], "--items", "256")
        assert everything["items"] == list(range(256))


def test_losses_and_probabilities_belong_together(trained):
    told = shown(trained, "--items", "100")
    truths = told["targets"][0]["numbers"]
    for truth, guess in zip(truths, told["predictions"], strict=True):
        assert 0.1 <= guess["probability"] <= 1
        if guess["class"] == truth:
            assert guess["loss"] == pytest.approx(-np.log(guess["probability"]), rel=1e-4, abs=1e-6)
        else:
            assert guess["loss"] >= -np.log(guess["probability"]) - 1e-6
    right = [int(g["class"] == t) for t, g in zip(truths, told["predictions"], strict=True)]
    assert sum(right) > 0


def test_the_worst_are_the_worst_of_all(trained):
    worst = shown(trained, "--what", "worst", "--items", "10")
    losses = [guess["loss"] for guess in worst["predictions"]]
    assert losses == sorted(losses, reverse=True)
    some = shown(trained, "--items", "256")
    known = dict(zip(some["items"], [guess["loss"] for guess in some["predictions"]], strict=True))
    for item, loss in known.items():
        if loss > losses[-1]:
            assert item in worst["items"]
    for item, loss in zip(worst["items"], losses, strict=True):
        assert known.get(item, loss) == loss


def test_pictures(trained):
    text = paribus("show-results", "s", "--picture", "r.svg", "--items", "6", cwd=trained)
    right = int(np.trace(np.array(shown(trained)["confusion"])))
    assert text.stdout.splitlines()[0] == f"base, seed 0: {right} of 500 validation items right"
    words = texts(trained / "r.svg")
    assert "6 of 500 validation items, base, seed 0: target, prediction, loss" in words
    assert sum(word.startswith("loss ") for word in words) == 6
    paribus(
        "show-results", "s", "--what", "confusion", "--picture", "c.svg", cwd=trained
    )  # fmt: skip
    words = texts(trained / "c.svg")
    counts = np.array(shown(trained)["confusion"])
    assert {str(count) for count in counts.flat if count} <= set(words)
    assert f"base, seed 0: {right / 500:.4g} of 500 validation items right" in words
    picture = at_terminal("show-results", "s", cwd=trained, TERM="xterm-kitty")
    assert kitty_image(picture).startswith(b"\x89PNG")


def test_other_weights_are_refused(trained, tmp_path):
    trial = rows(trained)[1]["id"]
    file = trained / "s" / "checkpoints" / trial / "final.safetensors"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refusal = paribus("show-results", "s", trial, status=2, cwd=trained).stderr
    assert "is not what trial" in refusal and "recorded" in refusal
    file.unlink()
    assert "is not there" in paribus("show-results", "s", trial, status=2, cwd=trained).stderr
    file.write_bytes(good)
    assert (
        "no trial 'nosuch'" in paribus("show-results", "s", "nosuch", status=2, cwd=trained).stderr
    )
    assert "is not a study's directory" in paribus("show-results", tmp_path, status=2).stderr


def test_an_interrupt_is_told(trained):
    """Its worker is held, so that there is something to interrupt."""
    running = subprocess.Popen(
        [PARIBUS, "show-results", "s"],
        cwd=trained,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    worker = child_of(running)
    os.kill(worker, signal.SIGSTOP)
    running.send_signal(signal.SIGINT)
    try:
        out, err = running.communicate(timeout=120)
    finally:
        running.kill()
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    assert (running.returncode, out, err) == (130, "", "interrupted\n")


def child_of(process) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() == "paribus-worker":
                    return int(child)
        time.sleep(0.005)
    raise AssertionError("it has no worker")


def test_masks(tmp_path):
    masks(tmp_path)
    (tmp_path / "s.toml").write_text("""\
[data]
use = "mask_folder"
dir = "squares"
height = 32
width = 32
batch = 4
transforms = ["normalize"]
[model]
use = "unet"
width = 4
depth = 2
[[metric]]
use = "iou"
[train]
epochs = 1
""")
    paribus("run", "s.toml", "--dir", "s", "--no-report", "-q", cwd=tmp_path)
    told = shown(tmp_path)
    assert told["confusion"] is None and len(told["predictions"]) == told["of"] > 0
    for guess in told["predictions"]:
        assert guess["mask"]["shape"] == [1, 1, 32, 32] and np.isfinite(guess["loss"])
    paribus("show-results", "s", "--picture", "m.png", cwd=tmp_path)
    with Image.open(tmp_path / "m.png") as image:
        assert image.width > 300
    words = ("show-results", "s", "--what", "confusion")
    assert "no classes" in paribus(*words, status=2, cwd=tmp_path).stderr


LINE = """\
import paribus.part
import torch


class Line(paribus.part.Dataset):
    \"\"\"y = 2 x + 1\"\"\"

    def train(self):
        return [(torch.tensor([i / 64]), torch.tensor([2 * i / 64 + 1])) for i in range(64)]

    valid = train


class Linear(torch.nn.Module):
    def __init__(self, data):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x)
"""


def test_real_values(tmp_path):
    """Targets that are numbers: predictions are, too."""
    (tmp_path / "line.py").write_text(LINE)
    (tmp_path / "s.toml").write_text("""\
[data]
use = "python:line:Line"
batch = 16
[model]
use = "python:line:Linear"
[loss]
use = "mse"
[train]
epochs = 1
""")
    paribus("run", "s.toml", "--dir", "s", "--no-report", "-q", cwd=tmp_path)
    told = shown(tmp_path)
    assert told["confusion"] is None and told["inputs"][0]["shape"] == [24, 1]
    targets = told["targets"][0]["numbers"]
    assert targets[:2] == [1.0, 1.03125]
    for target, guess in zip(targets, told["predictions"], strict=True):
        (value,) = guess["values"]["numbers"]
        assert guess["loss"] == pytest.approx((value - target) ** 2, rel=1e-4, abs=1e-7)
    paribus("show-results", "s", "--picture", "v.svg", cwd=tmp_path)
    assert any("1.03" in word for word in texts(tmp_path / "v.svg"))
