# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind dataset.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class BoxFolder(Part):
    """pictures with boxes about what is in them, or a point to find

    dir: string = '': folder or tar archive
    size: int = 224 [px]: height and width that pictures are brought to
    height: int = None [px]: not given: size
    width: int = None [px]: not given: size
    fit: string = 'crop': crop: the largest part in the middle with these sides' ratio; squish: all of it, out of shape; one of crop, squish
    point_of: string = '': a class: the target is the middle of its box, of the pictures with one; empty: all boxes
    empty: string = 'refuse': boxes that end where they begin: refuse them, or leave them out; one of refuse, skip
    valid: float = 0.2: part of the pictures for validation, where there are no lists
    seed: int = 0: of that choice
    """

    def __init__(
        self,
        *,
        dir: str = ...,
        size: int = ...,
        height: int | None = ...,
        width: int | None = ...,
        fit: Literal["crop", "squish"] = ...,
        point_of: str = ...,
        empty: Literal["refuse", "skip"] = ...,
        valid: float = ...,
        seed: int = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class Cifar10(Part):
    """photographs of ten kinds of thing, 50,000 + 10,000 colour 32 x 32 (Krizhevsky 2009)

    dir: string = '': folder or tar archive of batches or images; empty: the public archive
    """

    def __init__(
        self,
        *,
        dir: str = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class Dots(Part):
    """coloured dots drawn by the program, to be found: points, or boxes

    target: string = 'points': what is to be found; one of points, boxes
    dots: int = 2: in an image; of boxes the most
    items: int = 2000: training items
    valid_items: int = 500: validation items
    height: int = 24 [px]: of the images
    width: int = 32 [px]: of the images
    noise: float = 0.1: standard deviation of each pixel's noise; white is 1
    seed: int = 0: of the set itself; the trial's seed doesn't change it
    """

    def __init__(
        self,
        *,
        target: Literal["points", "boxes"] = ...,
        dots: int = ...,
        items: int = ...,
        valid_items: int = ...,
        height: int = ...,
        width: int = ...,
        noise: float = ...,
        seed: int = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

DOTS = Dots

class FashionMnist(Part):
    """clothing, 60,000 + 10,000 grey 28 x 28 (Xiao et al. 2017)"""

    def __init__(
        self,
        *,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class Glyphs(Part):
    """digits drawn by the program: no file, 28 x 28 grey, hard enough to tell optimizers apart

    items: int = 10000: training items
    valid_items: int = 2000: validation items
    noise: float = 0.12: standard deviation of each pixel's noise; white is 1
    clutter: int = 3: most strokes per item that mean nothing
    distortion: float = 1.0: how far glyphs are bent and moved; 0: not at all
    seed: int = 0: of the set itself; the trial's seed doesn't change it
    """

    def __init__(
        self,
        *,
        items: int = ...,
        valid_items: int = ...,
        noise: float = ...,
        clutter: int = ...,
        distortion: float = ...,
        seed: int = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class ImageFolder(Part):
    """pictures in a folder for each class

    dir: string = '': folder or tar archive
    size: int = 224 [px]: height and width that pictures are brought to
    fit: string = 'crop': crop: the largest square in the middle; squish: all of it, out of shape; one of crop, squish
    valid: float = 0.2: part of each class for validation, where the folder has no splits
    seed: int = 0: of that choice
    """

    def __init__(
        self,
        *,
        dir: str = ...,
        size: int = ...,
        fit: Literal["crop", "squish"] = ...,
        valid: float = ...,
        seed: int = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class MaskFolder(Part):
    """pictures with the class of each of their pixels

    dir: string = '': folder or tar archive
    size: int = 224 [px]: height and width that pictures are brought to
    height: int = None [px]: not given: size
    width: int = None [px]: not given: size
    fit: string = 'crop': crop: the largest part in the middle with these sides' ratio; squish: all of it, out of shape; one of crop, squish
    classes: int = None: how many; not given: as codes.txt says, else one more than the greatest number
    void: list = []: numbers that are no class; all become the first of them, for the 'ignore' of losses and metrics
    list: string = 'valid.txt': file in dir that names the pictures held out, where it has no splits
    valid: float = 0.2: part of the pictures for validation, where there is no list either
    seed: int = 0: of that choice
    """

    def __init__(
        self,
        *,
        dir: str = ...,
        size: int = ...,
        height: int | None = ...,
        width: int | None = ...,
        fit: Literal["crop", "squish"] = ...,
        classes: int | None = ...,
        void: Sequence[int] = ...,
        list: str = ...,
        valid: float = ...,
        seed: int = ...,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...

class Mnist(Part):
    """handwritten digits, 60,000 + 10,000 grey 28 x 28 (LeCun et al. 1998)"""

    def __init__(
        self,
        *,
        batch: int = ...,
        valid_batch: int = ...,
        workers: int = ...,
        shuffle: bool = ...,
        drop_last: bool = ...,
        limit: int = ...,
        valid_limit: int = ...,
        folds: int = ...,
        fold: int = ...,
        transforms: Sequence[Part | str] = ...,
    ) -> None: ...
