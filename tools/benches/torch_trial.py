# SPDX-License-Identifier: Apache-2.0
"""The trial of trial.cpp as a program of its own: imports, one step, one validation, weights and a line of JSON."""

import json
import os
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
images, classes = torch.rand(128, 784), torch.randint(0, 10, (128,))
loss = F.cross_entropy(model(images[:64]), classes[:64])
loss.backward()
optimizer.step()
with torch.no_grad():
    accuracy = (model(images[64:]).argmax(1) == classes[64:]).float().mean().item()
folder = Path(sys.argv[1])
torch.save(model.state_dict(), folder / "final.pt")
with open(folder / "record.json", "w") as record:
    json.dump({"train.loss": loss.item(), "valid.accuracy": accuracy}, record)
    record.flush()
    os.fsync(record.fileno())
