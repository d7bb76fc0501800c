# SPDX-License-Identifier: Apache-2.0
"""Law 3: a part that stands in a study, switched off, changes no bit of any number."""

import pytest
import sets
from cases import BASE, CASES, arm_name, missing_or_stale
from lab import Lab, differences, shipped

# What a trial may differ in when a part stands in it: its name, and what only the part adds.
NAMES = {"arm", "id", "message"}

ALL_OFF = """\
optimizer = { use = "lookahead", alpha = 1.0, inner = { use = "sam", rho = 0.0, \
inner = { use = "ranger", alpha = 1.0, centralize = false, inner = "@base" } } }, \
"schedule.optimizer.lr" = { use = "warmup", from = 1.0 }, \
"schedule.optimizer.momentum" = "constant", \
"schedule.callback.mixup.alpha" = { use = "linear", from = 0.0, to = 0.0 }, \
"schedule.data.transforms.cutout.size" = { use = "cosine", to = 1.0 }, \
"data.transforms.cutout" = { use = "cutout", size = 0 }, \
"data.transforms.idle" = { use = "flip", name = "idle", p = 0.0 }, \
"metric.top_k" = "top_k", \
"callback.ema" = { use = "ema", decay = 0.0 }, \
"callback.mixup" = { use = "mixup", alpha = 0.0 }, \
"callback.early_stop" = { use = "early_stop", patience = 1000 }, \
"callback.checkpoint" = { use = "checkpoint", every = 1 }"""


def arms() -> dict[str, str]:
    found = {"base": "", "all-off": ALL_OFF}
    for part, case in CASES.items():
        if case.against:
            found[arm_name(part, "against")] = case.against
        found |= {arm_name(part, number): arm for number, arm in enumerate(case.off)}
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("law3")
    sets.write_cifar10(folder / "cifar10")
    return Lab(folder)


@pytest.fixture(scope="module")
def results(lab):
    lines = "".join(f"{name} = {{ {arm} }}\n" for name, arm in arms().items())
    settings = 'study = { metric = "valid.loss", seeds = [0, 3], threads = 1 }\n'
    return lab.run(lab.write("off.toml", settings + BASE + "[arms]\n" + lines), "off")


def common(one: dict, other: dict) -> tuple[dict, dict]:
    """The entries that both have: all numbers of the one without the part have to be among them."""
    names = one.keys() & other.keys() - NAMES
    assert one.keys() - names - NAMES == set(), "the part takes something away"
    assert {"weights_sha256", "series train.batch_loss", "series valid.loss", "steps"} <= names
    return {name: one[name] for name in names}, {name: other[name] for name in names}


def test_every_part_has_a_case(lab):
    assert missing_or_stale(shipped(lab).keys()) == []


@pytest.mark.parametrize("part", [part for part, case in CASES.items() if case.off])
def test_off_is_nothing(results, part):
    case = CASES[part]
    for seed in (0, 3):
        without = results.trial(arm_name(part, "against") if case.against else "base", seed)
        for number, text in enumerate(case.off):
            row = results.trial(arm_name(part, number), seed)
            assert part in results.parts[row["id"]], text
            assert differences(*common(without, row)) == [], text


def test_all_off_together(results):
    for seed in (0, 3):
        row = results.trial("all-off", seed)
        assert (
            len(results.parts[row["id"]] - results.parts[results.trial("base", seed)["id"]]) >= 11
        )
        assert differences(*common(results.trial("base", seed), row)) == []


def test_the_baselines_differ(results):
    """Else everything would equal everything."""
    against = {name for name in arms() if name == "base" or name.endswith("against")}
    weights = {results.trial(arm, seed)["weights_sha256"] for arm in against for seed in (0, 3)}
    assert len(weights) == 2 * len(against)
