# SPDX-License-Identifier: Apache-2.0
"""Trials in this process."""

import os
import subprocess
import sys
import threading

import paribus
import pytest
import torch
from paribus.part import EVENTS
from weights import weights_in

DATA = paribus.dataset.Glyphs(
    items=300, valid_items=70, batch=32, transforms=[paribus.transform.Crop(padding=1), "normalize"]
)
VALID_BATCHES = 1
TABLES = {
    "data": DATA,
    "model": paribus.model.Convnet(channels=[4, 8]),
    "optimizer": paribus.optimizer.AdamW(),
    "schedule": {"optimizer.lr": paribus.schedule.OneCycle(max=0.01)},
    "callback": [paribus.callback.Ema(), paribus.callback.Mixup()],
    "train": {"epochs": 2},
    "study": {"seeds": [3], "threads": 1},
}


def trainer(**tables):
    return paribus.Trainer(**(TABLES | tables))


def kept(of) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in of.weights.values()]


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_it_has_the_bits_of_the_trial(trained, place):
    expected = trained(**TABLES)
    state = torch.get_rng_state()
    plain = trainer(directory=place / "own")
    outcome = plain.fit()
    own = weights_in(place / "own/final.safetensors")
    assert own.keys() == expected.keys()
    assert all(torch.equal(own[name], tensor) for name, tensor in expected.items())
    assert torch.equal(torch.get_rng_state(), state)

    (row,) = paribus.Run("runs/trial").results().frame().to_dict("records")
    assert outcome.last["valid.accuracy"] == row["valid.accuracy"]
    assert (outcome.status, outcome.steps, outcome.epochs) == ("done", 20, 2)
    assert plain.series("valid.accuracy")[-1] == (20, row["valid.accuracy"])

    watched = trainer()
    assert len([event.fit.loss for event in watched]) == 2 + 2 * (4 + VALID_BATCHES) + 20 * 7
    assert equal(kept(plain), kept(watched))


def test_events_come_in_their_order():
    events = [(event.name, event.fit.step) for event in trainer(train={"epochs": 1})]
    names = [name for name, _ in events]
    assert names[:10] == [
        *("before_fit", "before_epoch", "before_batch", "after_forward", "after_loss"),
        *("after_backward", "before_step", "after_step", "after_batch", "before_batch"),
    ]
    valid = [name for name in names[-10:] if name != "after_valid_batch"]
    assert valid[-4:] == ["before_validate", "after_validate", "after_epoch", "after_fit"]
    assert names[-4] == "after_valid_batch"
    assert set(names) == set(EVENTS) and events[-1][1] == 10


def test_only_those_that_are_asked_for_come():
    names = [event.name for event in trainer().events("after_epoch", "before_fit")]
    assert names == ["before_fit", "after_epoch", "after_epoch"]


def test_what_is_changed_at_an_event_counts():
    def ending(change):
        made = trainer(callback=[], schedule={})
        for event in made.events("after_loss", "before_step", "after_batch"):
            change(event)
        return kept(made)

    def double(event):
        if event.name == "after_loss":
            event.fit.loss = event.fit.loss * 2

    def twice(event):
        if event.name == "before_step":
            for weight in event.fit.weights.values():
                weight.grad.mul_(2)

    def still(event):
        if event.name == "after_batch":
            event.fit.set_parameter("optimizer.lr", 0.0)

    nothing = ending(lambda event: None)
    assert not equal(nothing, ending(double))
    assert equal(ending(double), ending(twice))
    assert not equal(nothing, ending(still))


def test_flow_and_records():
    made = trainer(callback=[])
    for event in made.events("after_loss"):
        event.fit.record("mine", event.fit.loss.item())
        assert event.fit.epochs == 2 and event.fit.batch.input.shape[1:] == (1, 28, 28)
        if event.fit.step == 7:
            event.fit.stop("seven are enough")
    assert made.outcome.message == "seven are enough"
    assert [step for step, _ in made.series("mine")] == [1, 2, 3, 4, 5, 6, 7]
    assert made.series("mine")[:6] == made.series("train.batch_loss")[:6]


def test_a_loop_that_is_left_ends_the_training():
    made = trainer()
    before = threading.active_count()
    for event in made:
        if event.fit.step == 3:
            break
    assert threading.active_count() == before
    with pytest.raises(paribus.ParibusError, match="not come to its end"):
        print(made.outcome)
    with pytest.raises(paribus.ParibusError, match="this training is over; make another"):
        made.fit()
    fit = event.fit
    del made, event
    with pytest.raises(RuntimeError, match="this training is over"):
        print(fit.step)


def test_what_the_body_of_a_loop_raises_ends_the_training():
    made = trainer()
    with pytest.raises(ZeroDivisionError):
        for event in made:
            1 / (event.fit.step - 2)  # noqa: B018
    assert [step for step, _ in made.series("train.batch_loss")] == [1]


def test_it_goes_on_from_its_checkpoints(place):
    whole = trainer()
    whole.fit()
    for event in trainer(train={"epochs": 2, "checkpoint_seconds": 0}, directory=place / "c"):
        if (event.name, event.fit.step) == ("before_batch", 14):
            break
    resumed = trainer(directory=place / "c")
    steps = [event.fit.step for event in resumed.events("after_batch")]
    assert steps[0] > 1 and steps[-1] == 20
    assert equal(kept(whole), kept(resumed))


def test_other_threads_run_while_it_trains():
    counted, on = [0], threading.Event()

    def count():
        on.set()
        while on.is_set():
            counted[0] += 1

    made = trainer(callback=[])
    thread = threading.Thread(target=count)
    thread.start()
    on.wait()
    before = counted[0]
    made.fit()
    during = counted[0] - before
    on.clear()
    thread.join()
    assert during > 1000


ENDLESS = """
import os, signal, sys, threading, paribus
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
trainer = paribus.Trainer(
    data=paribus.dataset.Glyphs(items=300, valid_items=70), model="mlp", train={"epochs": 1_000_000}
)
def interrupt():
    while not trainer._native.series():
        pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    if sys.argv[1] == "fit":
        trainer.fit()
    else:
        for event in trainer.events(sys.argv[1]):
            pass
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), len(trainer.series("train.batch_loss")) > 0)
"""


@pytest.mark.parametrize("how", ["fit", "after_loss", "after_fit"])
def test_ctrl_c_ends_it(how):
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS, how],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.stdout == "interrupted 1 True\n", done.stderr


def test_arms_and_seeds_of_a_study(place):
    study = paribus.Study(
        name="two", **(TABLES | {"arms": {"small": {}, "wide": {"model.channels": [16, 16]}}})
    )
    assert paribus.Trainer(study).arm == "small" and paribus.Trainer(study).seed == 3
    wide = paribus.Trainer(study, arm="wide", seed=5)
    assert (wide.arm, wide.seed) == ("wide", 5)
    for _ in wide.events("before_fit"):
        assert next(iter(wide.weights.values())).shape[0] == 16
    study.save(place / "two.toml")
    overridden = paribus.Study.load(place / "two.toml").override({"train.epochs": 1})
    assert paribus.Trainer(overridden).fit().epochs == 1
    assert paribus.Trainer(place / "two.toml").fit().epochs == 2
    with pytest.raises(paribus.ParibusError, match="no arm 'wid'; did you mean 'wide'"):
        paribus.Trainer(study, arm="wid")


def test_parts_in_python_take_part(place, monkeypatch, trained):
    (place / "own_parts.py").write_text(OWN_PARTS)
    monkeypatch.syspath_prepend(place)
    import own_parts

    tables = TABLES | {"model": own_parts.Net, "callback": [own_parts.Doubling()]}
    expected = trained(**tables)
    made = paribus.Trainer(**tables, directory=place / "own")
    for event in made.events("after_loss"):
        assert isinstance(event.fit.model, own_parts.Net)
    own = weights_in(place / "own/final.safetensors")
    assert all(torch.equal(own[name], tensor) for name, tensor in expected.items())


OWN_PARTS = """
import paribus.part
import torch


class Net(torch.nn.Module):
    def __init__(self, data, hidden: int = 8):
        super().__init__()
        inputs = data.inputs[0].shape.numel()
        self.layers = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(inputs, hidden), torch.nn.Dropout(0.1), torch.nn.Linear(hidden, data.classes)
        )

    def forward(self, x):
        return self.layers(x)


class Doubling(paribus.part.Callback):
    writes = ("loss",)

    def after_loss(self, fit):
        fit.loss = fit.loss * 2
"""


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: trainer(model="mpl"), "no model is named 'mpl'; did you mean 'mlp'"),
        (lambda: trainer(train={"epocs": 1}), r"study.toml:\d+:\d+: unknown key 'epocs' in \[train\]; did you mean"),
        (lambda: trainer().events("after_lss"), "there is no event 'after_lss', expected before_fit"),
        (lambda: trainer(data=DATA, model="unet"), "unet"),
        (lambda: trainer(sweep={"search": "random", "optimizer.lr": {"log": [1e-4, 1], "n": 3}}), "search"),
        (lambda: paribus.Trainer("nowhere.toml"), "there is no such study"),
        (lambda: paribus.Trainer(paribus.Study(**TABLES), model="mlp"), "model can't be given beside it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(call, message):
    with pytest.raises((paribus.ParibusError, TypeError), match=message):
        call()


def test_what_fails_in_training_is_told():
    made = trainer(callback=[])
    with pytest.raises(paribus.ParibusError, match="optimizer.lr: got -1, expected at least 0"):
        for event in made.events("before_batch"):
            event.fit.set_parameter("optimizer.lr", -1)
    with pytest.raises(paribus.ParibusError, match="loss/cross_entropy: .* don't fit"):
        for event in trainer(callback=[]).events("after_forward"):
            event.fit.output = event.fit.output[:3]
