# SPDX-License-Identifier: Apache-2.0
"""A measured figure beside its bar."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One value for each turn. `bar`: what the median must not exceed, or must reach (`at_least`); None: told only."""

    name: str
    unit: str
    values: list[float]
    bar: float | None = None
    at_least: bool = False
    # Medians of both sides, and whether their work came out equal.
    ours: str = ""
    rival: str = ""
    equal: bool | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.values)

    def quartiles(self):
        if len(self.values) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high

    def missed_by(self):
        """How far on the wrong side of the bar, in the figure's unit; 0 if met, None without a bar."""
        if self.bar is None:
            return None
        return max(0.0, self.bar - self.median if self.at_least else self.median - self.bar)

    def verdict(self):
        missed = self.missed_by()
        if missed is None:
            return ""
        if self.equal is False:
            return "void: the two sides' results differ"
        return "met" if missed == 0 else f"missed by {shown(missed, self.unit)}"

    def bar_text(self):
        if self.bar is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {shown(self.bar, self.unit)}"

    def as_json(self):
        low, high = self.quartiles()
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "quartiles": [low, high],
            "min": min(self.values),
            "max": max(self.values),
            "n": len(self.values),
            "bar": self.bar,
            "bar_is": "at least" if self.at_least else "at most",
            "verdict": self.verdict(),
            "ours": self.ours,
            "rival": self.rival,
            "equal": self.equal,
            "notes": self.notes,
        }


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def shown(value, unit):
    return f"{number(value)} {unit}"


def seconds_shown(values):
    """The median of some seconds in the unit that reads best."""
    value = statistics.median(values)
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"
