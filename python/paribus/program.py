# SPDX-License-Identifier: Apache-2.0
"""The `paribus` program, which does the work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from .errors import ParibusError, StudyError

WRONG_REQUEST = 2  # exit status
_OWN = Path(__file__).parent / "install" / "bin" / "paribus"  # of a wheel


def program() -> str:
    """$PARIBUS_PROGRAM, that of this package, or that in PATH."""
    named = os.environ.get("PARIBUS_PROGRAM")
    if named:
        if not os.access(named, os.X_OK):
            raise ParibusError(f"$PARIBUS_PROGRAM names {named}, which is no program")
        return named
    if _OWN.exists():
        return str(_OWN)
    found = shutil.which("paribus")
    if found is None:
        raise ParibusError(
            "there is no program 'paribus': put it in PATH, or name it in $PARIBUS_PROGRAM"
        )
    return found


def environment() -> dict[str, str]:
    """What the program is started with: that of a wheel belongs to this interpreter and its environment."""
    given = dict(os.environ)
    if _OWN.exists():
        given.setdefault("PARIBUS_PYTHON", sys.executable)
        if sys.prefix != sys.base_prefix:
            given.setdefault("VIRTUAL_ENV", sys.prefix)
    return given


def main() -> NoReturn:
    """The command `paribus` of a wheel."""
    if not _OWN.exists():
        sys.exit(
            f"paribus: there is no {_OWN}; install the package again: pip install --force-reinstall"
        )
    os.execve(_OWN, ["paribus", *sys.argv[1:]], environment())


def call(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program(), *map(str, words)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env=environment(),
    )


def answer(*words: object, fine: tuple[int, ...] = (0,)) -> Any:
    """What a command says on stdout as JSON. Raises StudyError if the request was wrong."""
    done = call(*words)
    if done.returncode in fine:
        return json.loads(done.stdout)
    if done.returncode != WRONG_REQUEST:
        raise ParibusError(f"paribus {words[0]}: {done.stderr.strip() or done.returncode}")
    if done.stdout.lstrip().startswith("{"):
        raise StudyError.from_json(json.loads(done.stdout))
    raise StudyError.from_text(done.stderr)
