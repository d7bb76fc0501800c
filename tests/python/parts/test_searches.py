# SPDX-License-Identifier: Apache-2.0
"""Searches in Python: the same points twice, with more side by side, and after a kill."""

import shutil
from pathlib import Path

import paribus
import pytest
import searches
from paribus import searching as searching_in_python

BEGUN = """\
data = { use = "glyphs", items = 300, valid_items = 64, transforms = ["normalize"] }
model = { use = "mlp", hidden = [16] }
train = { epochs = 3, checkpoint_seconds = 0, device = "cpu", precision = "fp32" }
study = { seeds = 2, threads = 1 }

[sweep]
"""
AXES = """
"optimizer.lr" = { log = [0.001, 1.0] }
"model.act" = ["relu", "gelu"]
"""
RANGES = (
    '\n"optimizer.lr" = { log = [0.001, 1.0] }\n"optimizer.momentum" = { range = [0.0, 0.9] }\n'
)
HALVING = BEGUN + 'search = { use = "python:searches:Halving", trials = 4 }' + AXES


@pytest.fixture
def searching(bench):
    shutil.copy(Path(__file__).with_name("searches.py"), bench.folder)
    return bench


def corners(name: str, more: str = "") -> str:
    return BEGUN + f'search = {{ use = "python:searches:{name}"{more} }}' + RANGES


def epochs_of(ran) -> list[int]:
    rows = paribus.Run(ran.folder).results().rows
    return sorted(int(row["epochs"]) for row in rows)


def test_points_and_bits_depend_on_no_number_of_jobs(searching):
    first = searching.run(HALVING, "first")
    assert first.status == 0, first.told
    assert epochs_of(first) == [1, 1, 1, 1, 3, 3, 3, 3]  # half of four points with two seeds each
    searching.write(HALVING, "second")
    done = searching.call("run", "second.toml", "--dir", "runs/second", "-j", "2")
    assert done.returncode == 0, done.stderr
    second = type(first)(0, "", searching.folder / "runs" / "second")
    assert second.ids() == first.ids()
    assert second.series() == first.series()


def weights_of(ran) -> dict[str, str]:
    return {row["id"]: row["weights_sha256"] for row in paribus.Run(ran.folder).results().rows}


def killed(searching, text: str) -> paribus.Run:
    """Begun, and killed when its first trial is done."""
    run = paribus.Study.load(searching.write(text, "killed")).start("runs/killed", jobs=1)
    for state in run:
        if state.status == "done":
            run._process.kill()
            break
    run._process.wait()
    return paribus.Run("runs/killed")


def test_killed_and_resumed_is_undisturbed(searching):
    undisturbed = searching.run(HALVING, "undisturbed")
    assert undisturbed.status == 0, undisturbed.told
    again = killed(searching, HALVING).resume(jobs=1)
    resumed = type(undisturbed)(0, "", again.directory)
    assert resumed.ids() == undisturbed.ids()
    assert resumed.series() == undisturbed.series()
    assert weights_of(resumed) == weights_of(undisturbed)


def test_it_is_told_each_objective(searching):
    ran = searching.run(corners("Corners"))
    assert ran.status == 0, ran.told
    frame = paribus.Run(ran.folder).results().frame()
    assert sorted(set(frame["optimizer.lr"])) == [0.001, 1.0]


def test_what_it_refuses_is_told_before_anything_runs(searching):
    text = BEGUN + 'search = "python:searches:Corners"' + AXES
    assert "a list has no corners; give a range" in searching.check(text)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("few", "ask returned 0 choices for 2 axes"),
        ("outside", "ask chose 7.0 for optimizer.lr, expected a value from 0.001 to 1.0"),
        ("number", "ask returned 3, expected a paribus.part.Job or None"),
        ("unknown", "of 0 points so far: `point` is one of them"),
        ("raises", "KeyError: 'no point here'"),
    ],
)
def test_what_it_asks_wrongly_is_told(searching, what, told):
    ran = searching.run(corners("Wrong", f', what = "{what}"'))
    assert ran.status != 0
    assert "search/python:searches:Wrong" in ran.told and told in ran.told


def test_another_history_is_told():
    """Its worker is gone, and the next one is told what the study has."""
    axis = {
        "addresses": ["optimizer.lr"],
        "count": 0,
        "low": 0.001,
        "high": 1.0,
        "log": True,
        "integer": False,
    }
    search = searching_in_python.Search(searches.Moody, {})
    search.begin([axis], 3, [True, False], 7)
    with pytest.raises(
        RuntimeError, match="what it asks for must depend on its parameters, on `rng`"
    ):
        search.began(0, [0.5], 3)
    steady = searching_in_python.Search(searches.Corners, {})
    steady.begin([axis], 3, [True, False], 7)
    assert steady.ask() == steady.ask() == (0, [1.0], 3)  # however often it is asked
    steady.began(0, [1.0], 3)
    assert steady.ask() == (1, [0.001], 3)


def test_a_part_of_another_kind_is_told(searching):
    text = BEGUN + 'search = "python:parts:Net"' + AXES
    assert "expected a subclass of paribus.part.Search" in searching.check(text)
