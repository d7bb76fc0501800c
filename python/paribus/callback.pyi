# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind callback.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class Centralize(Part):
    """takes their mean from gradients (Yong et al. 2020)

    dims: int = 2: of the weights it is for; 4: of convolutions alone
    """

    def __init__(
        self,
        *,
        dims: int = ...,
        name: str = ...,
    ) -> None: ...

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

class Cutmix(Part):
    """puts a piece of another image into each (Yun et al. 2019)

    alpha: float = 1.0: of the Beta distribution; 0: off, 1: uniform
    per: string = 'batch': what has a rectangle of its own; one of batch, item
    """

    def __init__(
        self,
        *,
        alpha: float = ...,
        per: Literal["batch", "item"] = ...,
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

class GradCam(Part):
    """records where in an image the model looks (Selvaraju 2017)

    items: int = 8: how many
    of: string = 'taken': whose score is looked at: the class taken, or the true one; one of taken, true
    choose: string = 'worst': items of the greatest loss, or the split's first; one of worst, first
    every: int = 1 [epoch]: from one to the next
    """

    def __init__(
        self,
        *,
        items: int = ...,
        of: Literal["taken", "true"] = ...,
        choose: Literal["worst", "first"] = ...,
        every: int = ...,
        name: str = ...,
    ) -> None: ...

class Histograms(Part):
    """records how weights and gradients are spread

    every: int = 1 [epoch]: from one to the next
    bins: int = 64: of equal width, from the least number to the greatest
    weights: bool = True: of weights, at the end of the epoch
    grads: bool = True: of their gradients, at the epoch's last update
    """

    def __init__(
        self,
        *,
        every: int = ...,
        bins: int = ...,
        weights: bool = ...,
        grads: bool = ...,
        name: str = ...,
    ) -> None: ...

class Interpret(Part):
    """records confusion, metrics of classes, calibration and the worst items

    worst: int = 8: how many items of the greatest loss
    bins: int = 10: of confidence, of equal width
    every: int = 1 [epoch]: from one to the next
    """

    def __init__(
        self,
        *,
        worst: int = ...,
        bins: int = ...,
        every: int = ...,
        name: str = ...,
    ) -> None: ...

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

class Pictures(Part):
    """records pictures of what the model makes of some items

    items: int = 8: the most: they are the first of the split's last batch
    every: int = 1 [epoch]: from one to the next
    """

    def __init__(
        self,
        *,
        items: int = ...,
        every: int = ...,
        name: str = ...,
    ) -> None: ...

class Rates(Part):
    """rates that grow from body to head, and apart for biases and norms

    lowest: float = 1.0: factor of the first layer group's rate
    layers: list = []: factor of each layer group's rate, the head's last; empty: as `lowest` says
    bias: float = 1.0: factor of the rate of biases
    norm_bias_decay: float = 1.0: factor of the weight decay of biases and norms
    """

    def __init__(
        self,
        *,
        lowest: float = ...,
        layers: Sequence[float] = ...,
        bias: float = ...,
        norm_bias_decay: float = ...,
        name: str = ...,
    ) -> None: ...

class Swa(Part):
    """validates on the mean of the weights at the ends of the last epochs

    start: float = 0.75: part of training before the first; 1: never
    every: int = 1 [epoch]: from one to the next
    average_buffers: bool = True: average running statistics, too
    """

    def __init__(
        self,
        *,
        start: float = ...,
        every: int = ...,
        average_buffers: bool = ...,
        name: str = ...,
    ) -> None: ...

SWA = Swa

class Tta(Part):
    """validates on the mean over several views of each image

    flip: bool = True: the mirror image, too
    shift: int = 0 [px]: how far images are moved; 0: not
    """

    def __init__(
        self,
        *,
        flip: bool = ...,
        shift: int = ...,
        name: str = ...,
    ) -> None: ...

TTA = Tta

class Unfreeze(Part):
    """the head first, then layer by layer (Howard and Ruder 2018)

    at: list = [1] [epoch]: epochs, counted from 0, each before the next
    norms: bool = True: batch norm is trained in frozen layers, too
    """

    def __init__(
        self,
        *,
        at: Sequence[int] = ...,
        norms: bool = ...,
        name: str = ...,
    ) -> None: ...
