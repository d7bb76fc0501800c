# SPDX-License-Identifier: Apache-2.0
"""In which order callbacks stand in a study changes no bit, or is refused: what they declare gives the order."""

import random

import pytest
from cases import BASE
from lab import Lab, shipped

# Each does something; between them they read and write most of what there is. Of two that write the same, each has its turn.
COMMON = {
    "callback/centralize": '{ use = "centralize" }',
    "callback/checkpoint": '{ use = "checkpoint", every = 1 }',
    "callback/early_stop": '{ use = "early_stop", patience = 1, min_delta = 10.0 }',
    "callback/grad_cam": '{ use = "grad_cam" }',
    "callback/histograms": '{ use = "histograms" }',
    "callback/interpret": '{ use = "interpret" }',
    "callback/pictures": '{ use = "pictures" }',
    "callback/rates": '{ use = "rates", lowest = 0.1, norm_bias_decay = 0.0 }',
    "callback/unfreeze": '{ use = "unfreeze" }',
}
SETS = [
    COMMON
    | {
        "callback/ema": '{ use = "ema", decay = 0.5 }',
        "callback/mixup": '{ use = "mixup", alpha = 0.4 }',
    },
    COMMON
    | {
        "callback/tta": '{ use = "tta", shift = 1 }',
        "callback/swa": '{ use = "swa", start = 0.0 }',
        "callback/cutmix": '{ use = "cutmix", alpha = 1.0 }',
    },
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("order"), "line", "noise")


def study(lab, name: str, callbacks: list[str]):
    listed = ",\n  ".join(callbacks)
    text = "study = { threads = 1 }\n" + f"callback = [\n  {listed}\n]\n" + BASE
    return lab.write(f"{name}.toml", text)


def test_every_callback_that_ships_stands_here(lab):
    parts = {part for part in shipped(lab) if part.startswith("callback/")}
    assert parts == {part for one in SETS for part in one}


@pytest.mark.parametrize("number", range(len(SETS)))
def test_the_order_in_the_file_changes_no_bit(lab, number):
    draw = random.Random(5)
    first = list(SETS[number].values())
    orders = [first, first[::-1], *(draw.sample(first, len(first)) for _ in range(4))]
    trials = []
    for at, order in enumerate(orders):
        name = f"order-{number}-{at}"
        results = lab.run(study(lab, name, order), name)
        trials.append(results.trial("base"))
    assert trials[0]["epochs"] < 3, "early_stop did nothing"
    for order, trial in zip(orders, trials, strict=True):
        assert trial | {"id": ""} == trials[0] | {"id": ""}, order  # the file is another


@pytest.mark.parametrize("first", [0, 1])
def test_two_that_change_one_thing_are_refused_in_either_order(lab, first):
    pair = ['{ use = "mixup", name = "one" }', '{ use = "mixup", name = "two" }']
    text = f"callback = [{pair[first]}, {pair[1 - first]}]\n" + BASE
    done = lab.command("check", lab.write(f"clash-{first}.toml", text))
    assert done.returncode == 2
    assert "callback.one" in done.stderr
    assert "callback.two" in done.stderr
    assert "batch" in done.stderr
