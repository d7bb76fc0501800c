# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind loss.
from collections.abc import Sequence

from .alone import LossPart

class Bce(LossPart):
    """binary cross-entropy of each class for itself, with label smoothing

    smoothing: float = 0.0: how far targets move to a half
    pos_weight: list = []: of the items that are of a class, one for each class or one for all; empty: 1
    """

    def __init__(
        self,
        *,
        smoothing: float = ...,
        pos_weight: Sequence[float] = ...,
    ) -> None: ...

BCE = Bce

class CrossEntropy(LossPart):
    """softmax cross-entropy of class numbers or probabilities, with label smoothing

    smoothing: float = 0.0: share of the target spread over all classes
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        smoothing: float = ...,
        ignore: int | None = ...,
    ) -> None: ...

class Dice(LossPart):
    """how little the scored and the true places of each class overlap

    smooth: float = 1e-06: added above and below, for classes that aren't there
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        smooth: float = ...,
        ignore: int | None = ...,
    ) -> None: ...

DICE = Dice

class Focal(LossPart):
    """cross-entropy that looks away from what is right already

    gamma: float = 2.0: how little; 0: cross-entropy
    alpha: float = None: weight of what is of a class, under sigmoid; not given: all weigh 1
    sigmoid: bool = False: each class for itself
    """

    def __init__(
        self,
        *,
        gamma: float = ...,
        alpha: float | None = ...,
        sigmoid: bool = ...,
    ) -> None: ...

class Huber(LossPart):
    """squared for small errors, absolute for large ones (smooth L1)

    delta: float = 1.0: error from which on it grows linearly; 1: smooth L1
    """

    def __init__(
        self,
        *,
        delta: float = ...,
    ) -> None: ...

class L1(LossPart):
    """mean absolute error"""

    def __init__(
        self,
    ) -> None: ...

L1 = L1

class Mse(LossPart):
    """mean squared error"""

    def __init__(
        self,
    ) -> None: ...

MSE = Mse
