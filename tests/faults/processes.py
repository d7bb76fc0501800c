# SPDX-License-Identifier: Apache-2.0
"""Processes as /proc shows them. Those of one study bear a mark in their environment, whoever their parent is."""

import os
import time
from pathlib import Path

MARK = "FAULTS_MARK"


def read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def field(pid: int, name: str) -> str:
    """Of /proc/PID/status."""
    for line in read(pid, "status").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    return ""


def marked(mark: str) -> dict[int, str]:
    """Every living process that bears the mark, with its name."""
    found = {}
    for pid in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        is_marked = f"{MARK}={mark}" in read(pid, "environ").split("\0")
        if is_marked and field(pid, "State")[:1] not in "ZX":
            found[pid] = field(pid, "Name")
    return found


def named(mark: str, name: str) -> list[int]:
    return sorted(pid for pid, other in marked(mark).items() if other == name)


def wait_for(what, seconds: float = 30):
    """What it gives, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing came in {seconds} s")
