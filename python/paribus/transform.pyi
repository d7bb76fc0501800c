# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind transform.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class Crop(Part):
    """a window at a random place of the padded image

    padding: int = 4 [px]: added on each side
    size: int = 0 [px]: side of the window; 0: as large as the image
    mode: string = 'zero': what the padding holds; one of zero, reflect
    """

    def __init__(
        self,
        *,
        padding: int = ...,
        size: int = ...,
        mode: Literal["zero", "reflect"] = ...,
        name: str = ...,
    ) -> None: ...

CROP = Crop

class Cutout(Part):
    """covers a square at a random place (DeVries and Taylor 2017)

    size: int = 8 [px]: side of the square; 0: none
    p: float = 1.0: probability that an item is covered
    fill: float = None: its value in the units of the data; not given: their mean
    """

    def __init__(
        self,
        *,
        size: int = ...,
        p: float = ...,
        fill: float | None = ...,
        name: str = ...,
    ) -> None: ...

class Flip(Part):
    """mirrors items left to right at random

    p: float = 0.5: probability that an item is mirrored
    """

    def __init__(
        self,
        *,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

FLIP = Flip

class Normalize(Part):
    """(x - mean) / std of each channel, as float32

    mean: list = []: of each channel, or one for all; empty: what the data state
    std: list = []: of each channel, or one for all; empty: what the data state
    """

    def __init__(
        self,
        *,
        mean: Sequence[float] = ...,
        std: Sequence[float] = ...,
        name: str = ...,
    ) -> None: ...

class Resize(Part):
    """scales images to a size that a schedule may drive

    size: int = 0 [px]: the shorter side; 0: as it is
    mode: string = 'area': how pixels are made of pixels; one of area, bilinear
    """

    def __init__(
        self,
        *,
        size: int = ...,
        mode: Literal["area", "bilinear"] = ...,
        name: str = ...,
    ) -> None: ...
