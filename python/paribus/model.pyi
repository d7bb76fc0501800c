# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind model.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class ConvNet(Part):
    """convolutions of stride 2 with batch norm

    channels: list = [8, 16, 32, 64]: output channels of each convolution
    kernel: int = 3: height and width of the kernels
    first_kernel: int = None: of the first one; not given: as the others
    norm: bool = True: batch norm after each convolution but the last
    act: string = 'relu': activation; leaky has slope 0.1, general is leaky less 0.4 (miniai); one of relu, leaky, general, gelu, silu
    init: string = 'kaiming': of the convolutions; default is LibTorch's; one of kaiming, default
    """

    def __init__(
        self,
        *,
        channels: Sequence[int] = ...,
        kernel: int = ...,
        first_kernel: int | None = ...,
        norm: bool = ...,
        act: Literal["relu", "leaky", "general", "gelu", "silu"] = ...,
        init: Literal["kaiming", "default"] = ...,
    ) -> None: ...

class Mlp(Part):
    """fully connected layers

    hidden: list = [64]: width of each hidden layer
    act: string = 'relu': activation; one of relu, gelu, silu, tanh
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = ...,
        act: Literal["relu", "gelu", "silu", "tanh"] = ...,
    ) -> None: ...

MLP = Mlp

class ResNet9(Part):
    """Page's nine-layer residual network for CIFAR-10

    width: int = 64: channels of the first convolution
    logit_scale: float = 0.125: factor of the scores
    """

    def __init__(
        self,
        *,
        width: int = ...,
        logit_scale: float = ...,
    ) -> None: ...
