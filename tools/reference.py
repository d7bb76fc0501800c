#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference, a page for each kind of part, and the stubs of python/paribus, from the manifests that
`paribus plugins --json` reads.

tools/reference.py            write them
tools/reference.py --check    say which are stale, and end with status 1
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
PACKAGE = ROOT / "python" / "paribus"
RUFF = ROOT / ".venv" / "bin" / "ruff"
sys.path.insert(0, str(PACKAGE.parent))
from paribus.stubs import stub  # noqa: E402

KINDS = {
    "dataset": "Where examples come from: `[data] use`.",
    "transform": "What happens to a batch between data set and model: `data.transforms`, in order.",
    "model": "A function with weights: `[model]`.",
    "loss": "What training makes small: `[loss]`.",
    "metric": "A number over a whole split, recorded as `valid.NAME`: `[[metric]]`.",
    "optimizer": "Changes weights by their gradients: `[optimizer]`.",
    "schedule": 'Drives a live parameter during training: `[schedule] "address" = part`.',
    "callback": "Takes part in training at its events: `[[callback]]` ([callbacks.md](../callbacks.md)).",
    "tracker": "Watches a study from outside its trials: `[[tracker]]`.",
    "search": "Which points of a sweep to try: `[sweep] search`.",
}


def parts_of(paribus: Path) -> list[dict]:
    """Those that ship: nothing of what a user has is in the way."""
    with tempfile.TemporaryDirectory() as nothing:
        env = {name: value for name, value in os.environ.items() if name != "PARIBUS_PLUGINS"}
        env |= {"XDG_DATA_HOME": nothing, "XDG_CACHE_HOME": nothing}
        done = subprocess.run(
            [paribus, "plugins", "--json"], capture_output=True, text=True, env=env
        )
    if done.returncode != 0:
        raise SystemExit(f"{paribus} plugins --json: {done.stderr}")
    parts = json.loads(done.stdout)["parts"]
    return [part for part in parts if (ROOT / source_of(part)).is_file()]


def source_of(part: dict) -> str:
    return f"plugins/{part['kind']}/{part['name']}.cpp"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table too."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text).replace("\n", " ")


def code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def comment_of(source: str) -> str:
    """The doc comment of the part's class: formula and origin."""
    match = re.search(r"((?:^///[^\n]*\n)+)struct \w+(?: final)? : paribus::", source, re.MULTILINE)
    lines = match[1].splitlines() if match else []
    return " ".join(line.removeprefix("///").strip() for line in lines)


# What 32 bits can hold: a bound that nobody chose.
INT32 = (-(2**31), 2**31 - 1)


def type_of(field: dict) -> str:
    if field["type"] == "part":
        return f"[{field['of']}]({field['of']}.md)"
    text = f"list of {field['of']}" if field["type"] == "list" else field["type"]
    return text + (", optional" if field.get("optional") else "")


def default_of(field: dict) -> str:
    default = field["default"]
    nothing = default is None or (field["type"] == "part" and default == "")
    if nothing:
        return "none"
    numbers = field["type"] == "float" and default in ("nan", "inf", "-inf")
    return code(default if numbers else json.dumps(default, ensure_ascii=False))


def allowed_of(field: dict) -> str:
    if field.get("choices"):
        return ", ".join(code(json.dumps(choice)) for choice in field["choices"])
    signs = {"min": ">=", "above": ">", "max": "<=", "below": "<"}
    bounds = [
        f"{sign} {field[key]:g}"
        for key, sign in signs.items()
        if key in field and field[key] not in INT32
    ]
    return ", ".join(map(code, bounds))


def table_of(part: dict) -> str:
    if not part["params"]:
        return "No parameters.\n"
    text = (
        "| parameter | type | default | allowed | unit | live | |\n|---|---|---|---|---|---|---|\n"
    )
    for field in part["params"]:
        cells = [
            code(field["name"]),
            type_of(field),
            default_of(field),
            allowed_of(field),
            plain(field.get("unit", "")),
            "live" if field.get("live") else "",
            plain(field["doc"]),
        ]
        text += "| " + " | ".join(cells) + " |\n"
    return text


def facts_of(part: dict) -> str:
    facts = []
    if part.get("goal"):
        unit = "" if part["unit"] == "1" else f", in {plain(part['unit'])}"
        facts.append(f"Goal: {part['goal']}{unit}.")
    for key in ("reads", "writes"):
        if part.get(key):
            facts.append(f"{key.capitalize()}: {', '.join(code(word) for word in part[key])}.")
    for file in part.get("files", []):
        name = "/".join(word for word in (file["folder"], file["name"]) if word)
        unless = f", unless {code(file['unless'])} is given" if file["unless"] else ""
        facts.append(f"File: {code(name)}, {file['bytes']:,} bytes{unless}.")
    return "".join(f"- {fact}\n" for fact in facts) + "\n" if facts else ""


def section(part: dict) -> str:
    source = source_of(part)
    comment = comment_of((ROOT / source).read_text(encoding="utf-8"))
    return (
        f"## {part['name']}\n\n{plain(part['doc'])}\n\n"
        + (f"> {plain(comment)}\n\n" if comment else "")
        + f"{table_of(part)}\n{facts_of(part)}"
        + f"Source: [{source}](../../{source})\n"
    )


def pages(parts: list[dict]) -> dict[Path, str]:
    result = {}
    for kind, what in KINDS.items():
        mine = sorted((part for part in parts if part["kind"] == kind), key=lambda p: p["name"])
        if mine:
            names = ", ".join(f"[{part['name']}](#{part['name']})" for part in mine)
            head = f"<!-- written by tools/reference.py from the manifests -->\n# {kind}\n\n{what}\n\n{names}\n"
            result[PAGES / f"{kind}.md"] = "\n".join([head, *map(section, mine)])
    return result


def stale(wanted: dict[Path, str]) -> list[str]:
    """What differs from the pages that lie there."""
    there = set(PAGES.glob("*.md"))
    differing = {
        page
        for page, text in wanted.items()
        if not page.is_file() or page.read_text(encoding="utf-8") != text
    }
    return sorted(page.relative_to(ROOT).as_posix() for page in differing | (there - set(wanted)))


def stubs(parts: list[dict]) -> dict[Path, str]:
    """By path; as ruff lays them out."""
    texts = {}
    for kind in KINDS:
        text = stub(kind, [part for part in parts if part["kind"] == kind])
        words = [RUFF, "format", "--stdin-filename", f"{kind}.pyi", "-"]
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
        texts[PACKAGE / f"{kind}.pyi"] = done.stdout
    return texts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if a page is stale"
    )
    built = ROOT / "build" / "release" / "bin" / "paribus"
    parser.add_argument(
        "--paribus", type=Path, default=built, help="the program that reads the manifests"
    )
    options = parser.parse_args()
    parts = parts_of(options.paribus)
    wanted = pages(parts) | stubs(parts)
    if options.check:
        for page in stale(wanted):
            print(
                f"{page} is not what the manifests say; run tools/reference.py and commit it",
                file=sys.stderr,
            )
        return 1 if stale(wanted) else 0
    for page in set(PAGES.glob("*.md")) - set(wanted):
        page.unlink()
    PAGES.mkdir(parents=True, exist_ok=True)
    for page, text in wanted.items():
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
