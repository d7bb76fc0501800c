# SPDX-License-Identifier: Apache-2.0
"""A recipe is the settings that it stands for; what is frozen stays; resumed around an unfreezing is undisturbed."""

import json
import struct
from pathlib import Path

import pytest
from lab import Lab
from test_kill_anywhere import Victim

# Batch norm in the body; 7 steps an epoch.
STUDY = """\
study = { threads = 1 }
model = { use = "convnet", channels = [4, 8] }
data = { use = "glyphs", items = 100, valid_items = 40, batch = 16, transforms = ["crop", "normalize"] }
optimizer = { use = "adamw", lr = 0.01 }
"""

RECIPE = """
[train]
epochs = 3
checkpoint_seconds = 0
recipe = "fine_tune"
"""

WRITTEN = """
[train]
epochs = 3
checkpoint_seconds = 0

[schedule]
"optimizer.lr" = { use = "fine_tune", freeze_epochs = 1 }

[[callback]]
use = "unfreeze"
at = [1]

[[callback]]
use = "rates"
lowest = 0.01
norm_bias_decay = 0.0
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("fine-tuning"))


def weights(lab: Lab, name: str, text: str, *words) -> dict[str, bytes]:
    """Of the one trial of a study, when it is done."""
    results = lab.run(lab.write(f"{name}.toml", text), name, *words)
    (row,) = results.rows.values()
    file = Path(lab.folder) / "runs" / name / "checkpoints" / row["id"] / "final.safetensors"
    content = file.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    body = content[8 + size :]
    return {key: body[slice(*entry["data_offsets"])] for key, entry in header.items()}


def test_a_recipe_is_what_it_stands_for(lab):
    short = lab.run(lab.write("short.toml", STUDY + RECIPE), "short").all()
    long = lab.run(lab.write("long.toml", STUDY + WRITTEN), "long").all()
    resolved = lab.run(lab.folder / "runs" / "short" / "study.toml", "resolved").all()
    assert short == long, "their ids and all numbers"
    assert short == resolved


@pytest.mark.parametrize(
    "spelt",
    ['train={recipe="fine_tune"}', '"train.recipe"="fine_tune"', "train.recipe = 'fine_tune'"],
)
def test_it_is_one_however_it_is_spelt(lab, spelt):
    plain = STUDY + RECIPE.replace('recipe = "fine_tune"', "")
    told = lab.answer("check", lab.write("spelt.toml", plain), "-s", spelt, "--json")
    written = lab.answer("check", lab.write("spelt.toml", STUDY + RECIPE), "--json")
    assert ids_of(told) == ids_of(written)
    assert ids_of(told) != ids_of(lab.answer("check", lab.write("spelt.toml", plain), "--json"))


def ids_of(told: str) -> list:
    return [trial["id"] for trial in json.loads(told)["trials"]]


def test_an_arm_has_it_over_the_file_and_under_its_own_keys(lab):
    over = (
        STUDY
        + RECIPE.replace('recipe = "fine_tune"', "")
        + '[schedule]\n"optimizer.lr" = "cosine"\n'
    )
    arms = """
[arms]
plain = {}
tuned = { train = { recipe = { use = "fine_tune", freeze_epochs = 2, lr_mult = 10.0 } } }
own = { "train.recipe" = "fine_tune", "callback.rates.lowest" = 0.5, "schedule.optimizer.lr" = false }
"""
    text = lab.folder / "runs" / "arms" / "study.toml"
    lab.run(lab.write("arms.toml", over + arms), "arms")
    resolved = text.read_text()
    plain, tuned, own = (
        resolved.split("[arms.")[1],
        *(
            "".join(part for part in resolved.split("[arms.") if part.startswith(name))
            + "".join(part for part in resolved.split("[[arms.") if part.startswith(name))
            for name in ("tuned", "own")
        ),
    )
    assert "unfreeze" not in plain
    assert "at = [2]" in tuned
    assert "lowest = 0.1" in tuned
    assert "freeze_epochs = 2" in tuned
    assert "at = [1]" in own
    assert "lowest = 0.5" in own
    assert "fine_tune" not in own


def test_what_it_sets_is_swept_and_overridden(lab):
    sweep = STUDY + RECIPE + '[sweep]\n"callback.rates.lowest" = [0.01, 1.0]\n'
    results = lab.run(lab.write("sweep.toml", sweep), "sweep")
    assert len({row["id"] for row in results.rows.values()}) == 2
    one = lab.run(lab.write("set.toml", STUDY + RECIPE), "set", "-s", "callback.rates.lowest=1.0")
    assert {row["id"] for row in one.rows.values()} <= {row["id"] for row in results.rows.values()}
    longer = lab.answer("check", lab.write("longer.toml", STUDY), "-s", "train.recipe=fine_tune")
    assert "is fine" in longer


@pytest.mark.parametrize("norms", ["true", "false"])
def test_what_is_frozen_stays_as_it_was_made(lab, norms):
    never = f'callback = [{{ use = "unfreeze", at = [], norms = {norms} }}]\n'
    one = weights(lab, f"one-{norms}", never + STUDY, "-s", "train.epochs=1")
    two = weights(lab, f"two-{norms}", never + STUDY, "-s", "train.epochs=2")
    same = {name for name in one if one[name] == two[name]}
    convs = {name for name in one if name.startswith("convs.")}
    norm_weights = {name for name in one if name.startswith("norms.") and "running" not in name}
    norm_weights -= {name for name in one if name.endswith("num_batches_tracked")}
    assert same == (convs if norms == "true" else convs | norm_weights)
    assert convs
    assert norm_weights


# Around the first step of the second epoch, before which the body is unfrozen, and after an update in its middle.
@pytest.mark.parametrize(
    "event", ["after_batch 7", "before_epoch 7", "after_step 8", "after_step 10"]
)
def test_killed_around_the_unfreezing(tmp_path, event):
    text = (STUDY + WRITTEN).replace(
        '"adamw", lr = 0.01', '"sgd", momentum = 0.9'
    ) + '[[callback]]\nuse = "kill_at"\n'
    victim = Victim(tmp_path, text)
    assert victim.killed(PARIBUS_LAWS_KILL=event)
    victim.finish(event)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train.recipe=fine_tun", "no recipe is named 'fine_tun'; did you mean 'fine_tune'?"),
        ("train.recipe=3", "'recipe' is a number, expected the name of a recipe"),
        (
            "train.recipe={ use = 'fine_tune', freeze = 1 }",
            "unknown key 'freeze'; did you mean 'freeze_epochs'?",
        ),
        (
            "train.recipe={ use = 'fine_tune', lr_mult = 0.0 }",
            "'lr_mult' got 0, expected a number above 0",
        ),
        (
            "train.recipe={ use = 'fine_tune', freeze_epochs = 3 }",
            "got 3, expected less than the 3 epochs",
        ),
        (
            "callback.unfreeze.at=[1, 2]",
            "got 2 epochs, expected at most 1: the model has 2 layer groups",
        ),
        (
            "callback.rates.layers=[1.0]",
            "got a list of 1, expected a factor for each of the model's 2 layer groups",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_step(lab, setting, words):
    done = lab.command("check", lab.write("wrong.toml", STUDY + RECIPE), "-s", setting)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_recipe_is_no_axis(lab):
    text = STUDY + RECIPE + '[sweep]\n"train.recipe.freeze_epochs" = [1, 2]\n'
    done = lab.command("check", lab.write("axis.toml", text))
    assert done.returncode == 2
    assert "axis.toml:11:1: a recipe stands for other keys" in done.stderr
