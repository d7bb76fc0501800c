# SPDX-License-Identifier: Apache-2.0
"""`paribus compare --json` against scipy.stats, over made-up studies."""

import itertools
import json
import math
import os
import random
import subprocess
import tempfile
import unittest
from fractions import Fraction

import journals
import numpy as np
from scipy import stats

PARIBUS = os.environ["PARIBUS"]


def compare(folder, *options):
    done = subprocess.run(
        [PARIBUS, "compare", str(folder), "--json", *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def compared(arms, **study):
    with tempfile.TemporaryDirectory() as folder:
        return compare(journals.write_study(folder, arms, **study))


def holm(p):
    order, adjusted, largest = np.argsort(p, kind="stable"), np.empty(len(p)), 0.0
    for rank, which in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[which]))
        adjusted[which] = largest
    return adjusted


class AgainstScipy(unittest.TestCase):
    def close(self, got, wanted, what):
        self.assertTrue(
            math.isclose(got, wanted, rel_tol=1e-12, abs_tol=0),
            f"{what}: got {got}, scipy {wanted}",
        )

    def check_arm(self, row, difference, alpha):
        wanted = stats.ttest_1samp(difference, 0)
        self.close(row["difference"], math.fsum(difference) / len(difference), "mean")
        self.close(row["sd"], np.std(difference, ddof=1), "sd")
        self.close(row["t"], wanted.statistic, "t")
        self.close(row["p_t"], wanted.pvalue, "p_t")
        interval = wanted.confidence_interval(1 - alpha)
        scale = abs(interval.high) + abs(interval.low)
        self.assertLessEqual(abs(row["low"] - interval.low), 1e-12 * scale)
        self.assertLessEqual(abs(row["high"] - interval.high), 1e-12 * scale)
        if len(difference) <= 12:
            permuted = stats.permutation_test(
                (difference,),
                lambda x, axis: np.sum(x, axis=axis),
                vectorized=True,
                permutation_type="samples",
                n_resamples=np.inf,
                alternative="two-sided",
            )
            self.close(row["p_permutation"], permuted.pvalue, "p_permutation")

    def test_many_random_studies(self):
        draw = random.Random(20240607)
        for case in range(120):
            n, count = draw.randint(2, 16), draw.randint(1, 5)
            scale, alpha = 10 ** draw.uniform(-6, 6), draw.choice([0.05, 0.01, 0.1])
            test = draw.choice(["auto", "permutation", "t"])
            arms = {"base": {seed: draw.gauss(0, scale) for seed in range(n)}}
            for arm in range(count):
                shift = draw.gauss(0, scale)
                arms[f"arm{arm}"] = {
                    seed: value + shift + draw.gauss(0, scale)
                    for seed, value in arms["base"].items()
                }
            with self.subTest(case=case, n=n, arms=count):
                rows = compared(arms, alpha=alpha, test=test)["arms"]
                p = []
                for row in rows:
                    base = np.array([arms["base"][seed] for seed in range(n)])
                    self.check_arm(
                        row, np.array([arms[row["arm"]][seed] for seed in range(n)]) - base, alpha
                    )
                    self.assertEqual(row["p"], row["p_t"] if test == "t" else row["p_permutation"])
                    p.append(row["p"])
                for row, wanted in zip(rows, holm(p), strict=True):
                    self.close(row["p_holm"], wanted, "Holm")

    def test_permutation_counts_ties_exactly(self):
        """Metrics are multiples of 1/1000 or so: sums that tie in exact arithmetic must tie here."""
        draw = random.Random(7)
        for case in range(60):
            n = draw.randint(1, 10)
            base = {seed: draw.randint(850, 950) / 1000 for seed in range(n)}
            other = {
                seed: draw.randint(850, 950) / 1000 if draw.random() < 0.8 else base[seed]
                for seed in range(n)
            }
            exact = [Fraction(round(other[s] * 1000) - round(base[s] * 1000)) for s in range(n)]
            hits = sum(
                abs(sum(sign * d for sign, d in zip(signs, exact))) >= abs(sum(exact))
                for signs in itertools.product((1, -1), repeat=n)
            )
            with self.subTest(case=case):
                self.assertEqual(
                    compared({"base": base, "other": other})["arms"][0]["p_permutation"],
                    hits / 2**n,
                )

    def test_permutation_of_thirty_pairs_is_exact(self):
        base = {seed: 0.0 for seed in range(30)}
        ones = {seed: 1.0 for seed in range(30)}
        self.assertEqual(
            compared({"base": base, "other": ones})["arms"][0]["p_permutation"], 2.0**-29
        )
        ones[4] = -1.0  # one of the two patterns of this sum or above, of either sign: 1 + 30
        self.assertEqual(
            compared({"base": base, "other": ones})["arms"][0]["p_permutation"], 31 * 2.0**-29
        )

    def test_above_forty_pairs_signs_are_drawn_always_the_same(self):
        draw = random.Random(5)
        base = {seed: draw.gauss(0, 1) for seed in range(60)}
        other = {seed: value + draw.gauss(0.3, 1) for seed, value in base.items()}
        first, second = (compared({"base": base, "other": other})["arms"][0] for _ in range(2))
        self.assertEqual(first["p_permutation"], second["p_permutation"])
        # Its own error is about 1 %, and at this n the t-test is close.
        self.assertAlmostEqual(first["p_permutation"] / first["p_t"], 1, delta=0.15)


class Verdicts(unittest.TestCase):
    base = {seed: 0.9 + seed * 0.001 for seed in range(8)}

    def shifted(self, by, wobble=0.0001, seeds=8):
        return {seed: self.base[seed] + by + wobble * ((seed * 5) % 3 - 1) for seed in range(seeds)}

    def arm(self, arms, **study):
        return compared(arms, **study)["arms"][0]

    def test_better_and_worse_follow_the_goal(self):
        arms = {"sgd": self.base, "lookahead": self.shifted(0.01)}
        self.assertEqual(self.arm(arms)["verdict"], "better")
        self.assertEqual(self.arm(arms, goal="minimize")["verdict"], "worse")
        self.assertEqual(self.arm(arms, goal="")["verdict"], "higher")

    def test_five_seeds_name_no_winner_and_six_do(self):
        five = {seed: self.base[seed] for seed in range(5)}
        row = self.arm({"sgd": five, "lookahead": self.shifted(0.01, seeds=5)})
        self.assertEqual(row["verdict"], "too few seeds")
        self.assertEqual(row["smallest_p"], 0.0625)
        self.assertIn("5 seeds can't go below p = 0.0625; 6 would", row["sentence"])
        six = {seed: self.base[seed] for seed in range(6)}
        self.assertEqual(
            self.arm({"sgd": six, "lookahead": self.shifted(0.01, seeds=6)})["verdict"], "better"
        )

    def test_more_arms_need_more_seeds(self):
        six = {seed: self.base[seed] for seed in range(6)}
        arms = {"sgd": six} | {f"a{i}": self.shifted(0.01 * (i + 1), seeds=6) for i in range(3)}
        self.assertIn(
            "6 seeds and 3 arms against the baseline can't go below p = 0.09375; 7 would",
            self.arm(arms)["sentence"],
        )

    def test_equivalent_only_if_the_interval_is_inside_the_margin(self):
        wobbling = {seed: value + 0.002 * (-1) ** seed for seed, value in self.base.items()}
        arms = {"sgd": self.base, "other": wobbling}
        self.assertEqual(self.arm(arms, margin=0.01)["verdict"], "equivalent")
        self.assertEqual(self.arm(arms, margin=0.0005)["verdict"], "undecided")
        self.assertEqual(self.arm(arms)["verdict"], "undecided")

    def test_equal_runs_are_called_identical(self):
        row = self.arm({"sgd": self.base, "off": self.base})
        self.assertEqual((row["verdict"], row["sd"], row["p"], row["p_t"]), ("identical", 0, 1, 1))

    def test_a_constant_difference_has_no_variance(self):
        ones = {seed: 1.0 for seed in range(8)}
        row = self.arm({"sgd": ones, "other": {seed: 1.5 for seed in range(8)}})
        self.assertEqual(
            (row["sd"], row["low"], row["high"], row["p_t"], row["t"]), (0, 0.5, 0.5, 0, None)
        )
        self.assertEqual((row["p"], row["verdict"]), (2 / 256, "better"))

    def test_pairs_without_a_result_are_excluded_and_said(self):
        other = self.shifted(0.01) | {2: None, 3: "missing", 4: float("nan")}
        del other[5]
        row = self.arm({"sgd": self.base, "other": other})
        self.assertEqual((row["n"], row["seeds"]), (4, [0, 1, 6, 7]))
        self.assertEqual([one["seed"] for one in row["excluded"]], [2, 3, 4, 5])
        reasons = [one["reason"] for one in row["excluded"]]
        self.assertEqual(
            reasons,
            [
                "other failed",
                "other has no valid.accuracy",
                "valid.accuracy of other is not finite",
                "other has no such trial",
            ],
        )
        self.assertIn("4 seeds not counted", row["sentence"])

    def test_no_seed_in_common_is_no_data_not_zero(self):
        row = self.arm({"sgd": {0: 0.9, 1: None}, "other": {0: None, 1: 0.8}})
        self.assertEqual(
            (row["verdict"], row["n"], row["difference"], row["p"]), ("no data", 0, None, None)
        )

    def test_one_seed_has_no_interval(self):
        row = self.arm({"sgd": {0: 0.9}, "other": {0: 0.8}})
        self.assertEqual(
            (row["sd"], row["low"], row["p"], row["verdict"]), (None, None, 1, "too few seeds")
        )


class Refusals(unittest.TestCase):
    def refused(self, arms, *options):
        with tempfile.TemporaryDirectory() as folder:
            journals.write_study(folder, arms)
            done = subprocess.run(
                [PARIBUS, "compare", folder, *options], capture_output=True, text=True
            )
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            return done.stderr

    def test_unknown_metric_names_the_near_ones(self):
        message = self.refused({"a": {0: 0.5}, "b": {0: 0.6}}, "--metric", "valid.acuracy")
        self.assertIn(
            "no trial has the metric 'valid.acuracy'; did you mean 'valid.accuracy'?", message
        )

    def test_one_arm_has_nothing_to_compare(self):
        self.assertIn(
            "the study has one arm, so there is nothing to compare", self.refused({"a": {0: 0.5}})
        )


if __name__ == "__main__":
    unittest.main()
