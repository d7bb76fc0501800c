# SPDX-License-Identifier: Apache-2.0
"""Texts of studies."""


def study(
    arms: str, *, seeds: int = 1, epochs: int = 2, more: str = "", own: str = "", data: str = ""
) -> str:
    data = data or 'use = "glyphs"\nitems = 300\nvalid_items = 64\ntransforms = ["normalize"]'
    return f"""\
{more}
[data]
{data}

[model]
use = "mlp"
hidden = [16]

[train]
epochs = {epochs}
checkpoint_seconds = 0
device = "cpu"
precision = "fp32"

[study]
seeds = {seeds}
threads = 1
{own}

[arms]
{arms}
"""
