# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind model.
from collections.abc import Sequence
from typing import Literal

from .alone import ModelPart

class Airbench(ModelPart):
    """Jordan's network for CIFAR-10 (2024), whitened at its entrance

    widths: list = [64, 256, 256]: channels of the groups: half width is 32, 128, 128
    whiten: bool = True: the first filters whiten the patches of the first batch; else they are as others at first, and trained
    identity: bool = True: convolutions begin with handing their input on
    logit_scale: float = 0.1111111111111111: factor of the scores
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = ...,
        whiten: bool = ...,
        identity: bool = ...,
        logit_scale: float = ...,
    ) -> None: ...

class ConvNet(ModelPart):
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

class Mlp(ModelPart):
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

class ResNet18(ModelPart):
    """residual network of 18 layers (He et al. 2015)

    width: int = 64: channels of the first stage; each next has twice
    inner: float = 1.0: how much wider bottlenecks are inside; 2 makes resnet50 wide_resnet50_2
    stem: string = 'imagenet': imagenet: 7 x 7 of stride 2 and pooling; cifar: 3 x 3 alone, for small images; one of imagenet, cifar
    drop_path: float = 0.0: probability that the last block is left out in training, growing evenly from 0 (stochastic depth)
    zero_last: bool = False: blocks begin as identities: their last batch norm's factor is 0
    pretrained: string = '': safetensors file with torchvision's names to begin with; empty: none
    """

    def __init__(
        self,
        *,
        width: int = ...,
        inner: float = ...,
        stem: Literal["imagenet", "cifar"] = ...,
        drop_path: float = ...,
        zero_last: bool = ...,
        pretrained: str = ...,
    ) -> None: ...

class ResNet34(ModelPart):
    """residual network of 34 layers (He et al. 2015)

    width: int = 64: channels of the first stage; each next has twice
    inner: float = 1.0: how much wider bottlenecks are inside; 2 makes resnet50 wide_resnet50_2
    stem: string = 'imagenet': imagenet: 7 x 7 of stride 2 and pooling; cifar: 3 x 3 alone, for small images; one of imagenet, cifar
    drop_path: float = 0.0: probability that the last block is left out in training, growing evenly from 0 (stochastic depth)
    zero_last: bool = False: blocks begin as identities: their last batch norm's factor is 0
    pretrained: string = '': safetensors file with torchvision's names to begin with; empty: none
    """

    def __init__(
        self,
        *,
        width: int = ...,
        inner: float = ...,
        stem: Literal["imagenet", "cifar"] = ...,
        drop_path: float = ...,
        zero_last: bool = ...,
        pretrained: str = ...,
    ) -> None: ...

class ResNet50(ModelPart):
    """residual network of 50 layers (He et al. 2015)

    width: int = 64: channels of the first stage; each next has twice
    inner: float = 1.0: how much wider bottlenecks are inside; 2 makes resnet50 wide_resnet50_2
    stem: string = 'imagenet': imagenet: 7 x 7 of stride 2 and pooling; cifar: 3 x 3 alone, for small images; one of imagenet, cifar
    drop_path: float = 0.0: probability that the last block is left out in training, growing evenly from 0 (stochastic depth)
    zero_last: bool = False: blocks begin as identities: their last batch norm's factor is 0
    pretrained: string = '': safetensors file with torchvision's names to begin with; empty: none
    """

    def __init__(
        self,
        *,
        width: int = ...,
        inner: float = ...,
        stem: Literal["imagenet", "cifar"] = ...,
        drop_path: float = ...,
        zero_last: bool = ...,
        pretrained: str = ...,
    ) -> None: ...

class ResNet9(ModelPart):
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

class Squeezenet11(ModelPart):
    """small network of squeezed convolutions (Iandola 2016)

    dropout: float = 0.5: before the last convolution
    pretrained: string = '': safetensors file with torchvision's names to begin with; empty: none
    """

    def __init__(
        self,
        *,
        dropout: float = ...,
        pretrained: str = ...,
    ) -> None: ...

class TorchScript(ModelPart):
    """a network saved by torch.jit

    file: string = '': what torch.jit.save wrote
    """

    def __init__(
        self,
        *,
        file: str = ...,
    ) -> None: ...

class UNet(ModelPart):
    """the class of each pixel, by what is around it (Ronneberger 2015)

    width: int = 64: channels at the image's own size; each next has twice
    depth: int = 4: how often the image is halved
    """

    def __init__(
        self,
        *,
        width: int = ...,
        depth: int = ...,
    ) -> None: ...

UNET = UNet
