# SPDX-License-Identifier: Apache-2.0
"""The Python side of search/optuna: answers each line of its standard input with one line.

Fields stand between tabs, numbers are hexadecimal so that no bit is lost. First come settings, then `open`; after that:

    ask                          -> point CHOICE...: of a list the index, of a range the value
    ended NUMBER EPOCHS VALUE... -> go, or over if the point is through; no value: it failed

What goes wrong is answered by `error TEXT`. Everything else that is printed goes to standard error.
"""

import os
import sys
import traceback
import warnings

OPTUNA = "4.9.0"


class Unfit(Exception):
    """What the user can mend, in words."""


def load():
    try:
        import optuna
    except ModuleNotFoundError as problem:
        raise Unfit(
            f"{sys.executable} has no {problem.name}; install it: "
            f"{sys.executable} -m pip install optuna=={OPTUNA}"
        ) from problem
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    return optuna


class Settings:
    def __init__(self):
        self.one = {}
        self.directions = []
        self.axes = []

    def add(self, key, *values):
        if key == "direction":
            self.directions.append(values[0])
        elif key == "axis":
            self.axes.append(values)
        else:
            self.one[key] = values[0]

    def number(self, key):
        return int(self.one[key])


def sampler_of(optuna, settings):
    samplers, seed = optuna.samplers, settings.number("seed")
    name, startup = settings.one["sampler"], settings.number("startup")
    if name == "tpe":
        # Points under way count as bad ones, so that those asked for side by side differ.
        liar = settings.number("at_once") > 1
        return samplers.TPESampler(seed=seed, n_startup_trials=startup, constant_liar=liar)
    if name == "gp":
        return samplers.GPSampler(seed=seed, n_startup_trials=startup)
    if name == "cmaes":
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    if name == "nsga2":
        return samplers.NSGAIISampler(seed=seed, population_size=settings.number("population"))
    return samplers.RandomSampler(seed=seed)


def pruner_of(optuna, settings):
    pruners = optuna.pruners
    name, grace, every = (
        settings.one["pruner"],
        settings.number("grace"),
        settings.number("every"),
    )
    if name == "median":
        return pruners.MedianPruner(n_warmup_steps=grace)
    least = max(grace, every)
    if name == "successive_halving":
        return pruners.SuccessiveHalvingPruner(min_resource=least)
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=least, max_resource=settings.number("epochs"))
    return pruners.NopPruner()


def distribution(optuna, kind, *values):
    if kind == "list":
        return optuna.distributions.CategoricalDistribution(range(int(values[0])))
    low, high, log = float.fromhex(values[0]), float.fromhex(values[1]), values[2] == "1"
    if kind == "int":
        return optuna.distributions.IntDistribution(int(low), int(high), log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


class Copy:
    """Every trial that is over, in a storage that others read; the study never looks into it."""

    def __init__(self, optuna, url, name, directions):
        self.optuna = optuna
        self.study = optuna.create_study(
            storage=url, study_name=name, directions=directions, load_if_exists=True
        )
        self.name = f"study '{name}' in {url}"
        self.there = {t.user_attrs.get("point"): t for t in self.study.get_trials(deepcopy=False)}
        wanted = [optuna.study.StudyDirection[d.upper()] for d in directions]
        if None in self.there or self.study.directions != wanted:
            raise Unfit(f"{self.name} is none of ours; give another `storage` or `study`")

    def add(self, trial):
        old = self.there.get(trial.number)
        if old is None:
            copy = self.optuna.trial.create_trial(
                state=trial.state,
                values=trial.values,
                params=trial.params,
                distributions=trial.distributions,
                user_attrs={"point": trial.number},
                intermediate_values=trial.intermediate_values,
            )
            self.study.add_trial(copy)
            self.there[trial.number] = copy
        elif (old.params, old.values) != (trial.params, trial.values):
            raise Unfit(
                f"{self.name} has another point {trial.number}; give another `storage` or `study`"
            )


class Study:
    def __init__(self, settings):
        optuna = load()
        self.optuna = optuna
        self.distributions = {
            name: distribution(optuna, kind, *values) for kind, name, *values in settings.axes
        }
        self.prunes = settings.one["pruner"] != "none"
        self.epochs = settings.number("epochs")
        self.trials = []
        self.study = optuna.create_study(
            study_name="paribus",  # what Hyperband's brackets depend on
            sampler=sampler_of(optuna, settings),
            pruner=pruner_of(optuna, settings),
            directions=settings.directions,
        )
        url = settings.one.get("storage")
        self.copy = Copy(optuna, url, settings.one["study"], settings.directions) if url else None

    def ask(self):
        trial = self.study.ask(self.distributions)
        self.trials.append(trial)
        return ["point", *(float(trial.params[name]).hex() for name in self.distributions)]

    def ended(self, number, epochs, *values):
        trial = self.trials[int(number)]
        values = [float.fromhex(value) for value in values]
        state = self.optuna.trial.TrialState
        if not values:
            return self.over(trial, state=state.FAIL)
        if self.prunes:
            trial.report(values[0], int(epochs))
            if int(epochs) < self.epochs:
                return self.over(trial, state=state.PRUNED) if trial.should_prune() else ["go"]
        return self.over(trial, values)

    def over(self, trial, values=None, state=None):
        told = self.study.tell(trial, values, state=state)
        if self.copy:
            self.copy.add(told)
        return ["over"]


def answer(line, settings, study):
    key, *values = line.rstrip("\n").split("\t")
    if key == "open":
        study = Study(settings)
        return study, ["ready", study.optuna.__version__]
    if study is None:
        settings.add(key, *values)
        return study, None
    return study, {"ask": study.ask, "ended": study.ended}[key](*values)


def main():
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no reply
    settings, study = Settings(), None
    for line in sys.stdin:
        try:
            study, reply = answer(line, settings, study)
        except Unfit as problem:
            reply = ["error", str(problem)]
        except Exception as problem:
            traceback.print_exc()
            reply = ["error", f"{type(problem).__name__}: {problem}"]
        if reply:
            print("\t".join(" ".join(word.split()) for word in reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
