# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import paribus

PACKAGE = Path(__file__).resolve().parents[2] / "python"


def small(epochs: int = 1, items: int = 300, **tables) -> paribus.Study:
    """A study of two arms and two seeds that takes a moment."""
    data = paribus.dataset.Glyphs(
        items=items, valid_items=64, transforms=[paribus.transform.Normalize()]
    )
    usual = {
        "data": data,
        "model": paribus.model.Mlp(hidden=[16]),
        "train": {"epochs": epochs},
        "study": {"question": "Momentum?", "seeds": 2, "threads": 1},
        "arms": {"plain": {}, "momentum": {"optimizer.momentum": 0.9}},
    }
    return paribus.Study(name="small", **(usual | tables))
