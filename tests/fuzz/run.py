# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target for some seconds, two at a time; what makes one fail is kept. See README.md."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMITS = ["-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-timeout=20", "-print_final_stats=1"]


def search(program: Path, seconds: int, findings: Path) -> tuple[str, int, str]:
    name = program.name.removeprefix("fuzz_")
    with tempfile.TemporaryDirectory() as grown:
        command = [program, f"-max_total_time={seconds}", *LIMITS]
        command += [f"-artifact_prefix={findings / name}-", grown, HERE / "corpus" / name]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=grown)
    return name, done.returncode, done.stderr


def figure(text: str, name: str) -> str:
    lines = [line for line in text.splitlines() if name in line]
    return lines[-1].split(":")[-1].strip() if lines else "?"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="default: all")
    parser.add_argument("--seconds", type=int, default=10, help="of each target (default: 10)")
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build" / "fuzz")
    chosen = parser.parse_args()
    programs = sorted((chosen.build / "tests" / "fuzz").glob("fuzz_*"))
    if chosen.targets:
        programs = [one for one in programs if one.name.removeprefix("fuzz_") in chosen.targets]
    if not programs:
        print(f"no targets in {chosen.build}; build them: cmake --preset fuzz", file=sys.stderr)
        return 2
    findings = chosen.build / "findings"
    shutil.rmtree(findings, ignore_errors=True)
    findings.mkdir(parents=True)
    failed = 0
    with ThreadPoolExecutor(max_workers=max(1, min(len(programs), os.cpu_count() or 1))) as pool:
        runs = [pool.submit(search, one, chosen.seconds, findings) for one in programs]
        for run in runs:
            name, status, said = run.result()
            count = figure(said, "stat::number_of_executed_units")
            print(
                f"{name:12} {count:>10} inputs  {'fine' if status == 0 else 'FAILED'}", flush=True
            )
            if status != 0:
                failed += 1
                print(said[-6000:], file=sys.stderr)
    if failed:
        print(f"inputs that failed: {findings}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
