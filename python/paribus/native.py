# SPDX-License-Identifier: Apache-2.0
"""The kernel within this process, on the LibTorch of the `torch` that is imported here. Loaded when it is first needed."""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import ParibusError
from .program import program


@functools.cache
def load() -> ModuleType:
    """paribus._native. Raises ParibusError where there is none for this Python, or for another torch than this one."""
    folder = Path(program()).resolve().parent.parent / "lib" / "paribus" / "native"
    file = folder / f"_native{importlib.machinery.EXTENSION_SUFFIXES[0]}"
    if not file.is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ParibusError(
            f"there is no {file}: build Paribus in an environment of this Python, {version}, and with its headers (python3-dev)"
        )
    _check(importlib.import_module("torch"), json.loads((folder / "torch.json").read_text("utf-8")))
    return _loaded(file)


def _check(torch: Any, built: dict[str, str]) -> None:
    """Two LibTorches in a process would not know each other's tensors."""
    own = {"version": str(torch.__version__), "commit": torch.version.git_version}
    if own != built:
        raise ParibusError(
            f"torch is {own['version']} of commit {own['commit'][:10]}, this Paribus was built with {built['version']} of commit "
            f"{built['commit'][:10]}: one process can't hold both; use the environment that it was built in, or build it in this one"
        )


def _loaded(file: Path) -> ModuleType:
    name = f"{__package__}._native"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module
