# SPDX-License-Identifier: Apache-2.0
"""Where a module's source lies, and what else of the same folder it imports: read, not run."""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.metadata
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class NotFound(Exception):
    """There is no such module."""


@dataclass(frozen=True)
class Sources:
    root: Path  # the folder of the search path
    files: list[Path]  # the module's own first
    packages: list[str]  # imported from elsewhere, with their versions

    def sha256(self) -> str:
        """Of the files, their names below the root, the interpreter and the packages."""
        total = hashlib.sha256(repr((sys.version_info[:3], self.packages)).encode())
        for file in sorted(self.files):
            name = str(file.relative_to(self.root)).encode()
            content = file.read_bytes()
            total.update(b"%d %s %d\n" % (len(name), name, len(content)))
            total.update(content)
        return total.hexdigest()


def absolute(entries: list[str]) -> list[str]:
    """Without those that mean the current folder."""
    return [entry for entry in entries if Path(entry).is_absolute()]


def find(name: str, folders: list[str]) -> Sources:
    """Of module `name`, in these folders. Raises NotFound."""
    file, root = _locate(name, folders)
    if file is None:
        raise NotFound(f"module '{name}' in {root} is a folder without __init__.py")
    if {"site-packages", "dist-packages"} & set(root.parts) or _is_standard(name):
        return Sources(root, [file], _versions({name.partition(".")[0]}))
    known: dict[Path, None] = {}
    elsewhere: set[str] = set()
    todo = [(name, file), *_below(name, root)]
    while todo:
        module, file = todo.pop(0)
        if file in known:
            continue
        known[file] = None
        for imported in _imports(module, file) if file.suffix == ".py" else ():
            below = _below(imported, root)
            todo += below
            if not below:
                elsewhere.add(imported.partition(".")[0])
    return Sources(root, list(known), _versions(elsewhere))


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _versions(packages: set[str]) -> list[str]:
    """Those that say which they are; builds of one version ("+cpu", "+cu130") are one."""
    found = []
    for package in sorted(packages):
        try:
            version = importlib.metadata.version(package).partition("+")[0]
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
        found.append(f"{package} {version}")
    return found


def _packages(name: str) -> list[str]:
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def _locate(name: str, folders: list[str]) -> tuple[Path | None, Path]:
    """Its file (None: a folder without __init__.py, which is a package all the same) and the root."""
    root: Path | None = None
    places: list[str] = folders
    found: importlib.machinery.ModuleSpec | None = None
    words = name.split(".")
    for count in range(1, len(words) + 1):
        found = _spec(".".join(words[:count]), places)
        if found is None:
            raise NotFound(f"no module '{name}' in {', '.join(folders)}")
        if root is None:
            root = _root_of(found, folders)
        places = list(found.submodule_search_locations or [])
    assert found is not None and root is not None
    return Path(found.origin) if found.origin else None, root


def _spec(name: str, places: list[str]) -> importlib.machinery.ModuleSpec | None:
    """As PathFinder finds it, which asks for a parent that was imported where folders have no
    __init__.py: a module or package of the first place that has one, else all places' folders.
    """
    folders: list[str] = []
    for place in places:
        finder = pkgutil.get_importer(place)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            folders += spec.submodule_search_locations or []
    if not folders:
        return None
    package = importlib.machinery.ModuleSpec(name, None, is_package=True)
    package.submodule_search_locations = folders
    return package


def _root_of(spec: importlib.machinery.ModuleSpec, folders: list[str]) -> Path:
    place = Path(spec.origin) if spec.origin else Path(next(iter(spec.submodule_search_locations)))  # type: ignore[arg-type]
    for folder in folders:
        if place.is_relative_to(folder):
            return Path(folder)
    return place.parent


def _imports(module: str, file: Path) -> Iterator[str]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).strip(".")
            yield base
            for name in node.names:
                yield f"{base}.{name.name}"


def _below(name: str, root: Path) -> list[tuple[str, Path]]:
    """The files of a module and its packages, where they lie in this folder."""
    found = []
    for part in [*_packages(name), name]:
        try:
            file, _ = _locate(part, [str(root)])
        except (NotFound, ImportError, ValueError):
            break
        if file is not None:
            found.append((part, file))
    return found
