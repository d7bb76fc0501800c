# SPDX-License-Identifier: Apache-2.0
"""The row `null`: statistics of made-up studies, from the program bench_null."""

import json
import subprocess

from figure import Figure


def null(setting):
    """made-up studies through `compare`: false verdicts where no arm differs, seeds where one does; turns are thousands"""
    done = subprocess.run(
        [setting.program("null"), str(1000 * setting.turns(10))],
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    figures = []
    for row in said["null"]:
        seeds = f"{'up to ' if row['until_decided'] else ''}{row['seeds']} seeds"
        name = f"{row['arms']} arms, {row['noise']}, {seeds}, {row['test']}"
        figures.append(Figure(name, "%", [100 * row["false_verdicts"]], bar=5.5))
    for row in said["planted"]:
        saved = 100 * (1 - row["mean_seeds"] / row["fixed_seeds"])
        figures.append(
            Figure(
                f"seeds saved, effect of {row['effect']} sd found in {100 * row['power']:.1f} %",
                "%",
                [saved],
                ours=f"{row['mean_seeds']:.1f} seeds",
                rival=f"{row['fixed_seeds']} fixed ones find it in {100 * row['fixed_power']:.1f} %",
            )
        )
    return figures
