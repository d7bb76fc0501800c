# SPDX-License-Identifier: Apache-2.0
"""The files of the tree, and what they include."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP = {".h", ".cpp"}


def files(*folders: str, suffixes: set[str] | None = None) -> list[Path]:
    """Tracked files and new ones that git does not ignore, below any of `folders` (default: all)."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = sorted({ROOT / name for name in out.split("\0") if name})
    return [p for p in paths if p.is_file() and (suffixes is None or p.suffix in suffixes)]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def includes(text: str) -> list[tuple[int, str]]:
    """(line, header) of each #include."""
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]')
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := pattern.match(line):
            found.append((number, match[1]))
    return found
