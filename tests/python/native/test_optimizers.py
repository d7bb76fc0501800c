# SPDX-License-Identifier: Apache-2.0
"""Optimizers on weights and in loops of one's own."""

import io
import itertools

import paribus
import pytest
import torch

# A loss of its own, which a closure doesn't give.
WITHOUT_STUDY = sorted(set(dir(paribus.optimizer)) - {"Sophia"})


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "own, theirs",
    [
        (
            paribus.optimizer.SGD(lr=0.1, momentum=0.9, weight_decay=0.01),
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        ),
        (
            paribus.optimizer.AdamW(lr=0.01, weight_decay=0.1),
            lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
        ),
        (paribus.optimizer.Adam(lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
    ],
    ids=["sgd", "adamw", "adam"],
)
def test_those_of_torch_do_the_same(loop, own, theirs):
    for one, other in zip(loop(own.on).train(), loop(theirs).train()):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", WITHOUT_STUDY)
def test_steps_are_the_same_twice_and_go_on_from_a_saved_state(loop, name):
    part = getattr(paribus.optimizer, name)()
    undisturbed = loop(part.on)
    before = [weight.detach().clone() for weight in undisturbed.net.parameters()]
    first = undisturbed.train(6)
    saved = io.BytesIO()
    torch.save(
        {"net": undisturbed.net.state_dict(), "opt": undisturbed.optimizer.state_dict()}, saved
    )
    last = undisturbed.train(6)
    assert not equal(before, first) and not equal(first, last)

    resumed = loop(part.on)
    assert equal(resumed.train(6), first)
    resumed = loop(part.on)
    saved.seek(0)
    state = torch.load(saved, weights_only=True)
    resumed.net.load_state_dict(state["net"])
    resumed.optimizer.load_state_dict(state["opt"])
    assert equal(resumed.train(6), last)


@pytest.mark.parametrize("name", WITHOUT_STUDY)
def test_steps_have_the_bits_of_a_training(name):
    data = paribus.dataset.Glyphs(items=96, valid_items=10, batch=32, transforms=["normalize"])
    part, model = getattr(paribus.optimizer, name)(), paribus.model.Mlp(hidden=[8])
    trainer = paribus.Trainer(
        data=data, model=model, optimizer=part, train={"epochs": 2}, study={"threads": 1}
    )
    trainer.fit()
    loader, loss = paribus.Loader(data), paribus.loss.CrossEntropy()
    net = model.build(loader.data, seed=0)
    optimizer = part.on(net.named_parameters())

    def closure():
        optimizer.zero_grad()
        value = loss(net(batch.input), batch.target)
        value.backward()
        return value

    for loader.epoch in range(2):
        for batch in loader:  # noqa: B007
            optimizer.step(closure)
    own = dict(net.named_parameters())
    assert own.keys() == trainer.weights.keys()
    assert all(torch.equal(own[name], weight) for name, weight in trainer.weights.items())


def test_the_very_weights_are_stepped(loop):
    made = loop(paribus.optimizer.Lion().on)
    weights = list(made.net.parameters())
    places = [weight.data_ptr() for weight in weights]
    made.train(2)
    assert [weight.data_ptr() for weight in made.net.parameters()] == places
    assert all(a is b for a, b in zip(weights, made.optimizer.param_groups[0]["params"]))


def test_schedulers_of_torch_drive_it(loop):
    def rates(make):
        made = loop(make)
        schedule = torch.optim.lr_scheduler.OneCycleLR(made.optimizer, max_lr=0.1, total_steps=8)
        for _ in range(8):
            made.train(1)
            yield made.optimizer.param_groups[0]["lr"]
            schedule.step() if schedule.last_epoch < 8 else None

    own = list(rates(paribus.optimizer.SGD(lr=0.1, momentum=0.9).on))
    assert own == list(rates(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)))
    assert len(set(own)) > 4


def test_a_rate_of_zero_changes_nothing(loop):
    made = loop(paribus.optimizer.Lookahead(inner=paribus.optimizer.SGD(lr=0.1)).on)
    before = [weight.detach().clone() for weight in made.net.parameters()]
    made.optimizer.param_groups[0]["lr"] = 0.0  # of what is wrapped
    assert equal(before, made.train(3))


def test_groups_have_numbers_of_their_own(loop):
    made = loop(lambda p: paribus.optimizer.SGD(lr=0.1).on([
        {"params": list(itertools.islice(p, 2)), "lr": 0.0}, {"params": list(p)}]))  # fmt: skip
    before = [weight.detach().clone() for weight in made.net.parameters()]
    after = made.train(2)
    assert equal(before[:2], after[:2]) and not torch.equal(before[2], after[2])
    assert [group["lr"] for group in made.optimizer.param_groups] == [0.0, 0.1]


def test_evaluation_weights_come_and_go(loop):
    made = loop(paribus.optimizer.Lookahead(inner=paribus.optimizer.SGD(lr=0.1), k=5).on)
    trained = made.train(3)
    with made.optimizer.evaluation():
        assert not equal(trained, made.net.parameters())
    assert equal(trained, made.net.parameters())


def test_sam_asks_the_closure_twice(loop):
    made = loop(paribus.optimizer.SAM().on)
    calls = []

    def closure():
        calls.append(torch.get_rng_state())
        return made.loss()

    made.optimizer.step(closure)
    assert len(calls) == 2 and torch.equal(*calls)  # with the same draws
    with pytest.raises(paribus.ParibusError, match="sam: it wants gradients at other .* closure"):
        made.optimizer.step()


def test_what_a_closure_raises_comes_out(loop):
    made, calls = loop(paribus.optimizer.SAM().on), []

    def closure():
        calls.append(0)
        if len(calls) == 2:
            raise ZeroDivisionError("the second time")
        return made.loss()

    with pytest.raises(ZeroDivisionError, match="the second time"):
        made.optimizer.step(closure)


def sgd(p, **more):
    return paribus.optimizer.SGD(**more).on(p)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda p: sgd(p, lr=-1), "optimizer/sgd: 'lr' got -1, expected a number of at least 0"),
        (lambda p: sgd(p, lr="fast"), "optimizer/sgd: 'lr' got .*fast"),
        (lambda p: sgd(p, mumentum=1), "unknown parameter 'mumentum'; did you mean 'momentum'"),
        (lambda p: paribus.optimizer.Lookahead(inner={"use": "sdg"}).on(p), "no optimizer is named 'sdg'; did you mean 'sgd'"),
        (lambda p: paribus.optimizer.Lookahead(inner={"use": "sgd", "lrr": 1}).on(p), "optimizer/sgd: unknown parameter 'lrr'; did you mean 'lr'"),
        (lambda p: paribus.optimizer.Lookahead(inner={"use": None}).on(p), "NoneType, expected a number, a text"),
        (lambda p: paribus.optimizer.SAM().on([{"params": [w]} for w in p]), "give it one group"),
        (lambda p: paribus.optimizer.Sophia().on(p), "of a loss of its own.*paribus.Trainer"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(loop, make, message):
    with pytest.raises((paribus.ParibusError, TypeError), match=message):
        loop(make).train(20)


def test_a_number_out_of_bounds_is_told_at_the_step(loop):
    made = loop(paribus.optimizer.SGD().on)
    made.optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(paribus.ParibusError, match="optimizer.lr: got -1, expected at least 0"):
        made.train(1)


def test_a_state_of_other_weights_is_refused(loop):
    state = loop(paribus.optimizer.Adam().on).optimizer.state_dict()
    with pytest.raises(paribus.ParibusError, match="step counts don't fit"):
        paribus.optimizer.Adam().on([torch.zeros(2, requires_grad=True)]).load_state_dict(state)
    groups = [{"params": [torch.zeros(2)]}, {"params": [torch.zeros(2)]}]
    with pytest.raises(paribus.ParibusError, match="state is of 1 groups of weights, this .* 2"):
        paribus.optimizer.Adam().on(groups).load_state_dict(state)
