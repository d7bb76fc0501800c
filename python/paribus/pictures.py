# SPDX-License-Identifier: Apache-2.0
"""Pictures of results, drawn by Matplotlib: what `paribus compare`, `watch`, `lr-find` and `show-data` write with `--picture`.

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

from .places import draw_boxes, draw_points

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _MUTED, _BAND = "#1f2933", "#616e7c", "#e4e7eb"
_COLOUR = {"better": "#1a7f37", "worse": "#c62828"}  # of verdicts; others are ink
_LINES = ["#5b6472", "#0b62b0", "#b8500c", "#0a7a55", "#a3458a", "#1c7fa6", "#8a6a00"]
_LONGEST = 40  # characters of a name
_MOST_NAMED = 14  # lines that a legend can hold


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


def curves(told: dict[str, Any]) -> Figure:
    """A metric over steps: of each arm the mean over seeds in the band that they span, or its one seed."""
    figure = _figure(7.2, 4.2)
    axes = _axes(figure)
    arms = told["arms"]
    is_crowd = len(arms) > _MOST_NAMED
    for at, arm in enumerate(arms):
        colour = _MUTED if is_crowd and at >= 5 else _LINES[at % len(_LINES)]
        style: dict[str, Any] = {"color": colour, "linewidth": 0.7 if is_crowd and at >= 5 else 1.6}
        label = _plain(arm["arm"])
        band = arm.get("band")
        if band:
            low, high, mean = (
                [_number(v) for v in band[key]] for key in ("least", "greatest", "mean")
            )
            axes.fill_between(band["x"], low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(band["x"], mean, label=label, **style)
            continue
        for seed in arm["seeds"]:
            mark = "o" if len(seed["x"]) == 1 else ""
            axes.plot(
                seed["x"],
                [_number(v) for v in seed["y"]],
                mark + "-",
                markersize=4,
                label=label,
                **style,
            )
            label = "_"
    axes.set_xlabel("step")
    axes.set_ylabel(_with_unit(told["metric"], told["unit"]))
    if arms and not is_crowd:
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    state = ", ".join(f"{n} {_plain(status)}" for status, n in told["counts"].items())
    figure.suptitle(f"{_plain(told['label'], 80)}\n{state}", x=0.02, ha="left", fontsize="medium")
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


def _grid(count: int, tall: float, in_pairs: bool = False) -> tuple[Figure, list[Axes]]:
    across = math.ceil(math.sqrt(count * 1.4))
    across += across % 2 if in_pairs else 0
    down = math.ceil(count / across)
    figure = _figure(1.5 * across, tall * down + 0.5)
    grid = list(figure.subplots(down, across, squeeze=False).reshape(-1))
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, grid


def _draw_mask(axes: Axes, value: np.ndarray) -> set[int]:
    import numpy as np

    plane = value.reshape(value.shape[-2:])
    axes.imshow(plane, cmap="tab20", vmin=0, vmax=19, alpha=0.5, interpolation="nearest")
    return set(np.unique(plane).tolist())


def batch(told: dict[str, Any]) -> Figure:
    """The items of a batch as the model gets them, each with its target, over the image where it has a place."""
    first, targets = told["inputs"][0], told["targets"]
    values = _values(first)
    figure, grid = _grid(len(values), 1.7)
    classes: set[int] = set()
    for at, value in enumerate(values):
        _draw_item(grid[at], first["type"], value)
        words = []
        for target in targets:
            if target["type"] == "mask":
                classes |= _draw_mask(grid[at], _values(target)[at])
            elif target["type"] == "points" and value.ndim == 3:
                draw_points(grid[at], _values(target)[at], value)
            elif target["type"] == "boxes" and value.ndim == 3:
                classes |= draw_boxes(grid[at], _values(target)[at], value)
            else:
                words.append(_name_of(target, _values(target)[at], told["class_names"]))
        grid[at].set_title("; ".join(words), fontsize="small", color=_INK)
    if classes:
        _add_classes(figure, sorted(classes), told["class_names"])
    title = f"{told['split']} items of {_plain(told['label'])}, as the model gets them"
    figure.suptitle(title + _scale(told), fontsize="medium")
    return figure


def _scale(told: dict[str, Any]) -> str:
    return " (values stretched to what can be shown)" if told.get("stretched") else ""


def results(told: dict[str, Any]) -> Figure:
    """Validation items with what a trained model makes of them: target, prediction, loss."""
    names, first, target = told["class_names"], told["inputs"][0], told["targets"][0]
    values, truths = _values(first), _values(target)
    are_masks = target["type"] == "mask"
    figure, grid = _grid(len(values) * (2 if are_masks else 1), 1.9, are_masks)
    classes: set[int] = set()
    for at, (value, guess) in enumerate(zip(values, told["predictions"], strict=True)):
        loss = f"loss {_number(guess['loss']):.3g}"
        if are_masks:
            for axes, mask, words in (
                (grid[2 * at], truths[at], "target"),
                (grid[2 * at + 1], _values(guess["mask"])[0], f"predicted, {loss}"),
            ):
                _draw_item(axes, first["type"], value)
                classes |= _draw_mask(axes, mask)
                axes.set_title(words, fontsize="small", color=_INK)
            continue
        _draw_item(grid[at], first["type"], value)
        if "points" in guess and value.ndim == 3:
            draw_points(grid[at], truths[at], value)
            draw_points(grid[at], _values(guess["points"])[0], value, "x")
            grid[at].set_title(loss, fontsize="small", color=_INK)
            continue
        truth = _name_of(target, truths[at], names)
        if "class" in guess:
            right = int(truths[at]) == guess["class"]
            taken = names[guess["class"]] if guess["class"] < len(names) else guess["class"]
            words = f"{_plain(taken, 20)} ({guess['probability']:.2f})"
        else:
            right = True
            words = _name_of({"type": "tensor"}, _values(guess["values"])[0], names)
        words = f"{truth}\n{words}\n{loss}"
        grid[at].set_title(words, fontsize="small", color=_INK if right else _COLOUR["worse"])
    if classes:
        _add_classes(figure, sorted(classes), names)
    which = "the greatest losses of" if told["what"] == "worst" else f"{len(values)} of"
    title = f"{which} {told['of']} validation items, {_plain(told['label'])}"
    if not are_masks:
        are_points = any("points" in guess for guess in told["predictions"])
        title += ": ring is, cross predicted" if are_points else ": target, prediction, loss"
    figure.suptitle(title + _scale(told), fontsize="medium")
    return figure


def confusion(told: dict[str, Any]) -> Figure:
    """Counts of (class, class it is taken for); the colour is the share of its row."""
    import numpy as np

    counts = np.array(told["confusion"], float)
    size = len(counts)
    names = [told["class_names"][i] if i < len(told["class_names"]) else i for i in range(size)]
    labels = [_plain(name, 20) for name in names]
    rows = counts.sum(1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    side = min(2.5 + 0.42 * size, 14)
    figure = _figure(side, side)
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if size <= 30:
        for (i, j), count in np.ndenumerate(counts):
            if count:
                axes.text(
                    j, i, f"{count:.0f}", ha="center", va="center", fontsize="x-small",
                    color="white" if share[i, j] > 0.5 else _INK,
                )  # fmt: skip
        axes.set_xticks(range(size), labels, rotation=60, ha="right", fontsize="small")
        axes.set_yticks(range(size), labels, fontsize="small")
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    right = counts.trace() / counts.sum() if counts.sum() else math.nan
    figure.suptitle(
        f"{_plain(told['label'])}: {right:.4g} of {counts.sum():.0f} validation items right",
        fontsize="medium",
    )
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
    "curves": curves,
    "batch": batch,
    "results": results,
    "confusion": confusion,
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
