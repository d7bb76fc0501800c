# SPDX-License-Identifier: Apache-2.0
"""When a program that runs many trials had ended a tenth of them and all of them, and how much memory it held then."""

import json
import sys
import time
from pathlib import Path


def resident(pid="self") -> int:
    """Bytes; 0 if the process is no more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    return 0


class Marks:
    def __init__(self, count: int):
        self.ahead = [max(1, count // 10), count]
        self.passed = []

    def ended(self, done: int, memory=resident):
        """To be called often, with the number of trials that have ended so far."""
        if not self.ahead or done < self.ahead[0]:
            return
        self.ahead = [mark for mark in self.ahead if mark > done]
        self.passed.append({"done": done, "seconds": time.perf_counter(), "memory": memory()})

    def as_json(self, recorded: bool) -> dict:
        """Seconds for each trial without the start of the program, and memory early and late."""
        first, last = self.passed[0], self.passed[-1]
        return {
            "seconds": (last["seconds"] - first["seconds"]) / (last["done"] - first["done"]),
            "early": first["memory"],
            "late": last["memory"],
            "counts": [first["done"], last["done"]],
            "recorded": recorded,
        }

    def print(self, recorded: bool):
        json.dump(self.as_json(recorded), sys.stdout)
