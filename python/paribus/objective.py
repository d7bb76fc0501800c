# SPDX-License-Identifier: Apache-2.0
"""A study as what Optuna optimizes: each of Optuna's trials is a run of it with other values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ParibusError

if TYPE_CHECKING:
    from .study import Study


class Objective:
    """The study's metric, last value, mean over its seeds; NaN, which Optuna counts as failed, where a seed has none.

    What Optuna's trial 7 ran lies in `directory`/00007, which the trial has as its attribute `run`. Values that were tried there
    before are not trained again.
    """

    def __init__(
        self,
        study: Study,
        values: Callable[[Any], Mapping[str, Any]],
        directory: Path,
        jobs: int | None,
    ):
        self._study, self._values = study, values
        self._directory, self._jobs = directory, jobs
        self._metric = ""

    def __call__(self, trial: Any) -> float:
        """Raises StudyError, TrialsFailed, and ParibusError where the two studies don't fit."""
        point = self._study.override(self._values(trial))
        if not self._metric:
            _check_directions(trial)
            self._metric = _metric_of(point)
        run = point.run(self._directory / f"{trial.number:05}", jobs=self._jobs)
        trial.set_user_attr("run", str(run.directory))
        results = run.results()
        _check_goal(trial, results.goal, self._metric)
        found = [row.get(self._metric) for row in results.rows]
        numbers = [value for value in found if value is not None]
        return sum(numbers) / len(found) if len(numbers) == len(found) else float("nan")


def _metric_of(point: Study) -> str:
    checked = point.check()
    if len(checked.arms) > 1:
        raise ParibusError(
            f"an objective is one number, and the study has {len(checked.arms)} arms, {checked.arms[0]} and "
            f"{checked.arms[1]} among them: leave out `arms`, `ablate` and `sweep`"
        )
    return checked.metric


def _directions(trial: Any) -> list[str]:
    study = getattr(trial, "study", None)  # not of a FixedTrial
    return [] if study is None else [each.name.lower() for each in study.directions]


def _check_directions(trial: Any) -> None:
    count = len(_directions(trial))
    if count > 1:
        raise ParibusError(
            f"this study of Optuna has {count} directions, an objective is one number; for several metrics there is "
            'search = { use = "optuna", objectives = "..." } (docs/search.md)'
        )


def _check_goal(trial: Any, goal: str, metric: str) -> None:
    """Nothing else would tell: the search would look for the worst."""
    for asked in _directions(trial):
        if goal and asked != goal:
            raise ParibusError(
                f"{metric} is to {goal}, this study of Optuna is to {asked}: "
                f'give optuna.create_study direction="{goal}", or the study `goal = "{asked}"`'
            )
