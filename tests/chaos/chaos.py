# SPDX-License-Identifier: Apache-2.0
"""Runs a study of real trials, lets things happen to it, and compares it with the undisturbed one: every bit equal.

The list of what happens is a function of the seed; at which step it strikes is up to the machine."""

import argparse
import random
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN_STUDY = HERE / "study.toml"
sys.path.insert(0, str(HERE))

from campaign import Campaign  # noqa: E402
from mishaps import KINDS, counted, plan  # noqa: E402
from study_run import Place, Wrong, sha256  # noqa: E402


def options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="what happens:\n"
        + "\n".join(f"  {kind}: {text}" for kind, (_, text) in KINDS.items()),
    )
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=None, help="default: drawn, and printed")
    parser.add_argument("--study", type=Path, default=OWN_STUDY, metavar="FILE")
    parser.add_argument("-s", "--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build" / "release")
    parser.add_argument(
        "--only-processes", action="store_true", help="leave the files of stopped runs alone"
    )
    parser.add_argument("--verbose", action="store_true", help="a line for each mishap")
    chosen = parser.parse_args()
    if not chosen.set and chosen.study == OWN_STUDY:  # long enough for all of them to strike one
        chosen.set = [f"train.epochs={max(2, chosen.kills // 3)}"]
    return chosen


def summary(campaign: Campaign, seconds: float) -> str:
    return (
        f"{counted(campaign.kinds)}\n"
        f"files between runs: {counted(campaign.damages) or 'nothing'}\n"
        f"{campaign.finished} finished in {seconds:.0f} s, each equal to the undisturbed one "
        f"(table {sha256(campaign.expected.table.encode())[:16]}, {len(campaign.expected.weights)} weights, "
        f"{len(campaign.expected.numbers)} series)\n"
        f"no orphan, no trial stuck, no file left; the last process was gone at most "
        f"{1000 * campaign.slowest_end:.0f} ms after its driver"
    )


def main() -> int:
    chosen = options()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}, {chosen.kills} kills", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    say = (lambda line: print(line, flush=True)) if chosen.verbose else (lambda line: None)
    place = Place(chosen.build.resolve(), folder, uuid.uuid4().hex)
    campaign = Campaign(place, chosen.study.resolve(), chosen.set, say)
    campaign.damages_files = not chosen.only_processes
    begin = time.monotonic()
    try:
        campaign.undisturbed()
        say(f"undisturbed: {campaign.seconds:.1f} s")
        if not campaign.disk.is_small:
            print("no disk of its own can be mounted here: it never fills", flush=True)
        campaign.carry_out(plan(seed, chosen.kills))
        print(summary(campaign, time.monotonic() - begin))
        return 0
    except Wrong as wrong:
        print(f"after {counted(campaign.kinds) or 'nothing'}:\n{wrong}", file=sys.stderr)
        keep(campaign, folder)
        words = "".join(f" -s '{text}'" for text in chosen.set)
        words += " --only-processes" if chosen.only_processes else ""
        again = f"--kills {chosen.kills} --seed {seed} --study {chosen.study}{words} --verbose"
        print(f"again: {sys.argv[0]} {again}", file=sys.stderr)
        return 1
    finally:
        campaign.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


def keep(campaign: Campaign, folder: Path):
    """What failed, out of the disk that goes with this process."""
    campaign.run.kill_all()
    kept = Path(tempfile.mkdtemp(prefix="chaos-kept-")) / "files"
    shutil.copytree(folder, kept, ignore_dangling_symlinks=True)
    print(f"files: {kept}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
