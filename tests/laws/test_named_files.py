# SPDX-License-Identifier: Apache-2.0
"""A file that a part reads is part of a trial's id: other weights to begin with are another trial."""

import json

import pytest
from cases import DATA
from lab import Lab

STUDY = f"""\
metric = "accuracy"
optimizer = "sgd"
{DATA}
limit = 16
valid_limit = 16

[model]
use = "squeezenet1_1"
%s

[train]
epochs = 1
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("files"))


def trained(lab, name: str, file=None) -> str:
    given = f'pretrained = "{file}"' if file else ""
    results = lab.run(lab.write(f"{name}.toml", STUDY % given), name)
    (trial,) = results.all().values()
    return trial["id"]


def weights(lab, name: str, trial: str) -> bytes:
    return (lab.folder / "runs" / name / "checkpoints" / trial / "final.safetensors").read_bytes()


def test_the_content_counts_and_verify_tells(lab):
    scratch = trained(lab, "scratch")
    file = lab.folder / "body.safetensors"
    file.write_bytes(weights(lab, "scratch", scratch))
    first = trained(lab, "first", file)
    again = trained(lab, "again", file)
    assert first == again != scratch
    assert weights(lab, "first", first) == weights(lab, "again", again)

    file.write_bytes(weights(lab, "first", first))
    second = trained(lab, "second", file)
    assert second not in (first, scratch)
    done = lab.command("verify", lab.folder / "runs" / "first")
    assert "file of model.pretrained has changed" in done.stdout + done.stderr
    done = lab.command("verify", "--json", lab.folder / "runs" / "second")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
