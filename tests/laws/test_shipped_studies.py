# SPDX-License-Identifier: Apache-2.0
"""Law 4, for ourselves: every study that ships passes its check."""

from pathlib import Path

import pytest
from lab import Lab, shipped
from sets import pass_for_verified, write_mnist

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
STUDIES = sorted(EXPERIMENTS.glob("*/*.toml"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("shipped"))
    parts = shipped(lab)
    for name, folder in (("mnist", "mnist"), ("fashion_mnist", "fashion-mnist")):
        files = write_mnist(lab.folder / "data" / folder)
        pass_for_verified(
            lab.folder / "cache/paribus/verified.txt", parts[f"dataset/{name}"], files
        )
    return lab


@pytest.mark.parametrize(
    "study", STUDIES, ids=[str(path.relative_to(EXPERIMENTS)) for path in STUDIES]
)
def test_shipped_study_is_fine(lab, study):
    lab.answer("check", study, "-s", "data.batch=16")  # the sets here are small


def test_every_optimizer_is_tuned(lab):
    names = {part.split("/")[1] for part in shipped(lab) if part.startswith("optimizer/")}
    tuned = {path.stem for path in EXPERIMENTS.glob("optimizers/*.toml")}
    # these have studies of other questions
    assert names - tuned == {"sgd", "adam", "lookahead"}
