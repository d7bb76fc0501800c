# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind metric.

from .parts import Part

class Accuracy(Part):
    """share of the items whose class is scored highest"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

class Loss(Part):
    """mean loss over the items of a split"""

    def __init__(
        self,
        *,
        name: str = ...,
    ) -> None: ...

LOSS = Loss

class TopK(Part):
    """share of the items whose class is among the k scored highest

    k: int = 5: how many guesses the model has
    """

    def __init__(
        self,
        *,
        k: int = ...,
        name: str = ...,
    ) -> None: ...
