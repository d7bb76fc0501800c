# SPDX-License-Identifier: Apache-2.0
"""Classes made from manifests."""

import importlib
import inspect
import json
import pickle

import paribus
import pytest


def test_a_part_is_its_parameters():
    inner = paribus.optimizer.SGD(momentum=0.9)
    part = paribus.optimizer.Lookahead(inner=inner, k=5)
    assert part.config() == {"use": "lookahead", "inner": {"use": "sgd", "momentum": 0.9}, "k": 5}
    assert part == paribus.optimizer.Lookahead(inner=paribus.optimizer.Sgd(momentum=0.9), k=5)
    assert part != paribus.optimizer.Lookahead(inner=inner)
    assert repr(part) == "optimizer.Lookahead(inner=optimizer.Sgd(momentum=0.9), k=5)"


def test_what_is_not_given_is_not_written():
    assert paribus.optimizer.Adam().config() == {"use": "adam"}


def test_classes_have_the_names_of_their_authors():
    assert paribus.optimizer.AdamW.__name__ == "AdamW"
    assert paribus.optimizer.radam is paribus.optimizer.RAdam
    assert paribus.schedule.OneCycle.use == "one_cycle"
    assert {"AdamW", "Lookahead", "Sgd"} <= set(dir(paribus.optimizer))


def test_signatures_and_documents_come_from_the_manifests():
    signature = inspect.signature(paribus.optimizer.Lookahead)
    assert signature.parameters["alpha"].default == 0.5
    assert "share of the way that the slow weights go" in paribus.optimizer.Lookahead.__doc__


def test_a_name_that_python_keeps_for_itself():
    assert paribus.schedule.Warmup(from_=0.1).config() == {"use": "warmup", "from": 0.1}


def test_a_list_of_parts():
    data = paribus.dataset.Glyphs(transforms=[paribus.transform.Flip(p=0.1), "normalize"])
    assert data.config()["transforms"] == [{"use": "flip", "p": 0.1}, "normalize"]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: paribus.optimizer.Sgd(mumentum=1), "unknown parameter 'mumentum'; did you mean 'momentum'"),
        (lambda: paribus.optimizer.Sgd(xyzzy=1), "parameters: lr, momentum, dampening"),
        (lambda: paribus.optimizer.Lookahaed(), "no part 'Lookahaed'; did you mean Lookahead"),
        (lambda: paribus.optimiser, "has no attribute 'optimiser'"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_told(make, message):
    with pytest.raises((TypeError, AttributeError), match=message):
        make()


def test_values_of_numpy_are_numbers():
    import numpy

    config = paribus.optimizer.Sgd(lr=numpy.float64(0.25)).config()
    assert config == {"use": "sgd", "lr": 0.25}
    assert type(paribus.parts.plain({"x": numpy.int64(3)})["x"]) is int


def test_a_part_can_be_sent_to_another_process():
    part = paribus.optimizer.Lookahead(inner=paribus.optimizer.Adam(lr=0.1), k=3)
    assert pickle.loads(pickle.dumps(part)) == part


def test_equal_parts_are_one_in_a_set():
    one, other = paribus.optimizer.Adam(lr=0.1, eps=1e-6), paribus.optimizer.Adam(eps=1e-6, lr=0.1)
    assert one == other
    assert len({one, other}) == 1


def test_what_stands_before_the_items_grows_with_it():
    torch, columns = importlib.import_module("torch"), importlib.import_module("paribus.columns")

    class Many:
        types = ("image", "category")

        def train(self):
            return torch.rand(3, 700, 2, 2), torch.tensor([0, 1, 2])

        valid = train

    text, tensors = columns.of(Many())
    head = json.loads(text)
    assert len(text) > 8192 and len(head["mean"]) == 700
    assert head["columns"][0]["offset"] == len(text) + 8
    assert [each["shape"] for each in head["columns"]] == [list(one.shape) for one in tensors]


def test_moments_are_those_of_all_values(monkeypatch):
    torch, columns = importlib.import_module("torch"), importlib.import_module("paribus.columns")
    images = torch.randint(256, (50, 3, 4, 4), dtype=torch.uint8)
    std, mean = torch.std_mean(images.double(), (0, 2, 3), correction=0)
    for values in (1, 700, 1 << 22):
        monkeypatch.setattr(columns, "_CHUNK", values)
        told = columns._moments(images, "image")
        torch.testing.assert_close(
            torch.tensor(told, dtype=torch.float64), torch.stack([mean, std])
        )
