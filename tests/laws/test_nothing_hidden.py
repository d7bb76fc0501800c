# SPDX-License-Identifier: Apache-2.0
"""Law 1: the same trial gives the same bits, whatever runs beside it, before it, or loads its data. Threads per trial are
part of a trial's id: another number of them is another trial, which may differ, and keeps this law for itself."""

import pytest
import sets
from cases import (
    ADAPTIVE,
    BASE,
    CASES,
    REGRESSION,
    SWEEPS,
    TRACKERS,
    arm_name,
    missing_or_stale,
)
from cases_vision import POINTS, REGRESSIONS
from lab import Lab, differences, shipped

STUDY = 'study = { metric = "valid.loss", seeds = [7], threads = 1 }\n'


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("law1")
    lab = Lab(folder, "line")
    parts = shipped(lab)
    sets.write_cifar10(folder / "cifar10")
    sets.write_pictures(folder / "pictures")
    sets.write_masks(folder / "masks")
    sets.write_boxes(folder / "boxes")
    sets.write_script(folder / "net.pt")
    for name in ("mnist", "fashion_mnist"):
        files = sets.write_mnist(folder / "data" / name.replace("_", "-"))
        sets.pass_for_verified(
            folder / "cache" / "paribus" / "verified.txt", parts[f"dataset/{name}"], files
        )
    return lab


ARMS = {"base": ""} | {
    arm_name(part, number): arm
    for part, case in CASES.items()
    for number, arm in enumerate(case.on)
}


def study_of(arms: dict[str, str]) -> str:
    return (
        STUDY + BASE + "[arms]\n" + "".join(f"{name} = {{ {arm} }}\n" for name, arm in arms.items())
    )


def test_every_part_has_a_case(lab):
    assert missing_or_stale(shipped(lab).keys()) == []


@pytest.fixture(scope="module")
def one_by_one(lab):
    """Every part in an arm of its own, one trial after the other."""
    return lab.run(lab.write("parts.toml", study_of(ARMS)), "alone", "-j", 1)


@pytest.fixture(scope="module")
def alone(one_by_one):
    return one_by_one.all()


def test_an_arm_uses_its_part(one_by_one):
    for part, case in CASES.items():
        for number in range(len(case.on)):
            arm = arm_name(part, number)
            assert part in one_by_one.parts[one_by_one.rows[arm, 7]["id"]], arm


def test_parts_have_an_effect(alone):
    """Else the law would be kept by parts that do nothing. Metrics, and what only keeps or tells, change no weights."""
    weights = {arm: trial["weights_sha256"] for (arm, seed), trial in alone.items() if seed == 7}
    same = {arm for arm in weights if arm != "base" and weights[arm] == weights["base"]}
    silent = ("checkpoint", "ema", "grad_cam", "histograms", "interpret", "pictures", "swa", "tta")
    names = ("metric-", *(f"callback-{name}-" for name in silent))
    assert same == {arm for arm in ARMS if arm.startswith(names)}


def test_side_by_side(lab, alone):
    assert differences(alone, lab.run(lab.folder / "parts.toml", "beside", "-j", 2).all()) == []


@pytest.mark.parametrize("workers", [0, 3])
def test_other_loader_threads(lab, alone, workers):
    options = ("-j", 2, "-s", f"data.workers={workers}")
    other = lab.run(lab.folder / "parts.toml", f"workers-{workers}", *options).all()
    assert differences(alone, other) == []


def test_other_order_and_company(lab, alone):
    """Half of the arms, the last first: what is left of the study is as it was."""
    fewer = dict(reversed(list(ARMS.items())[1::2]))
    other = lab.run(lab.write("fewer.toml", study_of(fewer)), "fewer", "-j", 2).all()
    assert len(other) == len(fewer)
    assert differences({place: alone[place] for place in other}, other) == []


def test_other_checkpoints(lab, alone):
    options = ("-j", 2, "-s", "train.checkpoint_seconds=1000")
    other = lab.run(lab.folder / "parts.toml", "no-checkpoints", *options).all()
    assert differences(alone, other) == []


def test_trackers_change_nothing(lab, alone):
    study = study_of({"base": ""}).replace("threads = 1", 'threads = 1, tracker_wait = "1s"')
    other = lab.run(lab.write("trackers.toml", TRACKERS + study), "trackers").all()
    assert differences({("base", 7): alone["base", 7]}, other) == []


def test_regression(lab):
    study = lab.write("regression.toml", REGRESSION)
    one = lab.run(study, "regression-1", "-j", 1).all()
    other = lab.run(study, "regression-2", "-j", 2, "-s", "data.workers=0").all()
    assert len(one) == 2 and differences(one, other) == []


def test_regressions(lab):
    study = lab.write("regressions.toml", REGRESSIONS)
    one = lab.run(study, "regressions-1", "-j", 1).all()
    other = lab.run(study, "regressions-2", "-j", 2, "-s", "data.workers=0").all()
    assert len(one) == 4 and differences(one, other) == []
    assert len({row["weights_sha256"] for row in one.values()}) == 4


def test_points(lab):
    study = lab.write("points.toml", POINTS)
    one = lab.run(study, "points-1", "-j", 1).all()
    other = lab.run(study, "points-2", "-j", 2, "-s", "data.workers=2").all()
    assert len(one) == 8 and differences(one, other) == []
    weights = {arm: row["weights_sha256"] for (arm, seed), row in one.items() if seed == 0}
    assert weights["plain"] == weights["tta"]
    assert len(set(weights.values())) == 3


@pytest.mark.parametrize("part", SWEEPS)
def test_sweeps_propose_the_same(lab, part):
    name = part.replace("/", "-")
    study = lab.write(f"{name}.toml", STUDY + BASE + "[sweep]\n" + SWEEPS[part])
    one = lab.run(study, f"{name}-1", "-j", 1).all()
    other = lab.run(study, f"{name}-2", "-j", 2, "-s", "data.workers=2").all()
    assert len(one) == 4 and differences(one, other) == []


@pytest.mark.parametrize("part", ADAPTIVE)
def test_searches_that_look_at_results_try_the_same(lab, part):
    name = part.replace("/", "-")
    study = lab.write(f"{name}.toml", STUDY + BASE + "[sweep]\n" + ADAPTIVE[part])
    one, two, four = (lab.run(study, f"{name}-{jobs}", "-j", jobs).all() for jobs in (1, 2, 4))
    assert len(one) >= 4 and differences(one, two) + differences(one, four) == []


def test_threads_are_part_of_the_trial(lab):
    study = lab.write("threads.toml", study_of({"base": ""}))
    runs = {
        (threads, jobs): lab.run(
            study,
            f"threads-{threads}-{jobs}",
            "-j",
            jobs,
            "-s",
            f"study.threads={threads}",
            "-s",
            "data.limit=32",
        )
        for threads in (1, 2)
        for jobs in (1, 2)
    }
    for threads in (1, 2):
        assert differences(runs[threads, 1].all(), runs[threads, 2].all()) == []
    assert not runs[1, 1].series.keys() & runs[2, 1].series.keys()
