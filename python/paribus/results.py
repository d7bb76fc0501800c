# SPDX-License-Identifier: Apache-2.0
"""Numbers of a study, as tables that pandas and xarray take."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ParibusError

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure


class Table:
    """Rows of named columns, shown as such in notebooks."""

    def __init__(self, columns: dict[str, str], rows: list[dict[str, Any]]):
        self.columns, self.rows = columns, rows  # name: unit, "" if none

    def frame(self) -> pandas.DataFrame:
        """A data frame; `attrs["units"]` has the units."""
        import pandas

        frame = pandas.DataFrame(self.rows, columns=list(self.columns))
        frame.attrs["units"] = dict(self.columns)
        return frame

    def __len__(self) -> int:
        return len(self.rows)

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{html.escape(name)}{f' [{html.escape(unit)}]' if unit not in ('', '1') else ''}</th>"
            for name, unit in self.columns.items()
        )
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(_shown(row.get(name)))}</td>' for name in self.columns)}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class Results(Table):
    """A row for each trial: arm, seed, status, last and best value of each metric."""

    def __init__(self, directory: Path, told: dict[str, Any]):
        super().__init__({c["name"]: c["unit"] for c in told["columns"]}, told["rows"])
        self.directory = directory

    def series(self, metric: str) -> pandas.DataFrame:
        """All points of a series: columns trial, arm, seed, step and the metric. Raises ParibusError
        if no trial recorded it."""
        import h5py
        import pandas

        parts, names = [], set()
        with h5py.File(self._sealed()) as file:
            for row in self.rows:
                group = file["series"].get(row["id"], {})
                names |= set(group)
                if metric not in group:
                    continue
                points = group[metric][:]
                part = pandas.DataFrame({"step": points["step"], metric: points["value"]})
                place = {"trial": row["id"], "arm": row["arm"], "seed": row["seed"]}
                for at, (name, value) in enumerate(place.items()):
                    part.insert(at, name, value)
                parts.append(part)
        if not parts:
            raise ParibusError(
                f"{self.directory}: no trial recorded '{metric}'; there are {', '.join(sorted(names))}"
            )
        return pandas.concat(parts, ignore_index=True)

    def table(self, name: str) -> pandas.DataFrame:
        """A table that callbacks recorded, of every step: columns trial, arm, seed, step and its own.
        Raises ParibusError if no trial recorded it."""
        import h5py
        import pandas

        parts, names = [], set()
        with h5py.File(self._sealed()) as file:
            for row in self.rows:
                for group in file.get(f"tables/{row['id']}", {}).values():
                    names.add(group.attrs["name"])
                    if group.attrs["name"] != name:
                        continue
                    for step in sorted(group, key=int):
                        part = pandas.DataFrame(_texts_decoded(group[step][:]))
                        place = {"trial": row["id"], "arm": row["arm"], "seed": row["seed"]}
                        for at, (column, value) in enumerate({**place, "step": int(step)}.items()):
                            part.insert(at, column, value, allow_duplicates=True)
                        parts.append(part)
        if not parts:
            raise ParibusError(
                f"{self.directory}: no trial recorded the table '{name}'; "
                f"there are {', '.join(sorted(names)) or 'none'}"
            )
        return pandas.concat(parts, ignore_index=True)

    def xarray(self) -> xarray.Dataset:
        """Last values over arm and seed; NaN where a trial has none."""
        frame = self.frame()
        metrics = [name for name in self.columns if "." in name and not name.startswith("best.")]
        metrics = [name for name in metrics if frame[name].map(_is_number).all()]
        placed = frame.set_index(["arm", "seed"])[metrics]
        data: xarray.Dataset = placed.astype(float).to_xarray()
        for name in metrics:
            data[name].attrs["units"] = self.columns[name]
        return data

    @property
    def goal(self) -> str:
        """Which way the study's metric is better: "maximize" or "minimize"."""
        import h5py

        with h5py.File(self._sealed()) as file:
            return str(file.attrs["goal"])

    def _sealed(self) -> Path:
        from .program import call

        done = call("seal", self.directory)
        if done.returncode != 0:
            raise ParibusError(done.stderr.strip())
        return self.directory / "results.h5"


def _texts_decoded(rows: Any) -> dict[str, Any]:
    """The columns of a compound table; its texts are bytes of UTF-8."""
    return {
        name: [text.decode("utf-8", "replace") for text in rows[name]]
        if rows.dtype[name].kind == "S"
        else rows[name]
        for name in rows.dtype.names
    }


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, (int, float))


class Comparison(Table):
    """Each arm against the baseline."""

    def __init__(self, told: dict[str, Any]):
        shown = ["arm", "arm_mean", "difference", "low", "high", "p_holm", "n", "verdict"]
        units = dict.fromkeys(shown, "")
        units |= dict.fromkeys(("arm_mean", "difference", "low", "high"), told["unit"])
        super().__init__(units, told["arms"])
        self.told = told
        self.metric: str = told["metric"]
        self.baseline: str = told["baseline"]
        self.sentence: str = told["sentence"]

    def figure(self) -> Figure:
        """Differences with their intervals, as a figure of Matplotlib."""
        from .pictures import figure_of

        return figure_of("comparison", self.told)

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"Comparison({self.sentence!r})"

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(self.sentence)}</b></p>" + super()._repr_html_()


class Verification(Table):
    """Whether trials gave the same bits again."""

    def __init__(self, told: dict[str, Any]):
        columns = dict.fromkeys(("id", "arm", "seed", "identical", "verdict"), "")
        super().__init__(columns, told["trials"])
        self.changes: list[Any] = told["changes"]

    @property
    def identical(self) -> bool:
        return all(row["identical"] for row in self.rows)

    def __bool__(self) -> bool:
        return self.identical
