# SPDX-License-Identifier: Apache-2.0
"""Law 4, for ourselves: every study that ships passes its check."""

from pathlib import Path

import pytest
from lab import Lab, shipped
from sets import (
    pass_for_verified,
    write_boxes,
    write_cifar10_archive,
    write_masks,
    write_mnist,
    write_pictures,
)

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
STUDIES = sorted(EXPERIMENTS.glob("*/*.toml"))
BODY = """\
data = { use = "image_folder", dir = "hymenoptera_data", size = 20, limit = 8, valid_limit = 8 }
model = "squeezenet1_1"
train = { epochs = 1 }
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("shipped"))
    parts = shipped(lab)
    for name, folder in (("mnist", "mnist"), ("fashion_mnist", "fashion-mnist")):
        files = write_mnist(lab.folder / "data" / folder)
        pass_for_verified(
            lab.folder / "cache/paribus/verified.txt", parts[f"dataset/{name}"], files
        )
    files = write_cifar10_archive(lab.folder / "data/cifar10/cifar-10-binary.tar.gz")
    pass_for_verified(lab.folder / "cache/paribus/verified.txt", parts["dataset/cifar10"], files)
    write_pictures(lab.folder / "hymenoptera_data")
    write_masks(lab.folder / "CamVid", void=11)
    write_boxes(lab.folder / "bccd.tar.gz", "WBC")  # a folder does as well
    trained = lab.run(lab.write("body.toml", BODY), "body")
    (trial,) = trained.all().values()
    body = lab.folder / "runs" / "body" / "checkpoints" / trial["id"] / "final.safetensors"
    body.rename(lab.folder / "squeezenet1_1-imagenet.safetensors")
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
