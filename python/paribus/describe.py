# SPDX-License-Identifier: Apache-2.0
"""`python -m paribus.describe`: what a study needs to know of parts written in Python.

One JSON request a line on stdin, one reply a line on stdout; what user code prints goes to stderr.

    {"op": "locate", "name": "module:Name"}                      -> root, files: nothing is run
    {"op": "describe", "kind": "callback", "name": "module:Name"} -> manifest, sha256, path
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import os
import sys
import traceback
import types
import typing
from pathlib import Path
from typing import Any

from . import part as parts
from . import sources
from .near import suggestion

_OWNED = {"model": ("data",), "optimizer": ("params",)}  # arguments that the trainer gives
_LIVE = ("optimizer",)  # kinds of which every real number may change during training
_TYPES = {bool: "bool", int: "int", float: "float", str: "string"}


class Unfit(Exception):
    """A class that can't be a part, and why."""


def split(name: str) -> tuple[str, str]:
    module, _, attribute = name.partition(":")
    words = [*module.split("."), attribute]
    if not all(word.isidentifier() for word in words):
        raise Unfit(f"'python:{name}' isn't of the form python:module:Name")
    return module, attribute


def load(name: str) -> Any:
    """The class or function itself; runs the module."""
    module, attribute = split(name)
    loaded = importlib.import_module(module)
    if not hasattr(loaded, attribute):
        known = [each for each in vars(loaded) if not each.startswith("_")]
        raise Unfit(
            f"module {module} ({loaded.__file__}) has no '{attribute}'{suggestion(attribute, known)}"
        )
    return getattr(loaded, attribute)


def _origin(thing: Any) -> list[type]:
    """Base classes of known packages, without importing them."""
    return [base for base in inspect.getmro(thing)] if inspect.isclass(thing) else []


def _is_a(thing: Any, name: str) -> bool:
    return any(f"{base.__module__}.{base.__qualname__}" == name for base in _origin(thing))


def is_module(thing: Any) -> bool:
    return _is_a(thing, "torch.nn.modules.module.Module")


def is_optimizer(thing: Any) -> bool:
    return _is_a(thing, "torch.optim.optimizer.Optimizer")


_ASKED = {
    "callback": "a subclass of paribus.part.Callback",
    "model": "a subclass of torch.nn.Module",
    "loss": "a subclass of torch.nn.Module or paribus.part.Loss, or a function of output and target",
    "metric": "a subclass of paribus.part.Metric",
    "optimizer": "a subclass of torch.optim.Optimizer",
    "schedule": "a subclass of paribus.part.Schedule, or a function of progress",
    "transform": "a subclass of paribus.part.Transform, or a function of the input",
    "dataset": "a subclass of paribus.part.Dataset",
    "search": "a subclass of paribus.part.Search",
}


def fits(kind: str, thing: Any) -> bool:
    if inspect.isclass(thing) and issubclass(thing, parts.Part):
        return thing.kind == kind
    if kind == "model":
        return is_module(thing)
    if kind == "optimizer":
        return is_optimizer(thing)
    if kind == "loss":
        return is_module(thing) or inspect.isfunction(thing)
    return kind in ("schedule", "transform") and inspect.isfunction(thing)


def _number(value: float) -> Any:
    return value if math.isfinite(value) else str(value).replace("+", "")


def _plain(annotation: Any) -> tuple[Any, bool]:
    """Without `None` and what a parameter can't hold besides; whether None was there."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    options = typing.get_args(annotation)
    known = [each for each in options if each in _TYPES or typing.get_origin(each) is not None]
    return (known[0] if known else annotation), type(None) in options


def _typed(annotation: Any, default: Any) -> dict[str, Any] | None:
    """The schema's `type`, `of`, `optional`, `choices`, `default`; nothing if it can hold no such thing."""
    annotation, optional = _plain(annotation)
    of, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if of is typing.Literal and all(isinstance(each, str) for each in arguments):
        found: dict[str, Any] = {"type": "string", "choices": list(arguments)}
    elif annotation in _TYPES and (default is None or _suits(annotation, default)):
        found = {"type": _TYPES[annotation]}
    elif of in (list, tuple) and arguments and _plain(arguments[0])[0] in (int, float, str):
        found = {"type": "list", "of": _TYPES[_plain(arguments[0])[0]]}
    elif type(default) in _TYPES:
        found = {"type": _TYPES[type(default)]}
    elif isinstance(default, (list, tuple)) and default:
        kinds = {type(each) for each in default}
        of_all = next((kind for kind in (str, float, int) if kind in kinds), None)
        if of_all is None or not kinds <= {int, float, of_all}:
            return None
        found = {"type": "list", "of": _TYPES[of_all]}
    else:
        return None
    if optional or default is None:
        found["optional"] = True
    return found | {"default": _value(found, default)}


def _suits(annotation: Any, default: Any) -> bool:
    return type(default) is annotation or (annotation is float and type(default) is int)


def _value(found: dict[str, Any], default: Any) -> Any:
    if default is None:
        return None
    if found["type"] == "float":
        return _number(float(default))
    if found["type"] == "list":
        return [_number(float(x)) if found["of"] == "float" else x for x in default]
    return default


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name == name.lower() and name[0] != "_"


def _of_fields(cls: type[parts.Part]) -> list[dict[str, Any]]:
    hints = typing.get_type_hints(cls)
    params = []
    for name, field in cls.fields.items():
        typed = _typed(hints.get(name), field.default)
        if typed is None or not _is_name(name):
            raise Unfit(
                f"its parameter '{name}' is annotated as {hints.get(name)} with default "
                f"{field.default!r}; a parameter is a bool, int, float, str or a list of them, with a "
                "name in lower case"
            )
        more = {key: getattr(field, key) for key in ("min", "above", "max", "below", "unit")}
        params.append(
            {"name": name, "doc": field.doc, **typed}
            | {key: value for key, value in more.items() if value not in (None, "")}
            | ({"choices": list(field.choices)} if field.choices else {})
            | ({"live": True} if field.live else {})
        )
    return params


def _of_signature(kind: str, thing: Any) -> list[dict[str, Any]]:
    """Of a class as its author wrote it: keywords that a study can't give are left at their defaults."""
    params = []
    given = inspect.signature(thing, eval_str=True).parameters
    first = 0 if inspect.isclass(thing) else {"loss": 2}.get(kind, 1)
    for name, each in list(given.items())[first:]:
        if name in _OWNED.get(kind, ()) or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        needed = each.default is each.empty
        typed = _typed(each.annotation, None if needed else each.default)
        if typed is None or not _is_name(name) or each.kind is each.POSITIONAL_ONLY:
            if needed:
                raise Unfit(
                    f"its argument '{name}' has no default, and isn't annotated as a bool, int, float, "
                    "str or a list of them; wrap it in a class of your own that gives it"
                )
            continue
        live = kind in _LIVE and typed["type"] == "float"
        doc = "must be given" if needed else f"keyword of {thing.__qualname__}"
        params.append({"name": name, "doc": doc, **typed} | ({"live": True} if live else {}))
    return params


def manifest(kind: str, name: str, thing: Any) -> dict[str, Any]:
    if kind not in _ASKED:
        raise Unfit(f"parts of kind {kind} can't be written in Python")
    if not fits(kind, thing):
        what = f"of kind {thing.kind}" if _is_part(thing) else f"{type(thing).__name__} {name}"
        raise Unfit(f"python:{name} is {what}, expected {_ASKED[kind]}")
    doc = inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].replace("\n", " ") or name
    doc = "".join(c for c in doc if c.isprintable())[:400]
    params = _of_fields(thing) if _is_part(thing) else _of_signature(kind, thing)
    found: dict[str, Any] = {"kind": kind, "doc": doc, "params": params}
    for key in {"callback": ("reads", "writes"), "metric": ("goal", "unit")}.get(kind, ()):
        value = getattr(thing, key)
        found[key] = list(value) if isinstance(value, (list, tuple)) else value
    return found | ({"adaptive": True} if kind == "search" else {})


def _is_part(thing: Any) -> bool:
    return inspect.isclass(thing) and issubclass(thing, parts.Part)


def frames(problem: BaseException, most: int = 6) -> str:
    """Where it happened, innermost first, in the user's own files as far as there are any."""
    own = str(Path(__file__).parent)
    all_of_them = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if not frame.filename.startswith((own, "<frozen"))
    ]
    if isinstance(problem, SyntaxError) and problem.filename:
        return f"{problem.filename}:{problem.lineno}"
    return " < ".join(
        f"{frame.filename}:{frame.lineno} in {frame.name}"
        for frame in list(reversed(all_of_them))[:most]
    )


def told(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    where = frames(problem)
    return f"{type(problem).__name__}: {text}" + (f" ({where})" if where else "")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    name = request["name"]
    try:
        module, _ = split(name)
        found = sources.find(module, sources.absolute(sys.path))
        if request["op"] == "locate":
            return {
                "ok": True,
                "root": str(found.root),
                "files": [str(each) for each in found.files],
            }
        thing = load(name)
        return {
            "ok": True,
            "manifest": manifest(request["kind"], name, thing),
            "file": str(found.files[0]),
            "training_only": getattr(thing, "training_only", False) is True,
            "sha256": found.sha256(),
            "path": sources.absolute(sys.path),
        }
    except (Unfit, sources.NotFound) as problem:
        return {"ok": False, "message": str(problem)}
    except SystemExit as problem:
        return {
            "ok": False,
            "message": f"module {name} called exit({problem.code}) when it was read",
        }
    except BaseException as problem:
        traceback.print_exc()
        return {"ok": False, "message": told(problem)}


def main(folders: list[str]) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:0] = folders
    for line in sys.stdin:
        replies.write(json.dumps(answer(json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
