# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind metric.
from typing import Literal

from .alone import MetricPart

class Accuracy(MetricPart):
    """share of the items whose class is scored highest"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

class Auroc(MetricPart):
    """area under the ROC curve: how well scores put items of a class first"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

class CalibrationError(MetricPart):
    """how far confidence is from the share that is right (expected calibration error)

    bins: int = 15: of confidence, of equal width
    """

    def __init__(
        self,
        *,
        bins: int = ...,
        name: str = ...,
    ) -> None: ...

class Dice(MetricPart):
    """overlap of the guessed and the true places of each class

    average: string = 'macro': macro: every class counts the same; micro: every item does; one of macro, micro
    of_class: int = None: of this class alone
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        average: Literal["macro", "micro"] = ...,
        of_class: int | None = ...,
        ignore: int | None = ...,
        name: str = ...,
    ) -> None: ...

DICE = Dice

class Distance(MetricPart):
    """mean distance of points from where they should be, in pixels"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

class F1(MetricPart):
    """harmonic mean of precision and recall

    average: string = 'macro': macro: every class counts the same; micro: every item does; one of macro, micro
    of_class: int = None: of this class alone
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        average: Literal["macro", "micro"] = ...,
        of_class: int | None = ...,
        ignore: int | None = ...,
        name: str = ...,
    ) -> None: ...

F1 = F1

class Iou(MetricPart):
    """intersection over union of each class

    average: string = 'macro': macro: every class counts the same; micro: every item does; one of macro, micro
    of_class: int = None: of this class alone
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        average: Literal["macro", "micro"] = ...,
        of_class: int | None = ...,
        ignore: int | None = ...,
        name: str = ...,
    ) -> None: ...

IOU = Iou

class Loss(MetricPart):
    """mean loss over the items of a split"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

LOSS = Loss

class Mae(MetricPart):
    """mean absolute error, in the target's unit"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

MAE = Mae

class Pck(MetricPart):
    """share of points that are found, within a part of the image's side

    within: float = 0.05: the greatest distance, as a part of the longer side
    """

    def __init__(
        self,
        *,
        within: float = ...,
        name: str = ...,
    ) -> None: ...

PCK = Pck

class Precision(MetricPart):
    """share of the guesses of a class that are right

    average: string = 'macro': macro: every class counts the same; micro: every item does; one of macro, micro
    of_class: int = None: of this class alone
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        average: Literal["macro", "micro"] = ...,
        of_class: int | None = ...,
        ignore: int | None = ...,
        name: str = ...,
    ) -> None: ...

class R2(MetricPart):
    """share of the target's variance that is explained"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

R2 = R2

class Recall(MetricPart):
    """share of the items of a class that are found (balanced accuracy)

    average: string = 'macro': macro: every class counts the same; micro: every item does; one of macro, micro
    of_class: int = None: of this class alone
    ignore: int = None: the class number whose places don't count
    """

    def __init__(
        self,
        *,
        average: Literal["macro", "micro"] = ...,
        of_class: int | None = ...,
        ignore: int | None = ...,
        name: str = ...,
    ) -> None: ...

class Rmse(MetricPart):
    """root mean squared error, in the target's unit"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

RMSE = Rmse

class TopK(MetricPart):
    """share of the items whose class is among the k scored highest

    k: int = 5: how many guesses the model has
    """

    def __init__(
        self,
        *,
        k: int = ...,
        name: str = ...,
    ) -> None: ...
