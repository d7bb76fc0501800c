# SPDX-License-Identifier: Apache-2.0
"""Paribus from Python: studies of training, driven and read; nothing is imported until it is needed.

    import paribus
    study = paribus.Study(
        data=paribus.dataset.Glyphs(limit=2000, transforms=[paribus.transform.Normalize()]),
        model=paribus.model.Mlp(hidden=[32]),
        arms={"sgd": {}, "adam": {"optimizer": paribus.optimizer.Adam()}},
    )
    run = study.run()
    print(run.compare())
    run.results().frame()

A study does what the command line does, by the same programs: the same checks, the same trial ids, the same bits. The layers
beneath serve loops of your own, on the torch of your environment: `paribus.optimizer.Lion().on(net.parameters())`,
`paribus.loss.Focal()(output, target)`, `paribus.Loader`, `paribus.Trainer`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        callback,
        dataset,
        loss,
        metric,
        model,
        optimizer,
        schedule,
        search,
        tracker,
        transform,
    )
    from .data import Batch, Data, Loader
    from .errors import ParibusError, Problem, StudyError, TrialsFailed
    from .parts import Part
    from .results import Comparison, Results, Verification
    from .run import Run, TrialState
    from .shown import RateSweep, ShownBatch, ShownResults
    from .study import Check, Study
    from .trainer import Event, Fit, Outcome, Trainer

__version__ = "0.1.0"

_PLACES = {
    "Study": "study",
    "Check": "study",
    "Run": "run",
    "TrialState": "run",
    "Results": "results",
    "Comparison": "results",
    "Verification": "results",
    "Batch": "data",
    "Data": "data",
    "Loader": "data",
    "Event": "trainer",
    "Fit": "trainer",
    "Outcome": "trainer",
    "Trainer": "trainer",
    "RateSweep": "shown",
    "ShownBatch": "shown",
    "ShownResults": "shown",
    "Part": "parts",
    "ParibusError": "errors",
    "Problem": "errors",
    "StudyError": "errors",
    "TrialsFailed": "errors",
}
_KINDS = (
    "dataset",
    "transform",
    "model",
    "loss",
    "metric",
    "optimizer",
    "schedule",
    "callback",
    "tracker",
    "search",
)

__all__ = [
    "Batch",
    "Check",
    "Comparison",
    "Data",
    "Event",
    "Fit",
    "Loader",
    "Outcome",
    "ParibusError",
    "Part",
    "Problem",
    "RateSweep",
    "Results",
    "Run",
    "ShownBatch",
    "ShownResults",
    "Study",
    "StudyError",
    "Trainer",
    "TrialState",
    "TrialsFailed",
    "Verification",
    "callback",
    "dataset",
    "loss",
    "metric",
    "model",
    "optimizer",
    "schedule",
    "search",
    "tracker",
    "transform",
]


def __getattr__(name: str) -> Any:
    if name in _KINDS:
        return importlib.import_module(f".{name}", __name__)
    if name in _PLACES:
        return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
    raise AttributeError(f"module 'paribus' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
