# SPDX-License-Identifier: Apache-2.0
"""How a case is written, and pieces of arms that many have."""

from dataclasses import dataclass, field


@dataclass
class Case:
    on: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    against: str = ""
    never_off: str = ""
    elsewhere: str = ""  # where `on` is, if it needs a study of its own

    def __post_init__(self):
        assert bool(self.on) != bool(self.elsewhere), "either arms or a study of its own"
        assert bool(self.off) != bool(self.never_off), "either off or a reason"


def transforms(*parts: str) -> str:
    return f"data = {{ transforms = [{', '.join(parts)}] }}"


def rate(part: str) -> str:
    return f'"schedule.optimizer.lr" = {part}'


def momentum(part: str) -> str:
    return f'"schedule.optimizer.momentum" = {part}'


def callback(name: str, parameters: str) -> str:
    return f'"callback.{name}" = {{ use = "{name}", {parameters} }}'


CROP = '{ use = "crop", padding = 2 }'


def metric(name: str, parameters: str) -> str:
    return f'"metric.{name}" = {{ use = "{name}"{", " if parameters else ""}{parameters} }}'


def idle(transform: str) -> str:
    """It stands before the others, where pictures are bytes."""
    return transforms(transform, CROP, '"flip"', '"normalize"')


def coloured(*parts: str) -> str:
    """For what needs colours."""
    parts = ", ".join((*parts, '"normalize"'))
    return f'data = {{ use = "cifar10", dir = "cifar10", transforms = [{parts}] }}'


def places(target: str, *parts: str) -> str:
    """For what needs points or boxes."""
    parts = ", ".join((*parts, '"normalize"'))
    return (
        f'data = {{ use = "dots", target = "{target}", items = 60, valid_items = 20, transforms = [{parts}] }}, '
        'loss = "mse", metric = ["mae"]'
    )


def pixels(model: str, *parts: str) -> str:
    """For what needs the class of each pixel: masks with void ones."""
    parts = ", ".join((*parts, '"normalize"'))
    return (
        f'data = {{ use = "mask_folder", dir = "masks", size = 19, void = [255], transforms = [{parts}] }}, '
        f'model = {{ use = "unet", width = 2, {model} }}, '
        'loss = { use = "cross_entropy", ignore = 255 }, metric = [{ use = "iou", ignore = 255 }]'
    )
