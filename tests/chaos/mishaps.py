# SPDX-License-Identifier: Apache-2.0
"""What happens to a study: a list drawn from a seed, so that it can happen again."""

import random
from collections import Counter
from dataclasses import dataclass
from signal import SIGINT, SIGKILL, SIGTERM

SIGNALS = {"kill": SIGKILL, "term": SIGTERM, "int": SIGINT}

# How often each comes, and what it is.
KINDS = {
    "driver": (20, "the driver gets a signal"),
    "driver at start": (
        10,
        "the driver is killed while it starts and checks, soon after another kill",
    ),
    "driver in seal": (8, "the driver is killed while results.h5 is written"),
    "driver twice": (4, "the driver gets SIGINT twice at once"),
    "zygote": (12, "the worker gets a signal"),
    "trial": (16, "a trial gets a signal"),
    "tracker": (4, "a tracker gets a signal; a trial where there is none"),
    "pause": (10, "a process is stopped and goes on later"),
    "killed while paused": (4, "the driver is killed while another process is stopped"),
    "several": (8, "two or more processes are killed at once"),
    "disk full": (
        4,
        "the study's disk has no room for a while; a trial is killed where disks can't be made",
    ),
}


@dataclass(frozen=True)
class Mishap:
    number: int
    kind: str
    signal: str  # of SIGNALS
    role: str  # whose process is stopped
    is_late: bool  # only once trials run
    wait: float  # 0 to 1, of the longest wait since the last mishap
    hold: float  # 0 to 1, of the longest pause
    seed: str  # of whatever else has to be drawn

    def draw(self) -> random.Random:
        return random.Random(self.seed)


def plan(seed: int, kills: int) -> list[Mishap]:
    """Begins with one of each kind. Each is drawn on its own: a longer plan begins like a shorter one."""
    first = list(KINDS)
    random.Random(seed).shuffle(first)
    return [mishap(seed, number, first[number : number + 1]) for number in range(kills)]


def mishap(seed: int, number: int, kind: list[str]) -> Mishap:
    draw = random.Random(f"{seed} {number}")
    kind = (kind or draw.choices(list(KINDS), [weight for weight, _ in KINDS.values()]))[0]
    return Mishap(
        number + 1,
        kind,
        draw.choices(list(SIGNALS), [6, 2, 2])[0],
        draw.choice(["driver", "zygote", "trial", "trial"]),
        draw.random() < 0.7,
        draw.random(),
        draw.random(),
        f"{seed} {number} more",
    )


def counted(kinds: Counter) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
