# SPDX-License-Identifier: Apache-2.0
"""Pictures of results, drawn by Matplotlib: what `paribus compare`, `lr-find` and `show-data` write with `--picture`.

Each function takes what its command prints with `--json` and returns a `matplotlib.figure.Figure`.
"""

from __future__ import annotations

import base64
import json
import math
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _MUTED, _BAND = "#1f2933", "#616e7c", "#e4e7eb"
_COLOUR = {"better": "#1a7f37", "worse": "#c62828"}  # of verdicts; others are ink
_LONGEST = 40  # characters of a name


def _plain(text: object, most: int = _LONGEST) -> str:
    """Names come from files of strangers: no control characters, and of bounded length."""
    kept = "".join("?" if unicodedata.category(c)[0] == "C" else c for c in str(text)[: 4 * most])
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=160, layout="constrained")


def _axes(figure: Figure) -> Axes:
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_MUTED, labelcolor=_INK)
    return axes


def _with_unit(metric: str, unit: str) -> str:
    return _plain(metric) + (f" ({_plain(unit)})" if unit not in ("", "1") else "")


def lr_find(told: dict[str, Any]) -> Figure:
    """The loss over the learning rate, with the rate that is suggested."""
    points = [(_number(x), _number(y)) for x, y in told["points"]]
    points = [(x, y) for x, y in points if x > 0 and math.isfinite(x) and math.isfinite(y)]
    figure = _figure(6.4, 4)
    axes = _axes(figure)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
    axes.set_xlabel(_plain(told.get("target", "learning rate")))
    axes.set_ylabel("smoothed training loss")
    if points:
        rates, losses = zip(*points, strict=True)
        axes.plot(rates, losses, color=_INK, linewidth=1.6)
        least, first = min(losses), losses[0]
        # A loss that has run away would press the rest flat: it is cut.
        above = first + 0.5 * (first - least)
        if above > least:
            axes.set_ylim(least - 0.05 * (above - least), above)
    suggestion = _number(told.get("suggestion"))
    if suggestion > 0:
        axes.axvline(suggestion, color=_COLOUR["better"], linestyle="--", linewidth=1.2)
        axes.set_title(f"suggested: {suggestion:.2g}", color=_COLOUR["better"], loc="left")
    else:
        axes.set_title("no rate to suggest: the loss does not fall", loc="left")
    return figure


def _rows_of(told: dict[str, Any]) -> list[tuple[str, float, dict[str, Any]]]:
    """Label, estimate and the rest of each interval."""
    if told.get("effects"):
        return [(_plain(e["effect"]), _number(e["estimate"]), e) for e in told["effects"]]
    return [
        (
            _plain(f"{arm['study']}/{arm['arm']}" if "study" in arm else arm["arm"]),
            _number(arm["difference"]),
            arm,
        )
        for arm in told["arms"]
    ]


def comparison(told: dict[str, Any]) -> Figure:
    """Each arm's difference from the baseline with its interval, and the verdict in words."""
    rows = _rows_of(told)
    figure = _figure(7.2, 1.5 + 0.42 * max(len(rows), 1))
    axes = _axes(figure)
    axes.axvline(0, color=_MUTED, linewidth=1)
    if told.get("margin"):
        axes.axvspan(-told["margin"], told["margin"], color=_BAND, zorder=0)
    for at, (_, estimate, row) in enumerate(rows):
        colour = _COLOUR.get(row["verdict"], _INK)
        low, high = _number(row["low"]), _number(row["high"])
        if math.isfinite(low) and math.isfinite(high):
            axes.plot([low, high], [at, at], color=colour, linewidth=2, solid_capstyle="butt")
        if math.isfinite(estimate):
            axes.plot([estimate], [at], "o", color=colour, markersize=6)
        p = _number(row["p_holm"])
        words = _plain(row["verdict"]) + (f", p = {p:.2g}" if math.isfinite(p) else "")
        axes.text(
            1.01, at, words, transform=axes.get_yaxis_transform(), va="center", fontsize="small"
        )
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    figure.supxlabel(_meaning(told), fontsize="medium")
    sentence = textwrap.fill(_plain(told["sentence"], 240), 88)
    figure.suptitle(sentence, x=0.02, ha="left", fontsize="medium")
    return figure


def _meaning(told: dict[str, Any]) -> str:
    """What the axis of differences says."""
    against = "effect of on against off"
    if not told.get("effects"):
        against = f"difference from {_plain(told['baseline'], 32)}"
    words = f"{_with_unit(told['metric'], told['unit'])}, {told['at']} value: {against}\n"
    words += f"{100 * (1 - told['alpha']):.4g} % intervals"
    return words + (f"; grey: the margin, ±{told['margin']:g}" if told.get("margin") else "")


def _values(told: dict[str, Any]) -> np.ndarray:
    """The tensor of a batch: bytes in base64, or numbers."""
    import numpy as np

    shape = tuple(told["shape"])
    if "bytes" in told:
        return np.frombuffer(base64.b64decode(told["bytes"]), np.uint8).reshape(shape)
    return np.array([math.nan if v is None else v for v in told["numbers"]], float).reshape(shape)


def _name_of(target: dict[str, Any], value: np.ndarray, names: Sequence[str]) -> str:
    """What an item's target is, in words."""

    def named(number: int) -> str:
        return names[number] if 0 <= number < len(names) else str(number)

    flat = value.reshape(-1)
    if target["type"] == "category" and flat.size == 1:
        return _plain(named(int(flat[0])), 24)
    if target["type"] == "category":  # probabilities
        best = sorted(range(flat.size), key=lambda i: -flat[i])[:2]
        return _plain(", ".join(f"{named(i)} {flat[i]:.2f}" for i in best if flat[i] > 0), 32)
    return _plain(", ".join(f"{v:.3g}" for v in flat[:4]) + (", …" if flat.size > 4 else ""), 32)


def _draw_item(axes: Axes, kind: str, value: np.ndarray) -> None:
    if kind == "image" and value.ndim == 3:
        picture = value.transpose(1, 2, 0) if value.shape[0] == 3 else value[0]
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    elif value.ndim <= 1:
        axes.plot(value.reshape(-1), color=_INK, linewidth=1)
    else:
        axes.imshow(value.reshape(-1, value.shape[-1]), cmap="viridis", aspect="auto")
    axes.set_xticks([]), axes.set_yticks([])


def batch(told: dict[str, Any]) -> Figure:
    """The items of a batch as the model gets them, each with its target; masks lie over their image."""
    import numpy as np

    first, targets = told["inputs"][0], told["targets"]
    values = _values(first)
    count = len(values)
    across = math.ceil(math.sqrt(count * 1.4))
    down = math.ceil(count / across)
    figure = _figure(1.5 * across, 1.7 * down + 0.5)
    grid = figure.subplots(down, across, squeeze=False).reshape(-1)
    seen: set[int] = set()
    for axes in grid[count:]:
        axes.set_axis_off()
    for at in range(count):
        _draw_item(grid[at], first["type"], values[at])
        words = []
        for target in targets:
            value = _values(target)[at]
            if target["type"] == "mask":
                plane = value.reshape(value.shape[-2:])
                seen |= set(np.unique(plane).tolist())
                grid[at].imshow(
                    plane, cmap="tab20", vmin=0, vmax=19, alpha=0.5, interpolation="nearest"
                )
            else:
                words.append(_name_of(target, value, told["class_names"]))
        grid[at].set_title("; ".join(words), fontsize="small", color=_INK)
    if seen:
        _add_classes(figure, sorted(seen), told["class_names"])
    title = f"{told['split']} items of {_plain(told['label'])}, as the model gets them"
    if told.get("stretched"):
        title += " (values stretched to what can be shown)"
    figure.suptitle(title, fontsize="medium")
    return figure


def _add_classes(figure: Figure, classes: list[int], names: Sequence[str]) -> None:
    import matplotlib
    from matplotlib.patches import Patch

    colours = matplotlib.colormaps["tab20"]
    patches = [
        Patch(color=colours(min(c, 19) / 19), label=_plain(names[c] if c < len(names) else c, 24))
        for c in classes[:20]
    ]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=6, frameon=False, fontsize="small"
    )


KINDS: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "lr_find": lr_find,
    "comparison": comparison,
    "batch": batch,
}


_SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # a name with $ is no formula
    "svg.fonttype": "none",  # text stays text: it can be read aloud and searched for
    "svg.hashsalt": "paribus",
    "font.family": "DejaVu Sans",
}
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def figure_of(kind: str, told: dict[str, Any]) -> Figure:
    """The picture of `told`, what a command prints with `--json`; kind is one of KINDS."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        return KINDS[kind](told)


def write(kind: str, told: dict[str, Any], file: Path | IO[bytes], form: str) -> None:
    """Draws `told` into a file; form is one of png, svg and pdf. The same numbers give the same bytes."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        KINDS[kind](told).savefig(file, format=form, metadata=_UNDATED[form])


def main(words: list[str]) -> None:
    """KIND NUMBERS.json PICTURE FORM"""
    kind, numbers, file, form = words
    write(kind, json.loads(Path(numbers).read_text("utf-8")), Path(file), form)


if __name__ == "__main__":
    main(sys.argv[1:])
