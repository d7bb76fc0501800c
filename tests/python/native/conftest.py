# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import paribus
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from weights import weights_in  # noqa: E402

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
