# SPDX-License-Identifier: Apache-2.0
"""Recording what the machine and the trials use changes no id, no weight and no number."""

import h5py
import pytest
from lab import Lab, differences

STUDY = """\
model = "mlp"
data = { use = "glyphs", limit = 500, valid_limit = 100, transforms = ["normalize"] }
train = { epochs = 4 }
study = { seeds = 2, threads = 1, SYSTEM }
callback = [{ use = "ema", decay = 0.9 }, { use = "mixup", alpha = 0.4 }]
[arms]
slow = {}
fast = { optimizer.lr = 0.2 }
"""
MEASURED = {"system", "environments", "trials"}  # times are in them; of trials only `seconds`


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("system"))


def run(lab, name: str, setting: str):
    study = lab.write(f"{name}.toml", STUDY.replace("SYSTEM", setting))
    return lab.run(study, name, "-j", 2)


def sealed(lab, name: str) -> dict:
    """Every number of results.h5, but for what is measured of the machine."""
    found = {}
    with h5py.File(lab.folder / "runs" / name / "results.h5") as file:

        def take(place, thing):
            if isinstance(thing, h5py.Dataset) and place.split("/")[0] not in MEASURED:
                found[place] = thing[()].tobytes() if thing.shape else thing[()]

        file.visititems(take)
        trials = file["trials"][:]
    for column in trials.dtype.names:
        if column != "seconds":
            found[f"trials {column}"] = trials[column].tobytes()
    return found


def test_with_and_without(lab):
    without = run(lab, "study", "system = 0").all()
    numbers = sealed(lab, "study")
    (lab.folder / "runs" / "study").rename(lab.folder / "runs" / "without")
    with_it = run(lab, "study", "system = 1").all()
    assert (lab.folder / "runs" / "study" / "journal" / "system.log").exists()
    assert len(without) == 4 and differences(without, with_it) == []
    assert differences(numbers, sealed(lab, "study")) == []
