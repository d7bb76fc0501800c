# SPDX-License-Identifier: Apache-2.0
"""status, results, fsck, seal, and results.h5 as h5py, pandas, xarray and h5dump see it."""

import csv
import io
import json
import math
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import h5py
import journals
import numpy as np
import pandas
import xarray

PARIBUS = os.environ["PARIBUS"]


def paribus(*words):
    return subprocess.run([PARIBUS, *map(str, words)], capture_output=True, text=True)


class WithStudy(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        arms = {
            "sgd": {seed: 0.9 + seed / 1000 for seed in range(6)},
            "lookahead, k=5": {seed: 0.91 + seed / 900 for seed in range(6)},
        }
        arms["lookahead, k=5"][4] = None
        journals.write_study(
            self.folder,
            arms,
            unit="fraction",
            question="Does Lookahead help? — so be it",
            axes=["optimizer.k", "optimizer.nesterov", "optimizer.inner"],
            values={
                "sgd": {"optimizer.k": 1, "optimizer.nesterov": True, "optimizer.inner": "sgd"},
                "lookahead, k=5": {"optimizer.k": 0.5, "optimizer.nesterov": False},
            },
        )

    def ok(self, *words):
        done = paribus(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *words):
        done = paribus(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def trial(self, name):
        return self.folder / "journal" / f"{name}.log"


class ResultsFile(WithStudy):
    def seal(self):
        return Path(self.ok("seal", self.folder).strip())

    def test_pandas_reads_the_trials(self):
        with h5py.File(self.seal()) as file:
            table = pandas.DataFrame(file["trials"][:])
            units = file["trials"].attrs["units"]
        self.assertEqual(len(table), 12)
        self.assertEqual(
            table["arm"].str.decode("utf-8").tolist(), ["sgd"] * 6 + ["lookahead, k=5"] * 6
        )
        self.assertEqual(table["seed"].tolist(), [*range(6), *range(6)])
        self.assertEqual(table["valid.accuracy"][3], 0.903)
        self.assertEqual(table["best.valid.accuracy"][3], 0.903)
        self.assertEqual(table["optimizer.k"].tolist(), [1.0] * 6 + [0.5] * 6)
        self.assertEqual(table["optimizer.nesterov"].dtype, bool)
        self.assertEqual(table["optimizer.inner"].tolist(), [b"sgd"] * 6 + [b""] * 6)
        self.assertEqual(table["steps"].tolist(), [10] * 12)
        self.assertEqual(table["epochs"].tolist(), [2.0] * 12)
        self.assertIn("valid.accuracy: fraction", units)
        self.assertIn("seconds: s", units)

    def test_a_missing_metric_is_nan_and_the_status_says_why(self):
        with h5py.File(self.seal()) as file:
            row = file["trials"][10]
        self.assertEqual(row["status"], b"failed")
        self.assertTrue(math.isnan(row["valid.accuracy"]))

    def test_series_and_configs_by_trial(self):
        with h5py.File(self.seal()) as file:
            series = file["series/00000002/train.loss"]
            self.assertEqual(series.attrs["unit"], "nat")
            self.assertEqual(series["step"].tolist(), list(range(1, 11)))
            self.assertEqual(series["value"].tolist(), [1 / step for step in range(1, 11)])
            self.assertEqual(json.loads(file["configs/00000002"][()])["arm"], "sgd")
            curve = xarray.DataArray(series["value"], dims="step", coords={"step": series["step"]})
        self.assertEqual(curve.sel(step=4).item(), 0.25)

    def test_arms_are_summed_up(self):
        self.ok("seal", self.folder)
        with h5py.File(self.folder / "results.h5") as file:
            rows = pandas.DataFrame(file["arms"][:])
            trials = pandas.DataFrame(file["trials"][:])
        rows = rows[rows["metric"] == b"valid.accuracy"].set_index("arm")
        self.assertEqual(list(rows["trials"]), [6, 6])
        self.assertEqual(list(rows["n"]), [6, 5])
        self.assertEqual(set(rows["unit"]), {b"fraction"})
        for arm, row in rows.iterrows():
            values = trials[(trials["arm"] == arm) & (trials["status"] == b"done")][
                "valid.accuracy"
            ]
            self.assertAlmostEqual(row["mean"], values.mean(), 15)
            self.assertAlmostEqual(row["sd"], values.std(), 15)
            self.assertEqual((row["least"], row["greatest"]), (values.min(), values.max()))

    def test_comparisons_equal_what_compare_says(self):
        wanted = json.loads(self.ok("compare", self.folder, "--json"))["arms"][0]
        with h5py.File(self.seal()) as file:
            rows = [row for row in file["comparisons"] if row["metric"] == b"valid.accuracy"]
        self.assertEqual(len(rows), 1)
        for ours, theirs in {
            "n": "n",
            "difference": "difference",
            "low": "low",
            "p_holm": "p_holm",
        }.items():
            self.assertEqual(rows[0][ours], wanted[theirs])
        self.assertEqual(rows[0]["verdict"].decode(), wanted["verdict"])
        self.assertEqual(rows[0]["excluded"], 1)

    def test_attributes_say_what_it_is(self):
        with h5py.File(self.seal()) as file:
            self.assertEqual(file.attrs["question"], "Does Lookahead help? — so be it")
            self.assertEqual(file.attrs["environment.libtorch"], "2.13.0")
            self.assertEqual(json.loads(file["environment"][()])["paribus"], "0.1.0")

    def test_h5dump_reads_it(self):
        if not shutil.which("h5dump"):
            self.fail("h5dump is needed: install hdf5-tools")
        dump = subprocess.run(["h5dump", str(self.seal())], capture_output=True, text=True)
        self.assertEqual((dump.returncode, dump.stderr), (0, ""))
        self.assertIn('"lookahead, k=5"', dump.stdout)

    def test_sealed_again_later_it_is_the_same_bytes(self):
        first = self.seal().read_bytes()
        time.sleep(1.1)
        (self.folder / "results.h5").unlink()
        self.assertEqual(self.seal().read_bytes(), first)
        self.assertEqual(
            [one.name for one in self.folder.iterdir() if one.name.startswith(".")], []
        )

    def test_long_series_are_compressed_and_complete(self):
        n = 20_000
        long = (
            journals.MAGIC
            + journals.event(event="start")
            + journals.series("train.loss", "nat")
            + journals.points(0, range(n), [float(step % 10) for step in range(n)])
            + journals.event(event="end", status="done", final={"valid.accuracy": 0.5})
        )
        self.trial("00000001").write_bytes(long)
        with h5py.File(self.seal()) as file:
            series = file["series/00000001/train.loss"]
            self.assertEqual(series.compression, "gzip")
            np.testing.assert_array_equal(series["value"], np.arange(n) % 10)
            self.assertLess(series.id.get_storage_size(), n * 4)

    def test_names_that_are_no_links_are_escaped_and_kept(self):
        odd = (
            journals.MAGIC
            + journals.event(event="start")
            + journals.series("a/b%")
            + journals.series("..")
            + journals.points(0, [1], [2.0])
            + journals.points(1, [1], [3.0])
        )
        self.trial("00000001").write_bytes(odd)
        with h5py.File(self.seal()) as file:
            group = file["series/00000001"]
            self.assertEqual(sorted(group), ["%2E%2E", "a%2Fb%25"])
            self.assertEqual(group["a%2Fb%25"].attrs["name"], "a/b%")

    def test_a_folder_that_cant_be_written_leaves_the_old_file(self):
        before = self.seal().read_bytes()
        (self.folder / "results.h5").rename(self.folder / "kept.h5")
        (self.folder / "results.h5").mkdir()
        (self.folder / "results.h5" / "x").touch()
        self.assertIn("can't put it in place", self.refused("seal", self.folder))
        self.assertEqual((self.folder / "kept.h5").read_bytes(), before)
        self.assertEqual(
            [one.name for one in self.folder.iterdir() if one.name.startswith(".")], []
        )


class Results(WithStudy):
    def test_json_and_csv_hold_the_same(self):
        rows = json.loads(self.ok("results", self.folder, "--json"))["rows"]
        lines = list(
            csv.DictReader(io.StringIO(self.ok("results", self.folder, "--format", "csv")))
        )
        self.assertEqual(len(rows), 12)
        for row, line in zip(rows, lines, strict=True):
            self.assertEqual(row["arm"], line["arm"])
            value = row["valid.accuracy"]
            self.assertEqual("" if value is None else repr(value), line["valid.accuracy"])

    def test_where_keeps_the_rows_that_fit(self):
        def ids(where):
            return [
                row["id"]
                for row in json.loads(self.ok("results", self.folder, "--json", "--where", where))[
                    "rows"
                ]
            ]

        self.assertEqual(ids("arm = sgd and valid.accuracy > 0.9035"), ["00000004", "00000005"])
        self.assertEqual(ids("arm='lookahead, k=5' and seed<=1"), ["01000000", "01000001"])
        self.assertEqual(ids("optimizer.nesterov = false and status != done"), ["01000004"])
        self.assertNotIn("01000004", ids("valid.accuracy != 0.5"))  # what is missing fits nothing
        self.assertEqual(ids("`seed` >= 100"), [])

    def test_the_table_is_aligned(self):
        lines = self.ok("results", self.folder).splitlines()
        self.assertEqual(len(lines), 13)
        where = lines[0].index("arm")
        self.assertTrue(
            all(line[where - 2 : where] == "  " and line[where] != " " for line in lines)
        )
        self.assertNotIn("\033", "".join(lines))

    def test_a_number_without_a_unit_is_shown_without_one(self):
        journals.write_study(self.folder, {"a": {0: 0.5, 1: 0.7}, "b": {0: 0.6, 1: 0.4}}, unit="1")
        for command in ("status", "results", "compare"):
            self.assertNotIn("(1)", self.ok(command, self.folder))
        self.assertIn("seconds (s)", self.ok("results", self.folder))
        columns = json.loads(self.ok("results", self.folder, "--json"))["columns"]
        self.assertIn({"name": "valid.accuracy", "unit": "1"}, columns)

    def test_bad_expressions_say_where(self):
        for where, message in {
            "amr = sgd": "character 1: no column 'amr'; did you mean 'arm'?",
            "arm sgd": "character 5: expected one of = != < <= > >=",
            "seed = x": "character 8: got 'x', expected a number for 'seed'",
            "seed = 1 or seed = 2": "character 10: expected 'and' or the end",
            "arm = 'sgd": "character 7: a quotation mark without its partner",
            "seed =": "character 7: expected a value",
            "seed = 1 and": "character 13: expected a column",
            "optimizer.nesterov = 1": "got '1', expected true or false",
        }.items():
            with self.subTest(where=where):
                self.assertIn(message, self.refused("results", self.folder, "--where", where))

    def test_a_folder_that_is_no_study_is_refused(self):
        for command in ("status", "results", "compare", "fsck", "seal"):
            self.assertIn(
                "is not a study's directory: it has no journal/study.log",
                self.refused(command, "/tmp"),
            )

    def test_no_plan_no_study(self):
        self.trial("study").write_bytes(journals.MAGIC)
        self.assertIn("journal/study.log has no plan", self.refused("results", self.folder))

    def test_an_id_that_leads_out_of_the_folder_is_refused(self):
        plan = {
            "event": "plan",
            "study": {},
            "variants": [{"arm": "a"}],
            "trials": [[0, 0, "../../etc/passwd"]],
        }
        self.trial("study").write_bytes(journals.MAGIC + journals.event(**plan))
        self.assertIn(
            "'trials' is unusable, expected an id of 1 to 128 letters, digits, - or _",
            self.refused("results", self.folder),
        )


class Status(WithStudy):
    def statuses(self):
        return {
            one["id"]: one for one in json.loads(self.ok("status", self.folder, "--json"))["trials"]
        }

    def test_counts_and_reasons(self):
        self.trial("00000000").unlink()
        self.trial("00000001").write_bytes(
            journals.trial_journal("00000001", "sgd", 1, {}, end=None)
        )
        self.trial("00000002").write_bytes(
            journals.trial_journal("00000002", "sgd", 2, {}, end="stopped")
        )
        self.trial("00000003").write_bytes(
            journals.trial_journal("00000003", "sgd", 3, {}, end=None)
        )
        with self.trial("study").open("ab") as log:
            log.write(journals.event(event="exit", trial="00000003", code=0, signal=11))
        counts = json.loads(self.ok("status", self.folder, "--json"))["counts"]
        self.assertEqual(
            counts,
            {"planned": 1, "running": 0, "done": 7, "failed": 2, "stopped": 2, "pruned": 0},
        )
        self.assertIn(
            "killed by signal 11 (Segmentation fault)", self.statuses()["00000003"]["message"]
        )
        text = self.ok("status", self.folder)
        self.assertIn("7 of 12 trials done", text)
        self.assertIn("stopped 00000001: sgd, seed 1: epoch 2.00 of 2, step 10", text)

    def test_what_was_measured_before_a_kill_is_known(self):
        self.trial("00000001").write_bytes(
            journals.trial_journal("00000001", "sgd", 1, {}, end=None)
        )
        row = json.loads(self.ok("results", self.folder, "--json", "--where", "id = 00000001"))[
            "rows"
        ][0]
        self.assertEqual(
            (row["status"], row["steps"], row["train.loss"], row["valid.accuracy"]),
            ("stopped", 10, 0.1, None),
        )

    def test_a_journal_that_is_none_costs_only_its_trial(self):
        self.trial("00000001").write_bytes(b"something else")
        done = paribus("status", self.folder, "--json")
        self.assertEqual(done.returncode, 0)
        self.assertIn("is not a journal", done.stderr)
        self.assertEqual(json.loads(done.stdout)["counts"]["failed"], 2)

    def test_control_characters_do_not_reach_the_terminal(self):
        journal = journals.trial_journal(
            "00000001", "sgd", 1, {}, end="failed", message="\x1b[2Jgone"
        )
        self.trial("00000001").write_bytes(journal)
        self.assertIn("?[2Jgone", self.ok("status", self.folder))


class Fsck(WithStudy):
    def test_whole_journals_are_fine(self):
        report = json.loads(self.ok("fsck", self.folder, "--json"))["journals"]
        self.assertEqual({one["state"] for one in report}, {"whole"})
        self.assertEqual(len(report), 13)

    def test_torn_and_damaged_are_told_and_repaired(self):
        torn, damaged = self.trial("00000001"), self.trial("00000002")
        whole = torn.read_bytes()
        torn.write_bytes(whole[:-7])
        damaged.write_bytes(whole[:60] + b"!" + whole[61:])
        done = paribus("fsck", self.folder, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 of 13 journals are not whole; --repair", done.stderr)
        states = {one["file"]: one for one in json.loads(done.stdout)["journals"]}
        self.assertEqual(states["00000001.log"]["state"], "torn")
        self.assertEqual(states["00000002.log"]["state"], "damaged")
        self.assertIn(
            "a record's checksum does not fit its bytes at byte 8",
            states["00000002.log"]["problem"],
        )
        self.ok("fsck", self.folder, "--repair")
        self.ok("fsck", self.folder)
        self.assertTrue(whole.startswith(torn.read_bytes()))
        self.assertEqual(damaged.read_bytes(), journals.MAGIC)

    def test_what_is_no_journal_is_not_touched(self):
        self.trial("00000001").write_bytes(b"something else")
        done = paribus("fsck", self.folder, "--repair")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unreadable", done.stdout)
        self.assertEqual(self.trial("00000001").read_bytes(), b"something else")


if __name__ == "__main__":
    unittest.main()
