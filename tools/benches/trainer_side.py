# SPDX-License-Identifier: Apache-2.0
"""Steps of a torch.nn.Module under one trainer: `trainer_side.py FRAMEWORK`. Whatever its name, the same network, batches
and optimizer; clocked from the start of the epoch to its end, without set-up; weights told, for they must agree."""

import contextlib
import hashlib
import io
import logging
import sys
import time
import warnings

import torch
import torch.nn.functional as F
from side import serve

BATCH = 64


def data(steps):
    draw = torch.Generator().manual_seed(1)
    items = BATCH * steps
    return torch.randn(items, 784, generator=draw), torch.randint(0, 10, (items,), generator=draw)


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


def sgd(weights):
    return torch.optim.SGD(weights, lr=0.01, momentum=0.9)


class Batches:
    """What is in memory, a slice for each step."""

    dataset, n_inp, device = (), 1, torch.device("cpu")  # fastai asks for these

    def __init__(self, steps):
        self.inputs, self.classes = data(steps)

    def __len__(self):
        return len(self.inputs) // BATCH

    def __iter__(self):
        for i in range(len(self)):
            part = slice(i * BATCH, (i + 1) * BATCH)
            yield self.inputs[part], self.classes[part]

    def to(self, device):
        return self


class Clock:
    def start(self, *_):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self, *_):
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu

    def told(self, steps, weights):
        joined = torch.cat([weight.detach().flatten() for weight in weights])
        return {
            "seconds": self.wall / steps,
            "cpu": self.cpu / steps,
            "weights": hashlib.sha256(joined.numpy().tobytes()).hexdigest(),
        }


def raw(steps):
    model, batches, clock = network(), Batches(steps), Clock()
    optimizer = sgd(model.parameters())
    clock.start()
    for inputs, classes in batches:
        loss = F.cross_entropy(model(inputs), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    clock.stop()
    return clock.told(steps, model.parameters())


def ignite(steps):
    from ignite.engine import Events, create_supervised_trainer

    model, batches, clock = network(), Batches(steps), Clock()
    engine = create_supervised_trainer(model, sgd(model.parameters()), F.cross_entropy)
    engine.add_event_handler(Events.EPOCH_STARTED, clock.start)
    engine.add_event_handler(Events.EPOCH_COMPLETED, clock.stop)
    engine.run(batches, max_epochs=1)
    return clock.told(steps, model.parameters())


def lightning(steps):
    import lightning

    clock = Clock()

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def training_step(self, batch, index):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return sgd(self.parameters())

    class Timed(lightning.Callback):
        on_train_epoch_start, on_train_epoch_end = clock.start, clock.stop

    own = Module()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        trainer = lightning.Trainer(
            max_epochs=1,
            accelerator="cpu",
            callbacks=[Timed()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(own, train_dataloaders=Batches(steps))
    return clock.told(steps, own.parameters())


def fastai(steps):
    from functools import partial
    from pathlib import Path

    from fastai.callback.core import Callback
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    clock = Clock()

    class Timed(Callback):
        order = 100

        def before_train(self):
            clock.start()

        def after_train(self):
            clock.stop()

    class Loaders:
        train, valid, device, n_inp, path = Batches(steps), Batches(1), Batches.device, 1, Path()

        def __getitem__(self, i):
            return (self.train, self.valid)[i]

    model = network()
    optimizer = partial(OptimWrapper, opt=torch.optim.SGD, momentum=0.9)
    learner = Learner(
        Loaders(), model, loss_func=F.cross_entropy, opt_func=optimizer, cbs=[Timed()], lr=0.01
    )
    seen = ("ProgressCallback", "Recorder")
    learner.remove_cbs([one for one in learner.cbs if type(one).__name__ in seen])
    with learner.no_logging():
        learner.fit(1)
    return clock.told(steps, model.parameters())


def of_paribus(steps, optimizer):
    """As a user writes it: data and network as classes; each loss goes into a journal, checkpoints would."""
    import paribus as p
    import trainer_parts

    clock = Clock()
    trainer = p.Trainer(
        data={"use": trainer_parts.Drawn, "steps": steps, "batch": BATCH, "shuffle": False},
        model=trainer_parts.Net,
        optimizer=optimizer,
        train={"epochs": 1},
        study={"seeds": [0], "threads": 1},
    )
    for event in trainer.events("before_epoch", "before_validate"):
        clock.start() if event.name == "before_epoch" else clock.stop()
    return clock.told(steps, trainer.weights.values())


def paribus(steps):
    return of_paribus(steps, {"use": "sgd", "lr": 0.01, "momentum": 0.9})


def paribus_torch(steps):
    return of_paribus(steps, {"use": torch.optim.SGD, "lr": 0.01, "momentum": 0.9})


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    serve({name: globals()[name] for name in sys.argv[1:]})
