# SPDX-License-Identifier: Apache-2.0
"""Optuna as its manual says, without a line of ours: reads a study as JSON, prints what it proposed and what it pruned.

{"sampler": [NAME, {ARGUMENTS}], "pruner": [NAME, {ARGUMENTS}], "directions": [...], "axes": [[NAME, KIND, ...], ...],
 "events": [["ask"], ["tell", TRIAL, [VALUES]], ["fail", TRIAL], ["report", TRIAL, EPOCHS, VALUE]]}
"""

import json
import sys

import optuna


def suggest(trial, name, kind, *values):
    if kind == "list":
        return trial.suggest_categorical(name, list(range(values[0])))
    low, high, log = values
    if kind == "int":
        return trial.suggest_int(name, low, high, log=log)
    return trial.suggest_float(name, low, high, log=log)


def main():
    given = json.load(sys.stdin)
    sampler, arguments = given["sampler"]
    pruner, limits = given["pruner"]
    study = optuna.create_study(
        study_name="paribus",
        sampler=getattr(optuna.samplers, sampler)(**arguments),
        pruner=getattr(optuna.pruners, pruner)(**limits),
        directions=given["directions"],
    )
    trials, proposed, pruned = [], [], []
    for what, *values in given["events"]:
        if what == "ask":
            trials.append(study.ask())
            proposed.append([suggest(trials[-1], *axis) for axis in given["axes"]])
        elif what == "tell":
            study.tell(trials[values[0]], values[1])
        elif what == "fail":
            study.tell(trials[values[0]], state=optuna.trial.TrialState.FAIL)
        else:
            number, epochs, value = values
            trials[number].report(value, epochs)
            if epochs < given["epochs"] and trials[number].should_prune():
                pruned.append(number)
                study.tell(trials[number], state=optuna.trial.TrialState.PRUNED)
    print(json.dumps({"proposed": proposed, "pruned": pruned}))


if __name__ == "__main__":
    main()
