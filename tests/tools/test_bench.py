# SPDX-License-Identifier: Apache-2.0
"""tools/bench from the shell's side; how fast anything is, no test asks."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "benches"))

from figure import Figure  # noqa: E402
from marks import Marks, resident  # noqa: E402


def bench(*words):
    command = [ROOT / "tools" / "bench", "--build", os.environ["PARIBUS_BUILD"], *words]
    return subprocess.run(command, capture_output=True, text=True)


class Bench(unittest.TestCase):
    def test_help_names_the_rows(self):
        done = bench("--help")
        self.assertEqual(done.returncode, 0)
        for row in (
            "step",
            "trial",
            "log",
            "optimizer",
            "images",
            "check",
            "build",
            "rivals",
            "start",
        ):
            self.assertIn(row, done.stdout)

    def test_json_of_a_row(self):
        done = bench("check", "--repeats", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertGreater(said["machine"]["cores"], 0)
        self.assertEqual([row["row"] for row in said["rows"]], ["check"])
        wall = said["rows"][0]["figures"][0]
        self.assertEqual((wall["unit"], wall["n"], wall["bar"]), ("s", 1, 1))
        self.assertGreater(wall["median"], 0)
        self.assertRegex(wall["verdict"], r"^(met|missed by [0-9.]+ s)$")
        self.assertIn("check ...", done.stderr)

    def test_unknown_row(self):
        done = bench("speed")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no row 'speed'; there are step, trial", done.stderr)


class Verdict(unittest.TestCase):
    def test_both_kinds_of_bar(self):
        self.assertEqual(Figure("", "%", [0.5, 2, 0.7], bar=1).verdict(), "met")
        self.assertEqual(Figure("", "%", [2.5], bar=1).verdict(), "missed by 1.5 %")
        self.assertEqual(Figure("", "x", [12], bar=10, at_least=True).verdict(), "met")
        self.assertEqual(Figure("", "x", [8], bar=10, at_least=True).verdict(), "missed by 2 x")

    def test_different_results_void_a_figure(self):
        figure = Figure("", "x", [0.5], bar=1, equal=False)
        self.assertEqual(figure.verdict(), "void: the two sides' results differ")


class TrialsOfARival(unittest.TestCase):
    def test_memory_and_seconds_between_a_tenth_and_all(self):
        marks, memory = Marks(100), iter([1000, 1500])
        for done in (0, 4, 11, 12, 99, 100, 100):
            marks.ended(done, lambda: next(memory))
        said = marks.as_json(recorded=True)
        self.assertEqual((said["early"], said["late"], said["counts"]), (1000, 1500, [11, 100]))
        self.assertGreater(said["seconds"], 0)

    def test_memory_of_this_process(self):
        self.assertGreater(resident(), 2**20)
        self.assertEqual(resident(2**22 + 1), 0)


if __name__ == "__main__":
    unittest.main()
