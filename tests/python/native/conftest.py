# SPDX-License-Identifier: Apache-2.0
import json

import paribus
import pytest
import torch

torch.set_num_threads(1)


class Loop:
    """A small network under an optimizer, with a loop of its own; equal at each making."""

    def __init__(self, make):
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 3)
        )
        self.inputs, self.targets = torch.randn(64, 8), torch.randint(0, 3, (64,))
        self.optimizer = make(self.net.parameters())

    def loss(self):
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.net(self.inputs), self.targets)
        loss.backward()
        return loss

    def train(self, steps: int = 10) -> list[torch.Tensor]:
        """The weights after so many steps."""
        for step in range(steps):
            torch.manual_seed(step)
            self.optimizer.step(self.loss)
        return [weight.detach().clone() for weight in self.net.parameters()]


@pytest.fixture
def loop():
    return Loop


@pytest.fixture
def trained(place):
    """The weights with which the one trial of a study ends, as `paribus run` made them."""

    def train(**tables):
        run = paribus.Study(name="trial", **tables).run()
        (file,) = (place / "runs/trial/checkpoints").glob("*/final.safetensors")
        assert len(list(run)) == 1
        return weights_in(file)

    return train


def weights_in(file):
    """Tensors of a safetensors file, by name."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    held = {}
    for name, about in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + at for at in about["data_offsets"])
        kind = {"F32": torch.float32, "I64": torch.int64}[about["dtype"]]
        held[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kind).reshape(
            about["shape"]
        )
    return held
