# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind callback.
from typing import Literal

from .parts import Part

class Checkpoint(Part):
    """keeps the weights of the best and of every n-th epoch

    best: bool = True: keep the weights of the best validation
    metric: string = 'valid.loss': what is best by
    goal: string = 'auto': auto: minimize if the name ends in loss, else maximize; one of auto, minimize, maximize
    every: int = 0 [epoch]: keep those of every n-th epoch, too; 0: no
    """

    def __init__(
        self,
        *,
        best: bool = ...,
        metric: str = ...,
        goal: Literal["auto", "minimize", "maximize"] = ...,
        every: int = ...,
        name: str = ...,
    ) -> None: ...

class EarlyStop(Part):
    """stops when a metric improves no more

    metric: string = 'valid.loss': what has to improve
    goal: string = 'auto': auto: minimize if the name ends in loss, else maximize; one of auto, minimize, maximize
    patience: int = 3: validations without improvement
    min_delta: float = 0.0: less than this is no improvement
    """

    def __init__(
        self,
        *,
        metric: str = ...,
        goal: Literal["auto", "minimize", "maximize"] = ...,
        patience: int = ...,
        min_delta: float = ...,
        name: str = ...,
    ) -> None: ...

class Ema(Part):
    """validates on a moving average of the weights

    decay: float = 0.999: share of the average that stays at each step
    warmup: bool = True: forget faster at first
    average_buffers: bool = True: average running statistics, too
    """

    def __init__(
        self,
        *,
        decay: float = ...,
        warmup: bool = ...,
        average_buffers: bool = ...,
        name: str = ...,
    ) -> None: ...

EMA = Ema

class Mixup(Part):
    """trains on mixtures of two items (Zhang et al. 2018)

    alpha: float = 0.4: of the Beta distribution; 0: off, 1: uniform
    per: string = 'item': what has a share of its own; one of item, batch
    """

    def __init__(
        self,
        *,
        alpha: float = ...,
        per: Literal["item", "batch"] = ...,
        name: str = ...,
    ) -> None: ...
