# SPDX-License-Identifier: Apache-2.0
"""Batches and models in loops of one's own."""

import copy
import threading

import paribus
import pytest
import torch

TRANSFORMS = [paribus.transform.Crop(padding=1), paribus.transform.Normalize()]
DATA = paribus.dataset.Glyphs(items=300, valid_items=70, batch=32, transforms=TRANSFORMS)


def batches(**settings):
    return [
        (batch.items, batch.input.clone(), batch.target.clone())
        for batch in paribus.Loader(DATA, **settings)
    ]


def equal(one, other) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and torch.equal(a[1], b[1]) and torch.equal(a[2], b[2])
        for a, b in zip(one, other)
    )


def test_a_pass_gives_every_item_once_as_a_model_wants_it():
    loader = paribus.Loader(DATA)
    seen = []
    for index, batch in enumerate(loader):
        assert (batch.index, batch.epoch, batch.training) == (index, 0, True)
        assert batch.input.shape == (len(batch), *loader.data.inputs[0].shape)
        assert batch.input.dtype == torch.float32 and batch.target.dtype == torch.int64
        seen += batch.items
    assert sorted(seen) == list(range(300)) and seen != sorted(seen)
    assert len(loader) == index + 1 == 10
    assert loader.data.classes == 10 and loader.data.train_items == 300


def test_a_pass_is_a_function_of_seed_and_epoch_alone():
    first = batches(seed=1)
    assert equal(first, batches(seed=1))
    for workers in (0, 3):
        assert equal(first, batches(seed=1, workers=workers))
    assert not equal(first, batches(seed=2))
    assert not equal(first, batches(seed=1, epoch=1))
    assert equal(batches(split="valid", epoch=0), batches(split="valid", epoch=1))


def test_tensors_are_not_copied():
    (batch, *_) = paribus.Loader(DATA)
    assert batch.input.data_ptr() == batch.inputs[0].data_ptr()
    batch.input.zero_()
    assert batch.inputs[0].eq(0).all()


def test_a_loop_that_is_left_leaves_no_thread():
    before = threads()
    for _ in range(5):
        for _ in paribus.Loader(DATA, workers=3, batch=8):
            assert threads() >= before + 3
            break
    with pytest.raises(ZeroDivisionError):
        for _ in paribus.Loader(DATA, workers=3):
            1 / 0  # noqa: B018
    assert threads() == before
    assert threading.active_count() == 1


def threads() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


def test_two_passes_at_once_are_apart():
    loader = paribus.Loader(DATA, seed=1)
    for one, other in zip(loader, loader):
        assert one.items == other.items and torch.equal(one.input, other.input)


def test_the_loop_of_a_trial_written_in_torch_ends_with_its_bits(trained):
    """Loader, model, loss, optimizer, schedule and metric: each alone, all together a trial."""
    expected = trained(
        data=DATA,
        model=paribus.model.Mlp(hidden=[16]),
        optimizer=paribus.optimizer.Lookahead(inner=paribus.optimizer.SGD(momentum=0.9), evaluate="fast"),
        schedule={"optimizer.lr": paribus.schedule.OneCycle(max=0.1)},
        train={"epochs": 2},
        study={"seeds": [3], "threads": 1},
    )  # fmt: skip
    loader = paribus.Loader(DATA, seed=3)
    net = paribus.model.Mlp(hidden=[16]).build(loader.data, seed=3)
    inner = paribus.optimizer.SGD(momentum=0.9)
    optimizer = paribus.optimizer.Lookahead(inner=inner, evaluate="fast").on(net.named_parameters())
    criterion, cycle = paribus.loss.CrossEntropy(), paribus.schedule.OneCycle(max=0.1)
    for loader.epoch in range(2):
        for batch in loader:
            step = loader.epoch * len(loader) + batch.index
            optimizer.param_groups[0]["lr"] = cycle.at(step / (2 * len(loader)), epochs=2)
            optimizer.zero_grad()
            criterion(net(batch.input), batch.target).backward()
            optimizer.step()
    held = net.state_dict()
    assert set(held) <= {name.removeprefix("weights/") for name in expected}
    for name, weight in expected.items():
        assert torch.equal(held[name.removeprefix("weights/")], weight), name


def test_a_model_is_a_module_with_the_kernels_own_weights():
    data = paribus.Data.images(1, 12, 12, classes=10)
    net = paribus.model.Convnet(channels=[4, 8]).build(data, seed=0)
    assert all(isinstance(weight, torch.nn.Parameter) for weight in net.parameters())
    x = torch.randn(5, 1, 12, 12)
    before = net(x)
    assert before.shape == (5, 10)
    before.sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
    assert not torch.equal(net(x), before)


def test_training_and_evaluation_differ_by_running_statistics():
    net = paribus.model.Convnet(channels=[4]).build(paribus.Data.images(1, 8, 8, classes=3), seed=0)
    x = torch.randn(16, 1, 8, 8)
    held = {name: value.clone() for name, value in net.named_buffers()}
    training = net(x)
    assert any(not torch.equal(held[name], value) for name, value in net.named_buffers())
    net.eval()
    assert not torch.equal(net(x), training)
    assert torch.equal(net(x), net(x))


def test_weights_come_from_the_seed_or_from_torch():
    data = paribus.Data.vectors(6, classes=3)
    mlp = paribus.model.Mlp()

    def weights(**seed):
        return torch.cat([w.detach().flatten() for w in mlp.build(data, **seed).parameters()])

    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert torch.equal(weights(seed=1), weights(seed=1))
    assert not torch.equal(weights(seed=1), weights(seed=2))
    assert torch.equal(torch.get_rng_state(), state)
    drawn = weights()
    assert not torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(0)
    assert torch.equal(weights(), drawn)


def test_a_model_is_moved_cast_copied_and_loaded():
    data = paribus.Data.images(1, 8, 8, classes=3)
    net = paribus.model.Convnet(channels=[4]).build(data, seed=0).eval()
    x = torch.randn(2, 1, 8, 8)
    copied, fresh = copy.deepcopy(net), paribus.model.Convnet(channels=[4]).build(data, seed=1)
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(copied(x), net(x)) and torch.equal(fresh.eval()(x), net(x))
    with torch.no_grad():
        next(copied.parameters()).zero_()
    assert not torch.equal(copied(x), net(x))
    wide = net.double()(x.double())
    assert wide.dtype == torch.float64
    torch.testing.assert_close(wide.float(), fresh(x))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: paribus.Loader(DATA, split="test"), "no split 'test', expected 'train' or 'valid'"),
        (lambda: paribus.Loader(DATA, bacth=3), "unknown parameter 'bacth'; did you mean 'batch'"),
        (lambda: paribus.Loader("glyhps"), "no dataset is named 'glyhps'; did you mean 'glyphs'"),
        (lambda: paribus.Loader(DATA, transforms=[{"use": "crop", "size": 900}]), "data.transforms.crop"),
        (lambda: paribus.Loader({"use": "mask_folder", "dir": "nowhere"}), "nowhere"),
        (lambda: paribus.model.Convnet().build(paribus.Data.vectors(3)), "convnet.*image"),
        (lambda: paribus.model.Mlp(hidden=[0]).build(paribus.Data.vectors(3)), "model/mlp: 'hidden' got"),
        (lambda: paribus.model.Mlp().build(paribus.Data.vectors(3))(torch.zeros(2, 4)), "model/mlp: .*mat"),
        (lambda: paribus.model.Mlp().build(paribus.Data.vectors(3))(), "got 0 inputs, expected 1"),
        (lambda: paribus.model.Mlp().build(paribus.Data((), ())), "the data have no inputs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(call, message):
    with pytest.raises(paribus.ParibusError, match=message):
        call()
