# SPDX-License-Identifier: Apache-2.0
"""`paribus compare` of several studies, over made-up ones, against scipy.stats."""

import json
import math
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import journals
import numpy as np
from scipy import stats
from test_stats import holm

PARIBUS = os.environ["PARIBUS"]
LATER = {"environment": {"paribus": "0.2.0", "libtorch": "2.13.0", "cpu": {"model": "new"}}}


def values(offset: float, seeds: int = 9) -> dict[int, float]:
    return {
        seed: 0.5 + math.sin(seed * 12.9898 + offset * 7) / 40 + offset for seed in range(seeds)
    }


class Several(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def study(self, name: str, arms: dict, **more) -> Path:
        return journals.write_study(self.folder / name, arms, **more)

    def run_compare(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PARIBUS, "compare", *map(str, words)], capture_output=True, text=True
        )

    def compared(self, *words) -> dict:
        done = self.run_compare(*words, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refused(self, *words) -> str:
        done = self.run_compare(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_each_arm_against_its_namesake(self):
        old, new = {"sgd": values(0), "ema": values(0.1)}, {"sgd": values(0), "ema": values(0.16)}
        new["ema"][9] = 0.4  # the first study never ran it
        new["ema"][2] = None
        found = self.compared(
            self.study("old", old, test="t"), self.study("new", new, test="t", **LATER)
        )
        self.assertEqual([one["label"] for one in found["studies"]], ["old", "new"])
        self.assertEqual([row["arm"] for row in found["arms"]], ["sgd", "ema"])
        same, other = found["arms"]
        self.assertEqual(same["verdict"], "identical")
        seeds = [0, 1, 3, 4, 5, 6, 7, 8]
        self.assertEqual(other["seeds"], seeds)
        difference = np.array([new["ema"][seed] - old["ema"][seed] for seed in seeds])
        wanted = stats.ttest_1samp(difference, 0)
        self.assertAlmostEqual(other["difference"], difference.mean(), 12)
        self.assertAlmostEqual(other["low"], wanted.confidence_interval().low, 12)
        self.assertAlmostEqual(other["p"], wanted.pvalue, 12)
        self.assertAlmostEqual(other["p_holm"], holm([1.0, wanted.pvalue])[1], 12)
        self.assertEqual(other["verdict"], "better")
        self.assertEqual(
            {(one["seed"], one["reason"]) for one in other["excluded"]},
            {(2, "new/ema failed"), (9, "old/ema has no such trial")},
        )

    def test_what_differs_besides_is_told(self):
        def swept(rate: float) -> dict:
            return {"values": {"a": {"optimizer.lr": rate}}, "axes": ["optimizer.lr"]}

        old = self.study("old", {"a": values(0), "gone": values(0)}, **swept(0.1))
        new = self.study("new", {"a": values(0), "here": values(0)}, **swept(0.2), **LATER)
        found = self.compared(old, new)
        self.assertEqual(
            found["arms"][0]["changes"], [{"key": "optimizer.lr", "before": "0.1", "after": "0.2"}]
        )
        changes = {one["key"]: one for one in found["studies"][1]["changes"]}
        self.assertEqual(changes.keys(), {"paribus", "cpu.model"})
        self.assertEqual(changes["cpu.model"]["before"], "")
        self.assertEqual(set(found["unmatched"]), {"old/gone", "new/here"})
        text = self.run_compare(old, new).stdout
        self.assertIn("new is configured with\n  optimizer.lr: 0.2, was 0.1\n", text)
        self.assertIn("paribus: 0.2.0, was 0.1.0\n", text)
        self.assertIn("  old/gone\n", text)

    def test_three_studies_are_one_family(self):
        folders = [self.study(f"{n}/runs/s", {"a": values(n / 50)}, test="t") for n in range(3)]
        found = self.compared(*folders)
        self.assertEqual(
            [one["label"] for one in found["studies"]], [f"{n}/runs/s" for n in range(3)]
        )
        p = [row["p"] for row in found["arms"]]
        self.assertEqual(len(p), 2)
        np.testing.assert_allclose([row["p_holm"] for row in found["arms"]], holm(p), rtol=1e-12)

    def test_what_can_not_be_compared_is_refused(self):
        first = self.study("first", {"a": values(0)})
        self.assertIn("the same directory is given twice", self.refused(first, first))
        self.assertIn(
            "no arm of one name", self.refused(first, self.study("other", {"b": values(0)}))
        )
        for what, more in {
            "the goal is 'maximize' there and 'minimize' here": {"goal": "minimize"},
            "the value that counts is 'last' there and 'best' here": {"at": "best"},
        }.items():
            self.assertIn(what, self.refused(first, self.study(what[:9], {"a": values(0)}, **more)))
        self.assertIn(
            "the unit is 's' there and 'm' here",
            self.refused(*(self.study(unit, {"a": values(0)}, unit=unit) for unit in "sm")),
        )
        self.assertIn(
            "no trial has the metric",
            self.refused(first, self.study("x", {"a": values(0)}), "--metric", "f"),
        )

    def test_names_are_shown_harmlessly(self):
        arms = {"\x1b[31m<b>red": values(0)}
        text = self.run_compare(self.study("one", arms), self.study("two", arms)).stdout
        self.assertNotIn("\x1b", text)
        self.assertIn("<b>red", text)


if __name__ == "__main__":
    unittest.main()
