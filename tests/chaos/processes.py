# SPDX-License-Identifier: Apache-2.0
"""The processes of a study as /proc shows them: found by a mark in their environment, whatever their parents are."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

MARK = "CHAOS_MARK"


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    session: int
    state: str
    program: str

    def __str__(self):
        return f"{self.program} {self.pid} (parent {self.parent}, state {self.state})"


def read(pid: int) -> Process | None:
    """None if it is no more, or only waits to be waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, fields = stat[stat.find("(") + 1 : stat.rfind(")")], stat[stat.rfind(")") + 2 :]
    state, parent, _, session = fields.split()[:4]
    if state in "ZX":
        return None
    if not name.startswith("paribus-"):  # else its name says which part of the worker it is
        with contextlib.suppress(OSError):  # dying, its memory is gone, its files may be open still
            name = Path(os.readlink(f"/proc/{pid}/exe")).name
    return Process(pid, int(parent), int(session), state, name)


def is_marked(pid: int, mark: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return f"{MARK}={mark}".encode() in words


def living(mark: str, sessions: set[int] = frozenset()) -> list[Process]:
    """All that bear the mark or belong to one of the sessions, oldest first."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        process = read(int(entry))
        if process and (process.session in sessions or is_marked(process.pid, mark)):
            found.append(process)
    return sorted(found, key=lambda process: process.pid)


ROLES = {
    "paribus": "driver",
    "paribus-guard": "guard",
    "paribus-worker": "zygote",
    "paribus-trial": "trial",
    "paribus-stacks": "try",
}


def by_role(processes: list[Process]) -> dict[str, list[Process]]:
    """A worker below a worker tries what the check asks; what has none of our names tracks, or searches."""
    programs = {process.pid: process.program for process in processes}
    roles = {"driver": [], "guard": [], "zygote": [], "trial": [], "try": [], "tracker": []}
    for process in processes:
        tries = process.program == programs.get(process.parent) == "paribus-worker"
        roles["try" if tries else ROLES.get(process.program, "tracker")].append(process)
    return roles


def strike(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def left_after(mark: str, sessions: set[int], seconds: float = 1.0) -> tuple[list[Process], float]:
    """What still lives after so long, and how long it took until nothing did."""
    begin = time.monotonic()
    while True:
        left = living(mark, sessions)
        took = time.monotonic() - begin
        if not left or took >= seconds:
            return left, took
        time.sleep(0.01)


def descriptors(pid: int) -> int:
    """0 if the process is no more."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
