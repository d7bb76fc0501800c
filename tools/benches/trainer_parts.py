# SPDX-License-Identifier: Apache-2.0
"""The parts that trainer_side.py gives to Paribus."""

import paribus.part
import torch
import trainer_side


class Drawn(paribus.part.Dataset):
    """Normal numbers and classes by chance."""

    steps: int = 100

    def train(self):
        inputs, classes = trainer_side.data(self.steps)
        return inputs.numpy(), classes.numpy()

    def valid(self):
        return self.train()[0][:64], self.train()[1][:64]


class Net(torch.nn.Module):
    """An MLP."""

    def __init__(self, data):
        super().__init__()
        self.net = trainer_side.network()

    def forward(self, inputs):
        return self.net(inputs)
