# SPDX-License-Identifier: Apache-2.0
"""`paribus compare --json` of factorial ablations and of seeds bought until decided, against NumPy, scipy and the formulas."""

import itertools
import math
import os
import random
import subprocess
import tempfile
import unittest

import journals
import numpy as np
from scipy import stats
from test_stats import compared, holm

PARIBUS = os.environ["PARIBUS"]


def design_of(factors):
    """A full factorial in the order of [ablate]: all on first, the first factor changing fastest."""
    on = [[not (arm >> i) & 1 for i in range(len(factors))] for arm in range(2 ** len(factors))]
    return {"kind": "factorial", "factors": factors, "on": on}


class Effects(unittest.TestCase):
    def made_up(self, draw, factors, seeds, effects):
        """Arms by name; `effects`: {(factor, ...): what it adds when all of them are on}."""
        design, shift = design_of(factors), [draw.gauss(0, 5) for _ in range(seeds)]
        arms = {}
        for number, on in enumerate(design["on"]):
            level = sum(
                size for which, size in effects.items() if all(on[factor] for factor in which)
            )
            arms[f"arm{number}"] = {
                seed: level + shift[seed] + draw.gauss(0, 0.1) for seed in range(seeds)
            }
        return arms, design

    def test_least_squares_of_each_seed_and_t_tests_over_them(self):
        draw = random.Random(11)
        for case in range(12):
            factors = ["a", "b", "c"][: draw.randint(2, 3)]
            seeds, test = draw.randint(3, 9), draw.choice(["t", "permutation"])
            arms, design = self.made_up(draw, factors, seeds, {(0,): 0.5, (0, 1): 0.3})
            rows = compared(arms, design=design, test=test)["effects"]
            signs = np.where(np.array(design["on"]), 1.0, -1.0)
            names = [(i,) for i in range(len(factors))]
            names += list(itertools.combinations(range(len(factors)), 2))
            columns = np.stack([np.prod(signs[:, list(which)], axis=1) for which in names], axis=1)
            y = np.array([[arms[arm][seed] for arm in arms] for seed in range(seeds)])
            model = np.column_stack([np.ones(len(arms)), columns])
            # With -1 and 1 for off and on, an effect is twice its coefficient.
            effects = 2 * np.linalg.lstsq(model, y.T, rcond=None)[0][1:]
            p = []
            with self.subTest(case=case):
                self.assertEqual(
                    [row["effect"] for row in rows],
                    [" : ".join(factors[i] for i in which) for which in names],
                )
                for row, which, values in zip(rows, names, effects, strict=True):
                    wanted = stats.ttest_1samp(values, 0)
                    self.assertEqual((row["order"], row["n"]), (len(which), seeds))
                    self.assertAlmostEqual(row["estimate"], values.mean(), delta=1e-12)
                    self.assertAlmostEqual(row["p_t"] / wanted.pvalue, 1, delta=1e-9)
                    interval = wanted.confidence_interval(0.95)
                    self.assertAlmostEqual(row["low"], interval.low, delta=1e-11)
                    self.assertAlmostEqual(row["high"], interval.high, delta=1e-11)
                    self.assertEqual(row["p"], row["p_t"] if test == "t" else row["p_permutation"])
                    p.append(row["p"])
                for row, wanted in zip(rows, holm(p), strict=True):
                    self.assertAlmostEqual(row["p_holm"], wanted, delta=1e-12)

    def test_what_is_planted_is_said_in_words(self):
        arms, design = self.made_up(random.Random(2), ["ema", "crop"], 6, {(0,): 1.0, (0, 1): -0.8})
        found = compared(arms, design=design, test="t", margin=0.2)
        words = {row["effect"]: row["verdict"] for row in found["effects"]}
        self.assertEqual(words, {"ema": "better", "crop": "worse", "ema : crop": "worse"})
        self.assertRegex(
            found["effects"][0]["sentence"], r"^ema on is better than off by 0\.\d+ ± "
        )
        self.assertIn(
            "together are worse than their effects add up to", found["effects"][2]["sentence"]
        )
        self.assertEqual(
            found["sentence"],
            "Effects of on against off, in valid.accuracy: better: ema; worse: crop, ema : crop.",
        )

    def test_a_factor_that_does_nothing_is_identical(self):
        draw = random.Random(4)
        design = design_of(["off", "on", "other"])
        values = {(b, c): [draw.gauss(0, 1) for _ in range(7)] for b in (0, 1) for c in (0, 1)}
        arms = {
            f"arm{number}": dict(enumerate(values[on[1], on[2]]))
            for number, on in enumerate(design["on"])
        }
        rows = compared(arms, design=design)["effects"]
        self.assertEqual(rows[0]["verdict"], "identical")
        self.assertEqual(rows[0]["sentence"], "off changes nothing at all (7 seeds)")
        self.assertEqual(rows[3]["verdict"], "identical")

    def test_a_fraction_says_what_else_it_may_be(self):
        design = {
            "kind": "fractional",
            "factors": ["a", "b", "c"],
            "on": [[1, 1, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]],
        }
        design["on"] = [[bool(level) for level in row] for row in design["on"]]
        draw = random.Random(6)
        arms = {f"arm{i}": {s: draw.gauss(0, 1) for s in range(6)} for i in range(4)}
        rows = compared(arms, design=design)["effects"]
        self.assertEqual([row["effect"] for row in rows], ["a", "b", "c"])
        self.assertEqual(rows[0]["aliases"], ["b : c"])
        self.assertIn("; it may as well be due to b : c", rows[0]["sentence"])

    def test_a_seed_that_one_arm_lacks_is_left_out_of_all(self):
        arms, design = self.made_up(random.Random(8), ["a", "b"], 5, {})
        arms["arm2"][3] = None
        for row in compared(arms, design=design)["effects"]:
            self.assertEqual((row["n"], row["seeds"]), (4, [0, 1, 2, 4]))
            self.assertEqual(row["excluded"], [{"seed": 3, "reason": "arm2 failed"}])

    def test_a_design_that_is_none_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            design = {"kind": "factorial", "factors": ["a"], "on": [[True], [True]]}
            journals.write_study(folder, {"x": {0: 1.0}, "y": {0: 1.0}}, design=design)
            done = subprocess.run([PARIBUS, "compare", folder], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("'a' is not on in half of the arms", done.stderr)


class UntilDecided(unittest.TestCase):
    """Against the formulas, straight."""

    strengths = np.array([0.5, 1.5, 4.5, 16.0])

    def bets(self, d):
        """What the gambler for positive effects owns after each difference."""
        usual = np.sqrt(np.cumsum(d * d) / np.arange(1, len(d) + 1))
        x = np.outer(d / usual, self.strengths)
        return np.cumprod(1 + x / np.sqrt(1 + x * x), axis=0).mean(axis=1)

    def bayes(self, d):
        """The t-test's Bayes factor with N(0, 1) for the size of the effect, by integration."""
        n = len(d)
        mean, rest = d.mean(), ((d - d.mean()) ** 2).sum()
        size = np.linspace(-9, 9, 3001)
        t = mean / math.sqrt(rest / (n - 1) / n)
        prior = stats.norm.pdf(size)
        shifted = stats.nct.pdf(t, n - 1, size * math.sqrt(n))
        return np.trapezoid(shifted * prior, size) / stats.t.pdf(t, n - 1)

    def bought(self, d, **study):
        arms = {"base": dict.fromkeys(range(len(d)), 0.0), "other": dict(enumerate(d.tolist()))}
        return compared(arms, until_decided=True, **study)

    def test_betting(self):
        draw = random.Random(21)
        for case in range(25):
            d = np.array([draw.gauss(0.6, 1) for _ in range(draw.randint(6, 40))])
            row = self.bought(d)["arms"][0]
            most = max(1.0, self.bets(d).max(), self.bets(-d).max())
            with self.subTest(case=case):
                self.assertAlmostEqual(row["p"], min(1.0, 2 / most), delta=1e-12)
                self.assertEqual((row["p_t"], row["p_permutation"]), (None, None))
                for end, sign in (("low", 1), ("high", -1)):
                    if row[end] is None:
                        continue
                    # A little outside is ruled out, a little inside isn't.
                    step = 1e-6 * sign
                    self.assertGreaterEqual(self.bets(sign * (d - (row[end] - step))).max(), 40)
                    self.assertLess(self.bets(sign * (d - (row[end] + step))).max(), 40)

    def test_t(self):
        draw = random.Random(22)
        for case in range(6):
            d = np.array([draw.gauss(0.7, 1) for _ in range(draw.randint(5, 14))])
            row = self.bought(d, test="t")["arms"][0]
            most = max([1.0] + [self.bayes(d[:n]) for n in range(2, len(d) + 1)])
            with self.subTest(case=case):
                self.assertAlmostEqual(row["p"] * most, 1, delta=1e-4)

    def test_the_output_says_so(self):
        d = np.array([0.5, 0.6, 0.4, 0.7, 0.5, 0.55, 0.45, 0.62])
        with tempfile.TemporaryDirectory() as folder:
            arms = {"base": dict.fromkeys(range(8), 0.0), "other": dict(enumerate(d.tolist()))}
            journals.write_study(folder, arms, until_decided=True)
            done = subprocess.run([PARIBUS, "compare", folder], capture_output=True, text=True)
        self.assertIn("betting test; both hold at every look, seed by seed", done.stdout)
        self.assertIn("other is better than base by 0.54 (95 % interval from", done.stdout)

    def test_no_seed_behind_one_that_is_missing(self):
        d = {seed: 0.5 for seed in range(8)}
        base = dict.fromkeys((0, 1, 2, 3, 5, 6, 7), 0.0)
        row = compared({"base": base, "other": d}, until_decided=True)["arms"][0]
        self.assertEqual((row["seeds"], row["excluded"]), ([0, 1, 2, 3], []))


if __name__ == "__main__":
    unittest.main()
