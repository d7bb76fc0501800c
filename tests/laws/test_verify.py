# SPDX-License-Identifier: Apache-2.0
"""`paribus verify` finds every trial as it was recorded, or the step and the tensor at which it no longer is."""

import hashlib
import json
import os
import shutil
import signal
import time

import pytest
from lab import FIXTURES, Lab

STUDY = """\
data = { use = "glyphs", items = 320, valid_items = 40, batch = 16, transforms = ["normalize"] }
model = { use = "mlp", hidden = [8] }
optimizer = { use = "sgd", lr = 0.05, momentum = 0.9 }
callback = ["noise"]
train = { epochs = 5 }
study = { seeds = 2, threads = 1 }
[arms]
momentum = {}
plain = { "optimizer.momentum" = 0.0 }
"""
STEPS = 100  # of a trial; every tensor is known after 20, 40, 60, 64, 80 and 100


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("verify"), "noise")
    lab.write("study.toml", STUDY)
    (lab.folder / "tmp").mkdir()
    lab.environment["TMPDIR"] = str(lab.folder / "tmp")
    return lab


def recorded(lab, name, **environment):
    directory = lab.folder / "runs" / name
    done = lab.command("run", "study.toml", "--dir", directory, "-q", **environment)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def good(lab):
    return recorded(lab, "good")


def verified(lab, *words, status=0, **environment):
    done = lab.command("verify", *words, "--json", "-q", **environment)
    assert done.returncode == status, done.stdout + done.stderr
    assert os.listdir(lab.folder / "tmp") == []
    return json.loads(done.stdout)


def sums(directory):
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in directory.rglob("*")
        if file.is_file()
    }


def noise(kind, step, tensor):
    return {"PARIBUS_LAWS_NOISE": f"{kind} {step} {tensor}"}


def test_an_honest_record_is_identical_and_untouched(lab, good):
    before = sums(good)
    answer = verified(lab, good, "-j", 2)
    assert sums(good) == before
    assert answer["changes"] == []
    assert [trial["verdict"] for trial in answer["trials"]] == ["bit-identical"] * 4
    for trial in answer["trials"]:
        assert trial["compared"]["fingerprints"] == STEPS
        assert trial["compared"]["full_fingerprints"] == 6
        assert trial["compared"]["points"] >= STEPS
    text = lab.answer("verify", good, "-q")
    assert "bit-identical: 4 of 4 trials" in text


def test_a_resumed_record_is_identical(lab):
    directory = lab.folder / "runs" / "resumed"
    words = ("--dir", directory, "-s", "train.epochs=200", "-s", "study.seeds=1")
    running = lab.start("run", "study.toml", *words)
    while not any(
        p.name not in ("study.log", "system.log") for p in directory.glob("journal/*.log")
    ):
        time.sleep(0.05)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    lab.answer("resume", directory, "-q")
    trials = verified(lab, directory)["trials"]
    assert [trial["identical"] for trial in trials] == [True, True]


def test_trials_are_chosen(lab, good):
    ids = [row["id"] for row in json.loads(lab.answer("results", good, "--json"))["rows"]]
    chosen = verified(lab, good, ids[2], ids[0][:6])["trials"]
    assert [trial["id"] for trial in chosen] == [ids[2], ids[0]]
    assert [trial["id"] for trial in verified(lab, good, "-n", 2)["trials"]] == [ids[0], ids[2]]


def test_what_cannot_be_verified_is_refused(lab, good):
    for words, text in (
        ((good, "nosuch"), "has no trial 'nosuch'"),
        ((good, "-n", 0), "--sample"),
        ((lab.folder,), "is not a study's directory"),
    ):
        done = lab.command("verify", *words)
        assert done.returncode == 2
        assert text in done.stderr


@pytest.mark.parametrize(
    ("step", "tensor"), [(1, "layers.0.bias"), (33, "layers.0.weight"), (100, "layers.1.bias")]
)
def test_chance_is_found_to_the_step_and_the_tensor(lab, good, step, tensor):
    """Nobody knows what the clock says, so no two runs agree."""
    environment = noise("clock", step, tensor)
    answer = verified(lab, good, "--bisect", "-n", 1, status=1, **environment)
    (trial,) = answer["trials"]
    assert trial["differs"]["first_step"] in (step, step + 1)
    assert trial["bisection"]["finding"] == "not deterministic"
    between = trial["bisection"]["between"]
    assert between["first_step"] == step
    assert between["tensors"]["step"] == step
    assert [one["name"] for one in between["tensors"]["differ"]] == [tensor]
    text = lab.command("verify", good, "-q", "--bisect", "-n", 1, **environment).stdout
    assert f"two runs here differ from step {step} on; 1 of 4 tensors differ: {tensor}" in text
    assert "its loss is equal, so it is what comes after the forward pass" in text


def test_a_record_that_was_computed_otherwise_is_told_from_chance(lab):
    directory = recorded(lab, "elsewhere", **noise("shift", 33, "layers.1.weight"))
    (trial,) = verified(lab, directory, "--bisect", "-n", 1, status=1)["trials"]
    assert trial["differs"]["first_step"] in (33, 34)
    assert trial["differs"]["point"]["step"] == 34
    assert trial["differs"]["point"]["recorded"] != trial["differs"]["point"]["now"]
    assert trial["differs"]["tensors"]["last_equal_step"] == 20
    assert trial["differs"]["tensors"]["step"] == 40
    assert "weights_sha256" in [end["what"] for end in trial["differs"]["end"]]
    assert trial["bisection"]["finding"] == "recorded elsewhere"
    text = lab.command("verify", directory, "-q", "--bisect", "-n", 1).stdout
    assert "three runs here agree in every bit" in text
    assert "after step 20 the record has all tensors as they are here; after step 40 4 of 4" in text
    assert "bit-identical: 0 of 1 trials" in text


def test_a_change_in_the_very_last_bits_is_seen(lab):
    """After the last step only the weights and what is measured of them can tell."""
    directory = recorded(lab, "last", **noise("shift", 100, "layers.1.bias"))
    (trial,) = verified(lab, directory, "-n", 1, status=1)["trials"]
    assert trial["differs"]["first_step"] == 100
    assert [one["name"] for one in trial["differs"]["tensors"]["differ"]] == ["layers.1.bias"]


def test_another_plugin_is_told_first_and_compared_all_the_same(lab):
    folder = lab.folder / "plugins"
    folder.mkdir()
    plugin = folder / "noise.so"
    shutil.copy(FIXTURES / "noise" / "noise.so", plugin)
    environment = {"PARIBUS_PLUGINS": str(folder)}
    directory = recorded(lab, "plugin", **environment)
    plugin.write_bytes(plugin.read_bytes() + b"\0")  # another file, the same code
    answer = verified(lab, directory, "-n", 1, **environment)
    assert [change["what"] for change in answer["changes"]] == ["plugin of callback/noise"]
    assert answer["trials"][0]["identical"]
    text = lab.command("verify", directory, "-q", "-n", 1, **environment).stdout
    assert text.startswith("plugin of callback/noise has changed: ")


def test_a_failing_run_is_a_difference(lab, good):
    text = lab.command("verify", good, "-n", 1, "-q", "--json", PARIBUS_LAWS_NOISE="fail 7 x")
    (trial,) = json.loads(text.stdout)["trials"]
    assert text.returncode == 1
    assert trial["verdict"] == "failed: callback/noise: as told"
    assert trial["differs"]["point"] == trial["differs"]["point"] | {"step": 8, "now": None}


def test_an_interrupt_leaves_nothing(lab):
    directory = lab.folder / "runs" / "long"
    lab.answer("run", "study.toml", "--dir", directory, "-q", "-s", "train.epochs=300")
    running = lab.start("verify", directory)
    while not list((lab.folder / "tmp").glob("*/journal/*.log")):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert os.listdir(lab.folder / "tmp") == []
