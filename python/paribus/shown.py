# SPDX-License-Identifier: Apache-2.0
"""What a study shows before it runs: the loss over learning rates, a batch of its data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown:
    """Numbers with their picture; a notebook shows it."""

    kind = ""  # of pictures.KINDS

    def __init__(self, told: dict[str, Any]):
        self.told = told

    def figure(self) -> Figure:
        """As a figure of Matplotlib, which the environment must have."""
        from .pictures import figure_of

        return figure_of(self.kind, self.told)

    def _repr_png_(self) -> bytes:
        from .pictures import write

        png = io.BytesIO()
        write(self.kind, self.told, png, "png")
        return png.getvalue()


class RateSweep(Shown):
    """The smoothed training loss over growing learning rates."""

    kind = "lr_find"

    @property
    def points(self) -> list[tuple[float, float]]:
        """Pairs of rate and loss; the loss is NaN where it wasn't finite."""
        return [
            (rate, float("nan") if loss is None else loss) for rate, loss in self.told["points"]
        ]

    @property
    def suggestion(self) -> float | None:
        """The rate to take; None where the loss doesn't fall."""
        found: float | None = self.told["suggestion"]
        return found

    def __repr__(self) -> str:
        return f"RateSweep(suggestion={self.suggestion})"


class ShownBatch(Shown):
    """Items with their targets, as the model gets them."""

    kind = "batch"

    @property
    def items(self) -> list[int]:
        """Their numbers in the data set."""
        return list(self.told["items"])

    def __repr__(self) -> str:
        return f"ShownBatch({self.told['split']}, {len(self.items)} items)"


class ShownResults(Shown):
    """Validation items with the predictions of a trained model, and its confusion matrix."""

    def __init__(self, told: dict[str, Any]):
        super().__init__(told)
        self.kind = "confusion" if told["what"] == "confusion" else "results"

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """Of each item: its loss, and class with probability, mask, points, or values."""
        return list(self.told["predictions"])

    @property
    def confusion(self) -> list[list[int]] | None:
        """Counts by class (rows) and class predicted (columns); None where there are no classes."""
        found: list[list[int]] | None = self.told["confusion"]
        return found

    def __repr__(self) -> str:
        return f"ShownResults({self.told['label']}, {len(self.predictions)} items)"
