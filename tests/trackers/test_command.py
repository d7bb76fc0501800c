# SPDX-License-Identifier: Apache-2.0
"""Trackers through the command line: run, status, sync; training is a scripted worker's, as in tests/tools."""

import json
import shutil
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import uplinks  # noqa: E402
from test_driver import STUDY  # noqa: E402
from test_driver import WithPlugins as Base

STUDY = STUDY.replace("seeds = 6", 'seeds = 3\ntracker_wait = "3s"')
CSV = '[[tracker]]\nuse = "csv"\n'


def ids(done) -> set[str]:
    return {trial["id"] for trial in json.loads(done.stdout)["trials"]}


class WithTrackers(Base):
    def setUp(self):
        super().setUp()
        for use in ("csv", "webhook"):
            shutil.copy(uplinks.PLUGINS / f"tracker_{use}.so", self.folder / "plugins")
        shutil.copy(uplinks.FIXTURES / "tracker_log.so", self.folder / "plugins")

    def write(self, *trackers):
        self.study.write_text(STUDY + "\n" + "\n".join(trackers))

    def status(self, name):
        answer = json.loads(self.paribus("status", self.directory, "--json").stdout)
        return {one["name"]: one for one in answer["trackers"]}[name]


class Run(WithTrackers):
    def test_all_is_delivered_when_it_ends(self):
        self.write(CSV)
        done = self.paribus("run", self.study, "-j", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("tracker", done.stderr)
        self.assertEqual(len(uplinks.delivered(self.directory)), 6 * 10)
        self.assertEqual(self.status("csv")["state"], "up to date")
        self.assertFalse(self.status("csv")["running"])
        shown = self.paribus("status", self.directory).stdout
        self.assertIn("tracker csv: 60 points delivered\n", shown)

    def test_a_tracker_changes_no_id(self):
        self.write()
        self.paribus("run", self.study, "-q", "--dir", self.folder / "without")
        self.write(CSV, '[[tracker]]\nuse = "log"\nonly = ["x*"]\nname = "second"\n')
        self.paribus("run", self.study, "-q")
        without = self.paribus("status", self.folder / "without", "--json")
        self.assertEqual(ids(without), ids(self.paribus("status", self.directory, "--json")))

    def test_the_resolved_study_keeps_them(self):
        self.write('[[tracker]]\nuse = "csv"\nname = "two"\nonly = ["valid.*", "lr"]\n')
        self.assertEqual(self.paribus("run", self.study, "-q").returncode, 0)
        resolved = (self.directory / "study.toml").read_text()
        self.assertRegex(resolved, r'only = \["valid\.\*", "lr"\]')
        self.assertRegex(resolved, r'name = "two"')
        again = self.paribus("run", self.directory / "study.toml", "-q", "--dir", self.directory)
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_nobody_there_costs_a_bounded_time_and_sync_catches_up(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.write(CSV, f'[[tracker]]\nuse = "webhook"\nurl = "http://127.0.0.1:{port}/"\n')
        done = self.paribus("run", self.study, "-j", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tracker webhook: 0 points delivered, 6 trials not yet whole", done.stderr)
        self.assertIn("nothing is lost: paribus sync", done.stderr)
        self.assertEqual(self.status("csv")["state"], "up to date")
        failed = self.paribus("sync", self.directory, "--wait", 1)
        self.assertEqual(failed.returncode, 1)
        from test_webhook import Receiver

        receiver = Receiver(port=port)
        synced = self.paribus("sync", self.directory, "--tracker", "webhook", "--json")
        self.assertEqual(synced.returncode, 0, synced.stderr)
        self.assertEqual(json.loads(synced.stdout)["trackers"][0]["points"], 60)
        self.assertEqual(receiver.points(), uplinks.delivered(self.directory))
        receiver.close()

    def test_one_that_crashes_is_named_and_fails_nothing(self):
        self.write('[[tracker]]\nuse = "log"\nfail = "crash"\ncall = 2\n')
        done = self.paribus("run", self.study)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tracker log: ", done.stderr)
        self.assertIn("its process was ended by signal 11", done.stderr)

    def test_it_outlives_a_killed_driver_for_a_bounded_time_only(self):
        slow = 'use = "mlp"\nwidth = 200'  # ms a step: 12 s, of which it sees few
        only = 'only = ["train.*"]\n'  # no samples: it lasts long enough for some
        self.study.write_text((STUDY + CSV + only).replace('use = "mlp"', slow))
        running = self.start("run", self.study, "-j", 1)
        state = self.directory / "uplink" / "csv.json"
        uplinks.wait_for(state.exists)
        self.assertTrue(self.status("csv")["running"])
        running.send_signal(signal.SIGKILL)
        running.communicate()
        uplinks.wait_for(lambda: not self.status("csv")["running"], seconds=100)
        self.assertEqual(self.paribus("resume", self.directory).returncode, 0)
        self.assertEqual(len(uplinks.delivered(self.directory)), 6 * 10)


class Refused(WithTrackers):
    def refusal(self, *trackers):
        self.write(*trackers)
        done = self.paribus("check", self.study)
        self.assertEqual(done.returncode, 2)
        return done.stderr

    def test_a_password_in_the_file(self):
        told = self.refusal(
            '[[tracker]]\nuse = "webhook"\nurl = "https://me:secret@example.org/hook"\n'
        )
        self.assertRegex(told, r"k\.toml:\d+:7: tracker/webhook: 'url' holds a name or password")
        self.assertNotIn("secret", told)

    def test_patterns_that_are_none(self):
        told = self.refusal('[[tracker]]\nuse = "csv"\nonly = 3\n')
        self.assertRegex(told, r"k\.toml:\d+:8: tracker/csv: 'only' got ")

    def test_a_wait_without_a_unit(self):
        self.study.write_text(STUDY.replace('"3s"', '"3"') + CSV)
        done = self.paribus("check", self.study)
        self.assertIn("study: 'tracker_wait' got \"3\", expected a number and s, min", done.stderr)

    def test_a_misspelt_tracker(self):
        self.assertIn("did you mean 'csv'?", self.refusal('[[tracker]]\nuse = "cvs"\n'))

    def test_sync_of_what_has_none(self):
        self.write()
        self.paribus("run", self.study, "-q")
        done = self.paribus("sync", self.directory)
        self.assertEqual(done.returncode, 2)
        self.assertIn("has no [[tracker]]", done.stderr)
        done = self.paribus("sync", self.folder)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


del Base
