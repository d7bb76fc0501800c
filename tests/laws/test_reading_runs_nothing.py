# SPDX-License-Identifier: Apache-2.0
"""Law 5: what is said of a plugin is read from its file. The witness leaves a file behind as soon as it is loaded."""

import json
from pathlib import Path

import pytest
from lab import FIXTURES, Lab, shipped

STUDY = """\
study = { seeds = 1, threads = 1 }
model = { use = "mlp", hidden = [4] }
data = { use = "glyphs", items = 20, valid_items = 10, transforms = ["normalize"] }
train.epochs = 1
"""
FILE = FIXTURES / "witness" / "witness.so"


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path, "witness")
    lab.environment["PARIBUS_LAWS_WITNESS"] = str(tmp_path / "loaded")
    return lab


def was_loaded(lab) -> bool:
    return (lab.folder / "loaded").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["plugins"],
        ["plugins", "--json"],
        ["plugins", "--kind", "schedule"],
        ["plugins", "show", "schedule/witness"],
        ["plugins", "show", "schedule/witness", "--json"],
        ["plugins", "check", FILE, "--read"],
    ],
    ids=lambda words: "-".join(Path(word).name for word in words),
)
def test_reading(lab, words):
    assert "witness" in lab.answer(*words)
    assert not was_loaded(lab)


def test_all_that_is_read(lab):
    """Parameters, defaults, bounds and build facts are there without a load."""
    part = json.loads(lab.answer("plugins", "show", "schedule/witness", "--json"))
    factor = next(field for field in part["params"] if field["name"] == "factor")
    assert {name: factor[name] for name in ("type", "default", "min", "max")} == {
        "type": "float",
        "default": 1.0,
        "min": 0.0,
        "max": 2.0,
    }
    assert part["abi"] and part["libtorch"] and part["compiler"] and part["cpu"]
    assert not was_loaded(lab)


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_study_is_refused_unloaded(lab, command):
    wrong = '[schedule]\n"optimizer.lr" = { use = "witness", factor = 3.0 }\n'
    done = lab.command(command, lab.write("wrong.toml", STUDY + wrong))
    assert done.returncode == 2
    assert "'factor' got 3, expected a number of at least 0 and at most 2" in done.stderr
    assert not was_loaded(lab)


def test_a_study_without_it_leaves_it_alone(lab):
    lab.run(lab.write("other.toml", STUDY), "other")
    assert not was_loaded(lab)


@pytest.mark.parametrize("command", ["check", "run"])
def test_using_it_loads_it(lab, command):
    """The witness is a good one; shapes can't be checked without the parts."""
    study = lab.write("driven.toml", STUDY + '[schedule]\n"optimizer.lr" = "witness"\n')
    lab.answer(command, study)
    assert was_loaded(lab)


def test_no_shipped_part_is_opened_by_the_linker(lab):
    """By the dynamic linker's own account, for the parts that ship."""
    parts = shipped(lab)
    for words in (["plugins"], *(["plugins", "show", part] for part in parts)):
        done = lab.command(*words, LD_DEBUG="files")
        assert done.returncode == 0 and "file=libc.so.6" in done.stderr
        assert "plugins/" not in done.stderr, f"{words}: {done.stderr}"


def test_the_linker_would_have_told(lab):
    study = lab.write("plain.toml", STUDY)
    done = lab.command("check", study, LD_DEBUG="files", LD_DEBUG_OUTPUT=lab.folder / "linker")
    assert done.returncode == 0, done.stderr
    told = "".join(file.read_text() for file in lab.folder.glob("linker.*"))
    assert "model_mlp.so" in told and "model_convnet.so" not in told
