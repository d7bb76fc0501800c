# SPDX-License-Identifier: Apache-2.0
"""Many studies in one process leave nothing behind."""

import gc
import os
from pathlib import Path

import paribus
import pytest

STUDIES = 1000
WARM = 100  # after so many all that is kept once is there
SLACK = 4 << 20  # bytes that the allocator may keep of any size of block
TABLES = {
    "data": paribus.dataset.Glyphs(items=64, valid_items=16, batch=32, transforms=["normalize"]),
    "model": paribus.model.Mlp(hidden=[8]),
    "optimizer": paribus.optimizer.AdamW(),
    "train": {"epochs": 1},
    "study": {"seeds": [0], "threads": 1},
}


FAILS = """\
import paribus

class Fails(paribus.part.Callback):
    \"Raises.\"

    def after_batch(self, fit):
        raise RuntimeError("as told")
"""


def one(i: int, fails) -> None:
    match i % 4:
        case 0:
            paribus.Trainer(**TABLES).fit()
        case 1:
            for event in paribus.Trainer(**TABLES).events("after_batch"):
                event.fit.record("mine", event.fit.loss.item())
        case 2:
            for event in paribus.Trainer(**TABLES):
                if event.fit.step == 1:
                    break
        case 3:
            with pytest.raises(paribus.ParibusError, match="as told"):
                paribus.Trainer(**TABLES, callback=[fails()]).fit()


def left() -> dict[str, int]:
    gc.collect()
    return {
        "objects": len(gc.get_objects()),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_thousand_studies_leave_nothing(place, monkeypatch):
    (place / "fails.py").write_text(FAILS)
    monkeypatch.syspath_prepend(place)
    import fails

    for i in range(WARM):
        one(i, fails.Fails)
    before, memory = left(), resident()
    for i in range(WARM, STUDIES):
        one(i, fails.Fails)
    after = left()
    assert after["objects"] - before["objects"] < STUDIES / 10  # other tests' leavings come and go
    assert (after["files"], after["threads"]) == (before["files"], before["threads"])
    assert resident() - memory < SLACK
