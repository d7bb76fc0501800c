# SPDX-License-Identifier: Apache-2.0
"""A data set in Python as tensors, and what stands before them in the file that trials map (bridge/dataset.cpp)."""

from __future__ import annotations

import importlib
import json
from typing import Any

torch: Any = importlib.import_module("torch")

_CHUNK = 1 << 22  # values of which moments are taken at once


def of(part: Any) -> tuple[str, list[Any]]:
    """What stands in the file that trials map, and its tensors: input and target of each split."""
    found = [*_stacked(part.train(), "train"), *_stacked(part.valid(), "valid")]
    types = getattr(part, "types", None) or [
        _type(found[0], True),
        _type(found[1], False),
    ]
    classes = getattr(part, "classes", None)
    if classes is None:
        is_category = types[1] == "category"
        classes = int(max(found[1].max(), found[3].max())) + 1 if is_category else 0
    mean, std = _moments(found[0], types[0])
    head: dict[str, Any] = {
        "types": list(types),
        "classes": int(classes),
        "mean": mean,
        "std": std,
    }
    return _with_places(head, found), found


def _with_places(head: dict[str, Any], columns: list[Any]) -> str:
    """As JSON, filled up with blanks to where it says that the first column begins."""
    size = 8192  # bytes before the first column: the length of the head, and the head
    while len(text := json.dumps(head | {"columns": _places(columns, size)})) > size - 8:
        size *= 2
    return text.ljust(size - 8)


def _places(columns: list[Any], at: int) -> list[dict[str, Any]]:
    places = []
    for column in columns:
        at = (at + 63) // 64 * 64
        dtype = str(column.dtype).removeprefix("torch.")
        places.append({"shape": list(column.shape), "dtype": dtype, "offset": at})
        at += column.numel() * column.element_size()
    return places


def _stacked(items: Any, split: str) -> tuple[Any, Any]:
    """A pair of arrays, or a sequence of pairs (or of tables with two columns)."""
    is_pair = isinstance(items, tuple) and len(items) == 2 and hasattr(items[0], "shape")
    if is_pair:
        inputs, targets = items
    else:
        pairs = [items[i] for i in range(len(items))]
        pairs = [tuple(each.values()) if isinstance(each, dict) else each for each in pairs]
        wrong = next((each for each in pairs if len(each) != 2), None)
        if not pairs or wrong is not None:
            raise TypeError(
                f"{split}() gives {'no items' if not pairs else repr(wrong)[:60]}, expected pairs of "
                "input and target"
            )
        inputs = torch.stack([_tensor(each[0]) for each in pairs])
        targets = torch.stack([_tensor(each[1]) for each in pairs])
    inputs, targets = _tensor(inputs), _tensor(targets)
    if len(inputs) != len(targets):
        raise ValueError(f"{split}() gives {len(inputs)} inputs and {len(targets)} targets")
    return inputs, targets


def _tensor(value: Any) -> Any:
    if hasattr(value, "convert") and hasattr(value, "getbands"):  # an image of PIL
        value = importlib.import_module("numpy").asarray(value)
        value = value[None] if value.ndim == 2 else value.transpose(2, 0, 1).copy()
    tensor = torch.as_tensor(value)
    if tensor.dtype == torch.uint8 or tensor.dtype == torch.int64:
        return tensor.contiguous()
    if tensor.is_floating_point():
        return tensor.to(torch.float32).contiguous()
    return tensor.to(torch.int64).contiguous()


def _type(column: Any, is_input: bool) -> str:
    if is_input:
        return "image" if column.dim() == 4 and column.shape[1] in (1, 3) else "tensor"
    return "category" if column.dim() == 1 and column.dtype == torch.int64 else "regression"


def _moments(column: Any, kind: str) -> tuple[list[float], list[float]]:
    if kind != "image":
        return [], []
    # As doubles, all at once would take many times their room.
    parts = column.split(max(1, _CHUNK // max(1, column.shape[1:].numel())))
    values = column.numel() // column.shape[1]
    mean = sum(part.double().sum((0, 2, 3)) for part in parts) / values
    apart = sum(((part.double() - mean[:, None, None]) ** 2).sum((0, 2, 3)) for part in parts)
    return mean.tolist(), (apart / values).sqrt().tolist()
