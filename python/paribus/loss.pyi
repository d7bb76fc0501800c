# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind loss.

from .parts import Part

class CrossEntropy(Part):
    """softmax cross-entropy of class numbers or probabilities, with label smoothing

    smoothing: float = 0.0: share of the target spread over all classes
    """

    def __init__(
        self,
        *,
        smoothing: float = ...,
    ) -> None: ...

class Mse(Part):
    """mean squared error"""

    def __init__(
        self,
    ) -> None: ...

MSE = Mse
