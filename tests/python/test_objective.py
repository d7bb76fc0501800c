# SPDX-License-Identifier: Apache-2.0
"""A study as an objective of Optuna's: its values are those of the same study run by hand."""

import optuna
import paribus
import pytest
from small_study import small

optuna.logging.set_verbosity(optuna.logging.WARNING)


def base(**more) -> paribus.Study:
    return small(arms={"only": {}}, **more)


def values(trial):
    return {
        "optimizer.lr": trial.suggest_float("lr", 0.001, 1.0, log=True),
        "model.act": trial.suggest_categorical("act", ["relu", "gelu"]),
    }


def created(direction="maximize", **more):
    sampler = optuna.samplers.RandomSampler(seed=1)
    return optuna.create_study(direction=direction, sampler=sampler, **more)


def journals(place):
    return {file: file.stat().st_mtime_ns for file in place.glob("points/*/journal/[0-9a-f]*.log")}


def test_the_values_are_those_of_runs_by_hand(place):
    search = created()
    search.optimize(base().objective(values, "points"), n_trials=3)
    assert len({trial.value for trial in search.trials}) > 1
    for trial in search.trials:
        assert trial.user_attrs["run"] == f"points/{trial.number:05}"
        by_hand = {
            "optimizer.lr": trial.params["lr"],
            "model.act": trial.params["act"],
        }
        run = base().override(by_hand).run(f"by_hand/{trial.number}")
        assert trial.value == run.results().frame()["valid.accuracy"].mean()


def test_what_was_tried_is_not_trained_again(place):
    first, again = created(), created()
    first.optimize(base().objective(values, "points"), n_trials=2)
    written = journals(place)
    assert len(written) == 4  # two points of two seeds
    again.optimize(base().objective(values, "points"), n_trials=2)
    assert [t.value for t in again.trials] == [t.value for t in first.trials]
    assert journals(place) == written


def test_a_wrong_direction_is_told(place):
    words = 'valid.accuracy is to maximize, this study of Optuna is to minimize: .* direction="maximize"'
    with pytest.raises(paribus.ParibusError, match=words):
        created("minimize").optimize(base().objective(values, "points"), n_trials=1)


def test_the_loss_is_minimized(place):
    search = created("minimize")
    study = base().override({"study.metric": "valid.loss"})
    search.optimize(study.objective(values), n_trials=1)
    (run,) = (paribus.Run(trial.user_attrs["run"]) for trial in search.trials)
    assert search.best_value == run.results().frame()["valid.loss"].mean()


def test_two_directions_and_two_arms_are_told(place):
    two = optuna.create_study(directions=["maximize", "minimize"])
    with pytest.raises(paribus.ParibusError, match="2 directions, an objective is one number"):
        two.optimize(base().objective(values), n_trials=1)
    with pytest.raises(paribus.ParibusError, match="2 arms, .*: leave out `arms`"):
        created().optimize(small().objective(values), n_trials=1)


def test_what_is_wrong_with_the_values_is_told_and_nothing_is_run(place):
    with pytest.raises(paribus.StudyError, match="optimizer.rl"):
        created().optimize(base().objective(lambda trial: {"optimizer.rl": 0.1}), n_trials=1)
    assert not (place / "runs").exists()
