# SPDX-License-Identifier: Apache-2.0
"""python -m paribus.stubs FOLDER: type stubs for the parts at hand, so that an editor completes those of your own plugins.

Those of the parts that ship lie in this package."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .alone import BASES
from .parts import _BESIDE, Part, _described, _python, catalog, class_name

_TYPES = {"bool": "bool", "int": "int", "float": "float", "string": "str"}


def _type(field: dict[str, Any]) -> str:
    if field["type"] == "part":
        return "Part | str"
    if field.get("choices"):
        return f"Literal[{', '.join(repr(choice) for choice in field['choices'])}]"
    if field["type"] == "list":
        return f"Sequence[{_TYPES[field['of']]}]"
    return _TYPES[field["type"]]


def _class(part: dict[str, Any]) -> str:
    entries = [
        f"        {_python(field['name'])}: {_type(field)}{' | None' if field.get('optional') else ''} = ...,"
        for field in part["params"]
    ]
    entries += [
        f"        {name}: {kind} = ...," for name, kind in _BESIDE.get(part["kind"], {}).items()
    ]
    doc = _described(part).strip().replace("\\", "\\\\").replace('"""', "'''")
    doc = doc.replace("\n", "\n    ").replace("\n    \n", "\n\n")
    end = "\n    " if "\n" in doc else ""
    stars = ["        *,"] if entries else []
    parameters = "\n".join(["        self,", *stars, *entries])
    base = BASES.get(part["kind"], Part).__name__
    text = f'class {class_name(part)}({base}):\n    """{doc}{end}"""\n\n    def __init__(\n{parameters}\n    ) -> None: ...\n'
    short = part["name"].upper()
    return text + (f"\n{short} = {class_name(part)}\n" if len(short) <= 4 else "")


def stub(kind: str, parts: Iterable[dict[str, Any]]) -> str:
    """The text of KIND.pyi."""
    classes = "\n".join(map(_class, parts))
    heads = [f"# SPDX-License-Identifier: Apache-2.0\n# Made from the manifests of kind {kind}.\n"]
    if "Sequence[" in classes:
        heads.append("from collections.abc import Sequence\n")
    if "Literal[" in classes:
        heads.append("from typing import Literal\n")
    needed = [f"from .alone import {BASES[kind].__name__}\n"] if kind in BASES and classes else []
    needed += ["from .parts import Part\n"] if "Part |" in classes or "(Part)" in classes else []
    heads += ["\n", *needed, "\n"] if needed else []
    return "".join(heads) + classes


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind, classes in catalog().items():
        (folder / f"{kind}.pyi").write_text(
            stub(kind, [one._manifest for one in classes.values()]), encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
