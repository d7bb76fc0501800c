# SPDX-License-Identifier: Apache-2.0
"""Laws over parts in Python: what they compute, what they don't change, what survives a kill."""

import functools
import importlib

import numpy
import paribus
import pytest
import torch
from studies import study


def test_a_callback_that_does_nothing_changes_no_bit(bench):
    arms = 'without = {}\nwith = { "callback.nothing" = { use = "python:parts:Nothing" } }'
    ran = bench.run(study(arms, seeds=2))
    assert ran.status == 0, ran.told
    series, weights = ran.series(), ran.weights()
    for seed in (0, 1):
        seen = series["with", seed].pop("callback.nothing.seen")
        assert numpy.frombuffer(seen, numpy.float64)[-1] == 600
        assert series["with", seed] == series["without", seed]
        assert weights["with", seed] == weights["without", seed]


def test_a_module_has_the_bits_of_the_native_network_and_twice_the_same(bench):
    arms = 'native = {}\npython = { model = { use = "python:parts:Net", hidden = 16 } }'
    first, again = bench.run(study(arms), "first"), bench.run(study(arms), "again")
    assert first.status == 0, first.told
    assert first.ids() == again.ids()
    assert first.series() == again.series()
    assert first.weights() == again.weights()
    series = first.series()
    assert series["python", 0] == series["native", 0]
    alone = bench.run(study("native = {}"), "alone")  # with no interpreter in its process
    assert alone.series()["native", 0] == series["native", 0]
    assert alone.ids() < first.ids()


@pytest.mark.parametrize(
    "arms",
    [
        'a = { "callback.heavier" = { use = "python:parts:Heavier" } }',
        'a = { model = { use = "python:parts:Noisy" } }',
        'a = { optimizer = { use = "python:torch.optim:AdamW", lr = 0.01 } }',
        'a = { optimizer = { use = "python:torch.optim:AdamW", lr = 0.01 }, "train.recipe" = "fine_tune" }',
        'a = { model = { use = "python:parts:Noisy" }, "callback.draws" = { use = "python:parts:Draws", by = 0.1 } }',
    ],
    ids=["callback", "model", "optimizer", "recipe", "draws"],
)
def test_killed_and_resumed_is_undisturbed(bench, arms):
    killed = arms[:-2] + ', "callback.killed" = { use = "python:parts:Killed" } }'
    marker = bench.folder / "marker"
    disturbed = bench.run(study(killed), "disturbed", PARIBUS_TEST_MARKER=str(marker))
    assert disturbed.status == 0, disturbed.told
    assert marker.exists()
    undisturbed = bench.run(study(killed), "undisturbed", PARIBUS_TEST_MARKER=str(marker))
    assert disturbed.series() == undisturbed.series()
    assert disturbed.weights() == undisturbed.weights()


def test_who_draws_shifts_nobodys_numbers(bench):
    chancy = 'model = { use = "python:parts:Chancy" }, loss = { use = "python:parts:chancy_loss" }'
    arms = f"""\
without = {{ {chancy} }}
idle = {{ {chancy}, "callback.draws" = {{ use = "python:parts:Draws" }} }}
busy = {{ {chancy}, "callback.draws" = {{ use = "python:parts:Draws", by = 0.1 }} }}
"""
    ran = bench.run(study(arms))
    assert ran.status == 0, ran.told
    series, weights = ran.series(), ran.weights()
    assert series["idle", 0] == series["without", 0]
    assert weights["idle", 0] == weights["without", 0]
    assert weights["busy", 0] != weights["without", 0]


def test_a_transform_says_what_its_data_are(bench):
    data = 'use = "glyphs"\nitems = 300\nvalid_items = 64\ntransforms = [{ use = "python:parts:Retyped" }]'
    arms = 'a = { "callback.mean" = { use = "python:parts:MeanIs" } }'
    ran = bench.run(study(arms, data=data))
    assert ran.status == 0, ran.told
    retyped = data.replace("Retyped", 'Retyped", type = "mask')
    told = bench.check(study("a = {}", data=retyped))
    assert "setup changed the type of inputs[0], got 'mask', expected 'image'" in told


def test_optimizers_of_torch_step_the_weights(bench):
    arms = """\
native = { optimizer = { use = "sgd", lr = 0.1, momentum = 0.9 } }
torch = { optimizer = { use = "python:torch.optim:SGD", lr = 0.1, momentum = 0.9, foreach = false } }
wrapped = { optimizer = { use = "lookahead", inner = { use = "python:torch.optim:SGD", lr = 0.1 } } }
"""
    more = '[schedule]\n"optimizer.lr" = { use = "linear", to = 0.0 }\n'
    ran = bench.run(study(arms, more=more))
    assert ran.status == 0, ran.told
    losses = {
        arm: numpy.frombuffer(series["valid.loss"]) for (arm, _), series in ran.series().items()
    }
    numpy.testing.assert_allclose(losses["torch"], losses["native"], rtol=1e-5)
    assert len(set(map(bytes, losses.values()))) >= 2


def test_losses_metrics_schedules_and_transforms(bench):
    arms = """\
native = { "schedule.optimizer.lr" = { use = "linear", to = 0.0 } }
class = { loss = "python:parts:Smooth", "schedule.optimizer.lr" = "python:parts:Down" }
function = { loss = { use = "python:parts:plain_loss", scale = 1.0 }, "schedule.optimizer.lr" = "python:parts:Down" }
turned = { "data.transforms.turned" = { use = "python:parts:Turned", p = 0.0 }, "schedule.optimizer.lr" = "python:parts:Down" }
often = { "data.transforms.turned" = { use = "python:parts:Turned" }, "schedule.optimizer.lr" = "python:parts:Down" }
"""
    more = 'metric = ["accuracy", "python:parts:Hits"]\n'
    ran = bench.run(study(arms, more=more, own='metric = "valid.hits"'))
    assert ran.status == 0, ran.told
    series = {arm: points for (arm, _), points in ran.series().items()}
    for points in series.values():
        assert points["valid.hits"] == points["valid.accuracy"]
    for arm in ("function", "turned"):
        assert series[arm] == series["class"]
    native = numpy.frombuffer(series["native"]["valid.loss"])
    numpy.testing.assert_allclose(
        numpy.frombuffer(series["class"]["valid.loss"]), native, rtol=1e-4
    )
    assert series["often"]["valid.loss"] != series["class"]["valid.loss"]


def test_items_are_read_once_and_shared(bench):
    data = 'use = "python:parts:Rings"\nitems = 200\nbatch = 32'
    ran = bench.run(study("one = {}\nother = {}", seeds=2, data=data))
    assert ran.status == 0, ran.told
    series = ran.series()
    assert series["one", 0] == series["other", 0]
    assert series["one", 0] != series["one", 1]
    more = bench.run(study("one = {}", data=data.replace("200", "201")), "more")
    assert more.ids().isdisjoint(ran.ids())


def test_a_study_takes_the_classes_themselves(bench, monkeypatch):
    monkeypatch.syspath_prepend(bench.folder)
    parts = importlib.import_module("parts")
    tables = {
        "data": {"use": "glyphs", "items": 300, "valid_items": 64, "transforms": ["normalize"]},
        "model": functools.partial(parts.Net, hidden=16),
        "callback": [parts.Nothing(strength=0.25)],
        "optimizer": torch.optim.SGD,
        "study": {"threads": 1},
    }
    told = paribus.Study(**tables).check()
    file = bench.write(
        'data = { use = "glyphs", items = 300, valid_items = 64, transforms = ["normalize"] }\n'
        'model = { use = "python:parts:Net", hidden = 16 }\n'
        'callback = [{ use = "python:parts:Nothing", strength = 0.25 }]\n'
        'optimizer = "python:torch.optim:SGD"\nstudy = { threads = 1 }\n'
    )
    same = paribus.Study.load(file).check()
    assert [trial["id"] for trial in told.trials] == [trial["id"] for trial in same.trials]
    monkeypatch.setattr(parts.Nothing, "__module__", "__main__")
    with pytest.raises(paribus.ParibusError, match="put it at the top of a module of its own"):
        paribus.Study(callback=[parts.Nothing])


def test_a_torch_optimizer_steps_each_weight_at_its_own_rate(bench):
    rates = '"callback.rates" = { use = "rates", layers = [0.1, 1.0], bias = 4.0, norm_bias_decay = 0.0 }'
    torch_s = 'use = "python:torch.optim:AdamW", lr = 0.01, weight_decay = 1.0'
    ran = bench.run(
        study(
            f'native = {{ optimizer = {{ use = "adamw", lr = 0.01, weight_decay = 1.0 }}, {rates} }}\n'
            f"torch = {{ optimizer = {{ {torch_s} }}, {rates} }}\n"
            f"even = {{ optimizer = {{ {torch_s} }} }}"
        )
    )
    assert ran.status == 0, ran.told
    losses = {
        arm: numpy.frombuffer(series["train.batch_loss"])
        for (arm, _), series in ran.series().items()
    }
    numpy.testing.assert_allclose(losses["torch"], losses["native"], rtol=1e-4)
    assert not numpy.allclose(losses["torch"], losses["even"], rtol=1e-2)


def test_a_module_says_where_its_layer_groups_begin(bench):
    # All but the last bias is frozen for the first of two epochs.
    recipe = '"train.recipe" = "fine_tune"'
    arms = (
        f'two = {{ model = "python:parts:Net", {recipe} }}\n'
        f'bias = {{ model = "python:parts:Grouped", {recipe} }}'
    )
    ran = bench.run(study(arms))
    assert ran.status == 0, ran.told
    series = ran.series()
    assert series["two", 0]["train.loss"] != series["bias", 0]["train.loss"]
    done = bench.run(study(f'a = {{ model = "python:parts:Astray", {recipe} }}'), "astray")
    assert done.status == 2
    assert "a layer group is said to begin at 'layers.5', where there is no weight" in done.told
