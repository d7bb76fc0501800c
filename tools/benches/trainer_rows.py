# SPDX-License-Identifier: Apache-2.0
"""The row `trainer`: what a trainer adds to the steps of a network that is written in Python."""

import sys

from rivals import rivals_python
from rows import HERE, ROOT, one_thread, over, take_turns
from side import Side

REQUIREMENTS = HERE / "requirements-trainers.txt"
STEPS = 600
OURS = {
    "Paribus": "paribus",
    "Paribus, torch's optimizer": "paribus_torch",
}
RIVALS = {
    "Ignite": "ignite",
    "Lightning, no logger, bar or checkpoints": "lightning",
    "fastai, no Recorder or bar": "fastai",
}


def trainer(setting):
    """784-64-10 MLP as a torch.nn.Module, batch 64, one thread: CPU time of a step under each trainer, over a plain loop's"""
    ours = {"PYTHONPATH": str(ROOT / "python")}
    ours["PARIBUS_PROGRAM"] = str(setting.build / "bin" / "paribus")
    theirs = rivals_python(REQUIREMENTS, beside_ours=True)
    script = HERE / "trainer_side.py"
    with (
        Side(sys.executable, script, "raw", *OURS.values(), env=one_thread() | ours) as own,
        Side(theirs, script, *RIVALS.values(), env=one_thread()) as others,
    ):
        sides = {"raw": own} | dict.fromkeys(OURS.values(), own)
        sides |= dict.fromkeys(RIVALS.values(), others)
        for name, side in sides.items():
            side.run(name, 50)  # it imports, and warms up
        got = take_turns(
            setting.turns(9), *(lambda s=s, n=n: s.run(n, STEPS) for n, s in sides.items())
        )
    raw, turns = got[0], dict(zip(list(sides)[1:], got[1:], strict=True))
    figures = []
    for title, name in (OURS | RIVALS).items():
        figure = over(title, [one["cpu"] for one in turns[name]], [one["cpu"] for one in raw])
        figure.bar = 1.03 if name == "paribus" else None
        figure.equal = {one["weights"] for one in turns[name]} == {raw[0]["weights"]}
        figures.append(figure)
    return figures


ROWS = {"trainer": trainer}
