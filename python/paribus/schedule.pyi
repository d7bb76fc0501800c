# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind schedule.
from collections.abc import Sequence
from typing import Literal

from .alone import SchedulePart
from .parts import Part

class Constant(SchedulePart):
    """the configured value, times a factor

    factor: float = 1.0: times the configured value
    """

    def __init__(
        self,
        *,
        factor: float = ...,
    ) -> None: ...

class Cosine(SchedulePart):
    """half a cosine down from the configured value, after a flat start if wanted

    to: float = 0.0: factor of the configured value that it ends at
    begin: float = 0.0: share of training before the descent
    """

    def __init__(
        self,
        *,
        to: float = ...,
        begin: float = ...,
    ) -> None: ...

class Exponential(SchedulePart):
    """the same factor for each epoch, or to a given end

    end: float = 0.01: factor of the configured value at the end
    gamma: float = None: factor per epoch; given, it takes the place of end
    staircase: bool = False: change between epochs only
    """

    def __init__(
        self,
        *,
        end: float = ...,
        gamma: float | None = ...,
        staircase: bool = ...,
    ) -> None: ...

class FineTune(SchedulePart):
    """a cycle for the head, then one for all (fastai's fine_tune)

    max: float = None: peak of the first cycle; not given: the configured value
    freeze_epochs: int = 1 [epoch]: length of the first cycle
    later: float = 0.5: peak of the second cycle over that of the first
    rise_frozen: float = 0.99: share of the first cycle up to its peak
    rise: float = 0.3: share of the second cycle up to its peak
    div_frozen: float = 25.0: peak over first value of the first cycle
    div: float = 5.0: peak over first value of the second cycle
    div_end: float = 100000.0: peak over last value of both
    """

    def __init__(
        self,
        *,
        max: float | None = ...,
        freeze_epochs: int = ...,
        later: float = ...,
        rise_frozen: float = ...,
        rise: float = ...,
        div_frozen: float = ...,
        div: float = ...,
        div_end: float = ...,
    ) -> None: ...

class Linear(SchedulePart):
    """a straight line between two factors or values

    from_: float = 1.0: where the line starts
    to: float = 0.0: where it ends
    begin: float = 0.0: share of training before the line starts
    until: float = 1.0: share of training at which it ends
    values: bool = False: from and to are values, not factors of the configured one
    """

    def __init__(
        self,
        *,
        from_: float = ...,
        to: float = ...,
        begin: float = ...,
        until: float = ...,
        values: bool = ...,
    ) -> None: ...

class OneCycle(SchedulePart):
    """up, then down to almost nothing (Smith and Topin 2018), as fastai or PyTorch count it

    max: float = None: value at the peak; not given: the configured value
    start: float = None: first value; not given: max / div_start
    end: float = None: last value; not given: max / div_end (fastai), start / div_end (pytorch)
    div_start: float = 25.0: peak over first value
    div_end: float = None: how far it falls; not given: 1e5 (fastai), 1e4 (pytorch)
    rise: float = None: share of training up to the peak; not given: 0.25 (fastai), 0.3 (pytorch)
    shape: string = 'cosine': of both legs; one of cosine, linear
    convention: string = 'fastai': whose defaults and counting; one of fastai, pytorch
    """

    def __init__(
        self,
        *,
        max: float | None = ...,
        start: float | None = ...,
        end: float | None = ...,
        div_start: float = ...,
        div_end: float | None = ...,
        rise: float | None = ...,
        shape: Literal["cosine", "linear"] = ...,
        convention: Literal["fastai", "pytorch"] = ...,
    ) -> None: ...

class Pieces(SchedulePart):
    """one value after another, each from its epoch on

    at: list = [] [epoch]: epochs from which the second and later values hold
    values: list = []: the values, one more than epochs
    """

    def __init__(
        self,
        *,
        at: Sequence[float] = ...,
        values: Sequence[float] = ...,
    ) -> None: ...

class Step(SchedulePart):
    """drops by a factor every so many epochs, or after given epochs

    every: float = 0.0 [epoch]: epochs from drop to drop; 0: by the milestones
    milestones: list = [] [epoch]: epochs after which it drops
    gamma: float = 0.1: factor of each drop
    """

    def __init__(
        self,
        *,
        every: float = ...,
        milestones: Sequence[float] = ...,
        gamma: float = ...,
    ) -> None: ...

STEP = Step

class Warmup(SchedulePart):
    """a straight line up, then another schedule

    then: part = 'constant': what comes after
    fraction: float = 0.05: share of training that it takes
    epochs: float = None [epoch]: epochs that it takes; given, they take fraction's place
    from_: float = 0.01: first factor
    """

    def __init__(
        self,
        *,
        then: Part | str = ...,
        fraction: float = ...,
        epochs: float | None = ...,
        from_: float = ...,
    ) -> None: ...
