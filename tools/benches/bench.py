# SPDX-License-Identifier: Apache-2.0
"""tools/bench: speed against rivals. Both sides of each figure take turns in one run; medians and quartiles over the turns."""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import logging_rows
import page_rows
import plugin_rows
import rivals
import rows
import tracker_rows
import trainer_rows
from figure import number
from rows import ROOT, Setting, note

ROWS = {
    **rows.ROWS,
    **plugin_rows.ROWS,
    **rivals.ROWS,
    **logging_rows.ROWS,
    **tracker_rows.ROWS,
    **page_rows.ROWS,
    **trainer_rows.ROWS,
}


def machine():
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load_average": list(os.getloadavg()),
        "torch": importlib.metadata.version("torch"),
        "numpy": importlib.metadata.version("numpy"),
        "python": sys.version.split()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def heading(facts):
    load = ", ".join(f"{x:.1f}" for x in facts["load_average"])
    return (
        f"{facts['cpu']}, {facts['cores']} cores, load average {load}; "
        f"torch {facts['torch']}, numpy {facts['numpy']}, Python {facts['python']}"
    )


def lines(figure):
    low, high = map(number, figure.quartiles())
    value = f"{number(figure.median)} {figure.unit} [{low}..{high}] n={len(figure.values)}"
    sides = f"{figure.ours} : {figure.rival}" if figure.rival else figure.ours
    same = {True: "equal results", False: "RESULTS DIFFER", None: ""}[figure.equal]
    extra = "; ".join(text for text in (sides, same) if text)
    yield f"  {figure.name:54} {value:36} {figure.bar_text():10} {figure.verdict()}"
    if extra:
        yield f"    {extra}"


def measured(names, setting, quiet):
    results = []
    for name in names:
        note(f"{name} ...")
        start = time.monotonic()
        figures = ROWS[name](setting)
        results.append(
            {
                "row": name,
                "what": ROWS[name].__doc__,
                "load": os.getloadavg()[0],
                "figures": figures,
            }
        )
        note(f"{name}: {time.monotonic() - start:.0f} s")
        if not quiet:
            print(f"{name}: {ROWS[name].__doc__}")
            for figure in figures:
                print("\n".join(lines(figure)))
            sys.stdout.flush()
    return results


def options():
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description=__doc__,
        epilog="rows: " + "; ".join(f"{name}: {row.__doc__}" for name, row in ROWS.items()),
    )
    parser.add_argument("row", nargs="*", help="default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument(
        "--repeats",
        type=int,
        metavar="N",
        help="turns of each side (for step: trainings of 800 steps)",
    )
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build" / "release", help="default: build/release"
    )
    parser.add_argument(
        "--points",
        type=int,
        metavar="N",
        help="for logging: scalars of each side; default: 10 M, and fewer of those that are slow",
    )
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a bar is missed")
    chosen = parser.parse_args()
    for name in chosen.row:
        if name not in ROWS:
            parser.error(f"no row '{name}'; there are {', '.join(ROWS)}")
    if chosen.repeats is not None and chosen.repeats < 1:
        parser.error("--repeats: at least 1")
    if chosen.points is not None and chosen.points < 1000:
        parser.error("--points: at least 1000")
    return chosen


def main():
    chosen = options()
    setting = Setting(chosen.build.resolve(), chosen.repeats, chosen.points)
    facts = machine()
    if not chosen.json:
        print(heading(facts))
    try:
        results = measured(chosen.row or list(ROWS), setting, quiet=chosen.json)
    except (FileNotFoundError, RuntimeError) as problem:
        print(f"tools/bench: {problem}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as problem:
        print(f"tools/bench: {problem}\n{problem.stderr or ''}", file=sys.stderr)
        return 2
    if chosen.json:
        rows = [
            {**result, "figures": [f.as_json() for f in result["figures"]]} for result in results
        ]
        print(json.dumps({"machine": facts, "rows": rows}, indent=2))
    figures = [figure for result in results for figure in result["figures"]]
    missed = any(figure.missed_by() or figure.equal is False for figure in figures)
    return 1 if chosen.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
