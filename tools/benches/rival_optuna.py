# SPDX-License-Identifier: Apache-2.0
"""COUNT Optuna trials that return one number, in a journal that it syncs after each entry: VARIANT COUNT FOLDER.

in_process: one optimize() in this process. workers: two processes of optimize(), as its manual has it, each for half
of the trials. processes: each trial in a process of its own."""

import multiprocessing
import sys
from functools import partial

import optuna
from marks import Marks
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

NAME = "noop"


def storage(folder):
    return JournalStorage(JournalFileBackend(f"{folder}/journal.log"))


def objective(trial):
    return trial.suggest_float("x", 0, 1)


def optimize(folder, seed, count, callbacks=()):
    sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.load_study(study_name=NAME, storage=storage(folder), sampler=sampler)
    study.optimize(objective, n_trials=count, callbacks=list(callbacks))


def in_process(folder, count, marks):
    optimize(folder, 0, count, [lambda study, trial: marks.ended(trial.number + 1)])


def counted(folder, seed, count, ended):
    def add(study, trial):
        with ended.get_lock():
            ended.value += 1

    optimize(folder, seed, count, [add])


def workers(folder, count, marks):
    ended = multiprocessing.Value("l", 0)
    halves = [
        multiprocessing.Process(target=counted, args=(folder, seed, count // 2, ended))
        for seed in (0, 1)
    ]
    for half in halves:
        half.start()
    while any(half.is_alive() for half in halves):
        halves[0].join(0.005)
        marks.ended(ended.value)
    marks.ended(ended.value)


def processes(folder, count, marks):
    for number in range(count):
        one = multiprocessing.Process(target=partial(optimize, folder, number, 1))
        one.start()
        one.join()
        marks.ended(number + 1)


def main():
    variant, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(study_name=NAME, storage=storage(folder))
    marks = Marks(count)
    {"in_process": in_process, "workers": workers, "processes": processes}[variant](
        folder, count, marks
    )
    study = optuna.load_study(study_name=NAME, storage=storage(folder))
    states = [trial.state for trial in study.trials]
    marks.print(states == [optuna.trial.TrialState.COMPLETE] * count)


if __name__ == "__main__":
    main()
