# SPDX-License-Identifier: Apache-2.0
"""Classes and objects of a user's own, given to a study where a part is wanted."""

from __future__ import annotations

import functools
import inspect
import sys
from pathlib import Path
from typing import Any

from . import part
from .errors import ParibusError


def named(thing: Any) -> Any:
    """What stands in the study's file for it; None if it is no part.

    A class or function; an object of a subclass of paribus.part.Part, with its parameters; or
    functools.partial(Class, hidden=32), since an object of another class can't say what it was made of.
    """
    if isinstance(thing, functools.partial):
        if thing.args:
            raise ParibusError(f"{thing.func.__name__}: give its parameters by their names")
        return {"use": _use(thing.func), **thing.keywords}
    if isinstance(thing, part.Part):
        given = {
            name: getattr(thing, name)
            for name, field in thing.fields.items()
            if getattr(thing, name) != field.default
        }
        return {"use": _use(type(thing)), **given}
    if inspect.isclass(thing) or inspect.isfunction(thing):
        return _use(thing)
    return None


def _use(thing: Any) -> str:
    module, name = thing.__module__, thing.__qualname__
    if module == "__main__" or not name.isidentifier():
        raise ParibusError(
            f"{name} is defined in {module}: put it at the top of a module of its own, which trials can import"
        )
    return f"python:{_public(module, name, thing)}:{name}"


def _public(module: str, name: str, thing: Any) -> str:
    """torch.optim rather than torch.optim.sgd: what the file of a study would say."""
    parents = module.split(".")
    if parents[0] != "torch":
        return module
    for depth in range(2, len(parents)):
        shorter = ".".join(parents[:depth])
        if getattr(sys.modules.get(shorter), name, None) is thing:
            return shorter
    return module


def folders(config: Any) -> list[str]:
    """Of the modules that a study's parts come from and this interpreter has imported."""
    found: dict[str, None] = {}
    for use in _uses(config):
        module = use.split(":")[1]
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or {"site-packages", "dist-packages"} & set(Path(file).parts):
            continue
        depth = module.count(".") + (Path(file).name == "__init__.py")
        found[str(Path(file).resolve().parents[depth])] = None
    return list(found)


def _uses(config: Any) -> list[str]:
    if isinstance(config, str):
        return [config] if config.startswith("python:") and config.count(":") == 2 else []
    if isinstance(config, dict):
        return [use for value in config.values() for use in _uses(value)]
    if isinstance(config, list):
        return [use for value in config for use in _uses(value)]
    return []
