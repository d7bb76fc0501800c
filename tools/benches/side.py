# SPDX-License-Identifier: Apache-2.0
"""One side of a comparison: a program that answers each line `VARIANT COUNT` with one line of JSON. See side.h."""

import json
import subprocess
import sys


def serve(variants):
    """The program's half, in Python."""
    print("ready", flush=True)
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps(variants[name](int(count))), flush=True)


class Side:
    """The other half: starts the program, and ends it with the block."""

    def __init__(self, *command, env=None):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self._answer("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def run(self, variant, count):
        self.process.stdin.write(f"{variant} {count}\n")
        self.process.stdin.flush()
        return json.loads(self._answer(f"{variant} {count}"))

    def _answer(self, to):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command[0]} ended at '{to}', status {self.process.wait()}")
        return line
