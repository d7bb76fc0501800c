# SPDX-License-Identifier: Apache-2.0
"""States of Python parts as bytes, and back without running code that the bytes name."""

from __future__ import annotations

import importlib
import inspect
import io
import pickle
import re
import sys
from typing import Any

torch: Any = importlib.import_module("torch")


def saved(state: Any) -> bytes:
    """Raises TypeError, told to whom it concerns, where it can't be."""
    bytes_of = io.BytesIO()
    try:
        torch.save(state, bytes_of)
    except Exception as problem:
        raise TypeError(
            f"its state can't be saved with a checkpoint: {problem}; keep what can't be pickled out "
            "of `self`, or say with state() and load_state() what a resumed training needs"
        ) from problem
    return bytes_of.getvalue()


def loaded(saved: bytes) -> Any:
    """Runs no code that a checkpoint names: tensors, arrays and what Python has built in, else an error."""
    numpy = sys.modules.get("numpy")
    arrays: list[Any] = []
    if numpy is not None:
        inner = importlib.import_module("numpy._core.multiarray")
        arrays = [inner._reconstruct, inner.scalar, numpy.ndarray, numpy.dtype]
        arrays += [each for each in vars(numpy.dtypes).values() if inspect.isclass(each)]
    with torch.serialization.safe_globals(arrays):
        return torch.load(io.BytesIO(saved), weights_only=True)


def prove(saved: bytes) -> None:
    """That it will load again: better told at the first checkpoint than after the last."""
    try:
        loaded(saved)
    except pickle.UnpicklingError as problem:
        named = re.search(r"GLOBAL (\S+)", str(problem))
        what = f"a {named[1]}" if named else "something"
        raise TypeError(
            f"its state holds {what}, which no checkpoint may: keep to tensors, arrays, numbers, text "
            "and lists, tuples and dicts of them, or say with state() and load_state() what a resumed "
            "training needs"
        ) from problem
