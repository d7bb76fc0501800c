# SPDX-License-Identifier: Apache-2.0
"""Points and boxes, drawn over the picture that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes


def _pixels(places: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Of pairs of x and y from -1 to 1 over the picture's edges, where its pixels are drawn."""
    import numpy as np

    pixels: np.ndarray = (places + 1) / 2 * np.array(picture.shape[:-3:-1]) - 0.5
    return pixels


def _keep_view(axes: Axes, picture: np.ndarray) -> None:
    """What lies outside of the picture isn't shown, and doesn't make it smaller."""
    axes.set_xlim(-0.5, picture.shape[-1] - 0.5)
    axes.set_ylim(picture.shape[-2] - 0.5, -0.5)


def draw_points(axes: Axes, points: np.ndarray, picture: np.ndarray, mark: str = "o") -> None:
    """Rings for what is, crosses for what a model says; each point has its colour."""
    import matplotlib

    for at, (x, y) in enumerate(_pixels(points, picture)):
        colour = matplotlib.colormaps["tab10"](at % 10)
        for width, ink in ((3.4, "white"), (1.6, colour)):
            axes.plot(
                [x], [y], mark, color=ink, markersize=9, markerfacecolor="none",
                markeredgewidth=width,
            )  # fmt: skip
    _keep_view(axes, picture)


def draw_boxes(axes: Axes, boxes: np.ndarray, picture: np.ndarray) -> set[int]:
    """Edges in the colours of their classes. Returns which classes there are."""
    import matplotlib
    import numpy as np
    from matplotlib.patches import Rectangle

    own = boxes[boxes[:, 4] >= 0]
    for left, top, right, bottom, number in own:
        (x, y), (to_x, to_y) = _pixels(np.array([[left, top], [right, bottom]]), picture)
        colour = matplotlib.colormaps["tab20"](min(int(number), 19) / 19)
        for width, ink in ((2.6, "white"), (1.4, colour)):
            axes.add_patch(
                Rectangle((x, y), to_x - x, to_y - y, fill=False, edgecolor=ink, linewidth=width)
            )
    _keep_view(axes, picture)
    return {int(number) for number in own[:, 4]}
