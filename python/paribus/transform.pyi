# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind transform.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class Affine(Part):
    """turned, scaled, sheared, moved and seen from aside, in one interpolation

    rotate: float = 10.0 [degree]: the greatest angle; 0: none
    zoom_min: float = 1.0: the least factor
    zoom_max: float = 1.1: the greatest factor
    shear: float = 0.0 [degree]: the greatest angle by which rows lean; 0: none
    shift: float = 0.0: the greatest part of the side; 0: none
    warp: float = 0.2: how far aside it is seen from; 0: not
    p: float = 0.75: probability that an item is changed
    mode: string = 'reflect': what lies outside the image; one of reflect, border, zero
    """

    def __init__(
        self,
        *,
        rotate: float = ...,
        zoom_min: float = ...,
        zoom_max: float = ...,
        shear: float = ...,
        shift: float = ...,
        warp: float = ...,
        p: float = ...,
        mode: Literal["reflect", "border", "zero"] = ...,
        name: str = ...,
    ) -> None: ...

class Brightness(Part):
    """makes items darker or brighter at random

    max: float = 0.2: how far the factor is from 1; 0: not at all
    p: float = 0.75: probability that an item is changed
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

class Contrast(Part):
    """makes items flatter or starker at random

    max: float = 0.2: how far the factor is from 1; 0: not at all
    p: float = 0.75: probability that an item is changed
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

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

class Dihedral(Part):
    """turns by right angles and mirrors items at random

    p: float = 1.0: probability that a position is drawn for an item
    """

    def __init__(
        self,
        *,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

class Erase(Part):
    """covers a rectangle of items at random (random erasing)

    p: float = 0.5: probability that an item is covered
    area_min: float = 0.02: the least part of the image
    area_max: float = 0.3: the greatest part of the image
    aspect: float = 0.3: height by width is from this to one divided by it, evenly by logarithm
    fill: string = 'noise': what covers it; one of noise, mean
    """

    def __init__(
        self,
        *,
        p: float = ...,
        area_min: float = ...,
        area_max: float = ...,
        aspect: float = ...,
        fill: Literal["noise", "mean"] = ...,
        name: str = ...,
    ) -> None: ...

class Flip(Part):
    """mirrors items left to right at random

    p: float = 0.5: probability that an item is mirrored
    alternate: bool = False: only the first epoch draws, and epochs take turns; p = 0 still mirrors nothing
    """

    def __init__(
        self,
        *,
        p: float = ...,
        alternate: bool = ...,
        name: str = ...,
    ) -> None: ...

FLIP = Flip

class Hue(Part):
    """turns the colours of items at random

    max: float = 0.1: the greatest part of the circle; 0: none
    p: float = 0.75: probability that an item is changed
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

HUE = Hue

class Noise(Part):
    """adds normal noise to items

    sd: float = 0.1: in standard deviations of the data; 0: none
    p: float = 1.0: probability that an item gets noise
    """

    def __init__(
        self,
        *,
        sd: float = ...,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

class Normalize(Part):
    """(x - mean) / std of each channel, as float32

    mean: list = []: of each channel, or one for all, in the data's units (bytes: 0 to 255); empty: what the data state
    std: list = []: of each channel, or one for all; empty: what the data state
    """

    def __init__(
        self,
        *,
        mean: Sequence[float] = ...,
        std: Sequence[float] = ...,
        name: str = ...,
    ) -> None: ...

class RandAugment(Part):
    """some operations of one magnitude, drawn for each item (Cubuk 2020)

    n: int = 2: operations for each item; 0: none
    magnitude: int = 9: of all; 30: shear 0.3, shift 45 % of a side, 30 degrees, colours by 0.9
    only: string = '': one operation, to see what it does; empty: all
    mode: string = 'reflect': what lies outside the image; one of reflect, border, zero
    """

    def __init__(
        self,
        *,
        n: int = ...,
        magnitude: int = ...,
        only: str = ...,
        mode: Literal["reflect", "border", "zero"] = ...,
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

class Rotate(Part):
    """turns items about their middle at random

    max: float = 10.0 [degree]: the greatest angle; 0: none
    p: float = 0.75: probability that an item is turned
    mode: string = 'reflect': what lies outside the image; one of reflect, border, zero
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        mode: Literal["reflect", "border", "zero"] = ...,
        name: str = ...,
    ) -> None: ...

class Saturation(Part):
    """makes colours of items paler or stronger at random

    max: float = 0.2: how far the factor is from 1; 0: not at all
    p: float = 0.75: probability that an item is changed
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        name: str = ...,
    ) -> None: ...

class Warp(Part):
    """shows items as if seen from aside (perspective)

    max: float = 0.2: how far aside; 0: not
    p: float = 0.75: probability that an item is warped
    mode: string = 'reflect': what lies outside the image; one of reflect, border, zero
    """

    def __init__(
        self,
        *,
        max: float = ...,
        p: float = ...,
        mode: Literal["reflect", "border", "zero"] = ...,
        name: str = ...,
    ) -> None: ...

WARP = Warp

class Zoom(Part):
    """scales items by a random factor about a random place

    min: float = 1.0: the least factor; below 1 things get smaller
    max: float = 1.1: the greatest factor
    p: float = 0.75: probability that an item is scaled
    mode: string = 'reflect': what lies outside the image; one of reflect, border, zero
    """

    def __init__(
        self,
        *,
        min: float = ...,
        max: float = ...,
        p: float = ...,
        mode: Literal["reflect", "border", "zero"] = ...,
        name: str = ...,
    ) -> None: ...

ZOOM = Zoom
