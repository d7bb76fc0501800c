# SPDX-License-Identifier: Apache-2.0
"""A class for each part, made from its manifest: keyword parameters, defaults, documentation."""

from __future__ import annotations

import difflib
import inspect
import keyword
import os
from typing import Any

from .own import named
from .program import answer

_known: dict[str | None, dict[str, dict[str, type[Part]]]] = {}


class Part:
    """A part of a study and the parameters that were given. Parts with equal parameters are equal."""

    kind: str = ""
    use: str = ""

    def __init__(self, **parameters: Any):
        allowed = {_python(field["name"]): field["name"] for field in self._manifest["params"]}
        allowed |= {name: name for name in _BESIDE.get(self.kind, {})}
        self._given: dict[str, Any] = {}
        for name, value in parameters.items():
            if name not in allowed:
                raise TypeError(self._unknown(name, list(allowed)))
            self._given[allowed[name]] = value

    _manifest: dict[str, Any] = {"params": []}

    def _unknown(self, name: str, allowed: list[str]) -> str:
        near = difflib.get_close_matches(name, allowed, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; parameters: {', '.join(allowed)}"
        return f"{self.kind}/{self.use}: unknown parameter '{name}'{hint}"

    def config(self) -> dict[str, Any]:
        """What stands in the study's file: `use` and the parameters that were given."""
        return {"use": self.use} | {name: plain(value) for name, value in self._given.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and (self.kind, self.config()) == (
            other.kind,
            other.config(),
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.use))

    def __repr__(self) -> str:
        given = ", ".join(f"{_python(name)}={value!r}" for name, value in self._given.items())
        return f"{self.kind}.{type(self).__name__}({given})"


def plain(value: Any) -> Any:
    """Parts as tables, whatever holds them; all else as TOML has it."""
    if isinstance(value, Part):
        return value.config()
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, type) and issubclass(value, Part):
        return value.use
    if (own := named(value)) is not None:
        return plain(own)
    if hasattr(value, "item") and not isinstance(value, (int, float, str, bool)):
        return value.item()  # a scalar of NumPy
    return value


# Keys that may stand beside a part's own parameters.
_BESIDE: dict[str, dict[str, str]] = {
    "dataset": {
        "batch": "int",
        "valid_batch": "int",
        "workers": "int",
        "shuffle": "bool",
        "drop_last": "bool",
        "limit": "int",
        "valid_limit": "int",
        "folds": "int",
        "fold": "int",
        "transforms": "Sequence[Part | str]",
    },
    "transform": {"name": "str"},
    "metric": {"name": "str"},
    "callback": {"name": "str"},
    "tracker": {"name": "str"},
}


def _python(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def class_name(part: dict[str, Any]) -> str:
    """`one_cycle` is OneCycle; RAdam and AdamW have the case that their authors gave them."""
    camel = "".join(word.capitalize() for word in part["name"].split("_"))
    own = part["symbol"].removeprefix("paribus_part_")
    return own if own.lower() == camel.lower() else camel


def _described(part: dict[str, Any]) -> str:
    lines = [part["doc"].strip(), ""]
    for field in part["params"]:
        unit = f" [{field['unit']}]" if field.get("unit") else ""
        one_of = f"; one of {', '.join(field['choices'])}" if field.get("choices") else ""
        lines.append(
            f"{_python(field['name'])}: {field['type']} = {field.get('default')!r}{unit}: {field['doc']}{one_of}"
        )
    return "\n".join(lines)


def _made(part: dict[str, Any]) -> type[Part]:
    from .alone import BASES  # which stand on Part

    names = [(_python(field["name"]), field.get("default")) for field in part["params"]]
    names += [(name, None) for name in _BESIDE.get(part["kind"], {})]
    kind = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature(
        [inspect.Parameter(name, kind, default=default) for name, default in names]
    )
    return type(
        class_name(part),
        (BASES.get(part["kind"], Part),),
        {
            "__doc__": _described(part),
            "__module__": f"paribus.{part['kind']}",
            "__signature__": signature,
            "kind": part["kind"],
            "use": part["name"],
            "_manifest": part,
        },
    )


def catalog() -> dict[str, dict[str, type[Part]]]:
    """By kind, then name. Asked for once for each value of $PARIBUS_PLUGINS."""
    place = os.environ.get("PARIBUS_PLUGINS")
    if place not in _known:
        found: dict[str, dict[str, type[Part]]] = {}
        for part in answer("plugins", "--json")["parts"]:
            found.setdefault(part["kind"], {})[part["name"]] = _made(part)
        _known[place] = found
    return _known[place]


def refresh() -> None:
    """Plugins that came or changed meanwhile are seen."""
    _known.clear()


class Classes:
    """What a module of a kind offers: each part's class, found whatever its case is."""

    def __init__(self, kind: str):
        self.kind = kind

    def find(self, name: str) -> type[Part]:
        if name.startswith("__"):
            raise AttributeError(name)
        parts = catalog().get(self.kind, {})
        sought = name.replace("_", "").lower()
        for one in parts.values():
            if sought == one.use.replace("_", ""):
                return one
        near = difflib.get_close_matches(name, self.names(), n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(self.names())}"
        raise AttributeError(f"paribus.{self.kind} has no part '{name}'{hint}")

    def names(self) -> list[str]:
        return sorted(one.__name__ for one in catalog().get(self.kind, {}).values())
