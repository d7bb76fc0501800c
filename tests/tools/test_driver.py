# SPDX-License-Identifier: Apache-2.0
"""run, check, resume and lr-find from the shell's side, with a scripted worker (fake_worker.py) in LibTorch's place."""

import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

import h5py
import manifests

# Beside the real program lie the built-in parts, which would be in the way of the ones here.
LONELY = tempfile.TemporaryDirectory()
PARIBUS = shutil.copy(os.environ["PARIBUS"], LONELY.name)
Path(LONELY.name, "paribus-system").symlink_to(
    Path(os.environ["PARIBUS"]).with_name("paribus-system")
)
ABI = manifests.abi_of(os.environ["PARIBUS_ABI_HEADER"])
WORKER = Path(__file__).with_name("fake_worker.py")

STUDY = """\
[study]
question = "Does k help?"
metric = "valid.accuracy"
seeds = 6

[data]
use = "digits"

[model]
use = "mlp"

[train]
epochs = 5

[arms]
plain = {}
five = { optimizer = { k = 5 } }
"""


class WithPlugins(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        plugins = self.folder / "plugins"
        plugins.mkdir()
        field = manifests.field
        for kind, name, params, more in [
            ("dataset", "digits", [], {}),
            ("model", "mlp", [field("width", "int", 1)], {}),
            ("loss", "cross_entropy", [], {}),
            ("metric", "accuracy", [], {"goal": "maximize", "unit": "fraction"}),
            ("optimizer", "sgd", [field("lr", "float", 0.1, live=True), field("k", "int", 0)], {}),
        ]:
            manifests.write_plugin(plugins, kind, name, ABI, params, **more)
        self.environment = os.environ | {
            "PARIBUS_WORKER": str(WORKER),
            "PARIBUS_PLUGINS": str(plugins),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "TERM": "xterm",
        }
        self.study = self.folder / "k.toml"
        self.study.write_text(STUDY)
        self.directory = self.folder / "runs" / "k"

    def paribus(self, *words):
        return subprocess.run(
            [PARIBUS, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=120,
        )

    def start(self, *words):
        return subprocess.Popen(
            [PARIBUS, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def statuses(self):
        rows = json.loads(self.paribus("results", self.directory, "--json").stdout)["rows"]
        return sorted(row["status"] for row in rows)

    def wait_for_journals(self, count):
        deadline = time.time() + 60
        while len(list(self.directory.glob("journal/[0-9a-f]*.log"))) < count:
            self.assertLess(time.time(), deadline, "no trial began")
            time.sleep(0.02)


class Run(WithPlugins):
    def test_ends_with_table_and_verdict(self):
        done = self.paribus("run", self.study, "-j", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^plain +6 +0\.")
        self.assertRegex(done.stdout, r"(?m)^five +6 +0\.9")
        self.assertRegex(done.stdout, r"(?m)^five +6 .* better$")
        self.assertEqual(done.stderr.count(": starts\n"), 12)
        self.assertIn("12 of 12 done", done.stderr)
        with h5py.File(self.directory / "results.h5") as sealed:
            self.assertIn("trials", sealed)
        lock = json.loads((self.directory / "paribus.lock").read_text())
        self.assertEqual(
            sorted(part for plugin in lock["plugins"] for part in plugin["parts"]),
            [
                "dataset/digits",
                "loss/cross_entropy",
                "metric/accuracy",
                "model/mlp",
                "optimizer/sgd",
            ],
        )

    def test_runs_once_ever(self):
        first = self.paribus("run", self.study)
        log = (self.directory / "journal" / "study.log").read_bytes()
        again = self.paribus("run", self.study)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("all 12 trials are done already (--fresh runs them again)", again.stderr)
        self.assertEqual(again.stdout, first.stdout)
        self.assertEqual((self.directory / "journal" / "study.log").read_bytes(), log)
        fresh = self.paribus("run", self.study, "--fresh")
        self.assertEqual(fresh.stderr.count(": starts\n"), 12)

    def test_a_widened_study_runs_only_what_is_new(self):
        self.paribus("run", self.study)
        wider = self.paribus("run", self.study, "-s", "study.seeds=8")
        self.assertIn("12 of 16 trials are done already", wider.stderr)
        self.assertEqual(wider.stderr.count(": starts\n"), 4)

    def test_loader_threads_change_no_id(self):
        self.paribus("run", self.study)
        again = self.paribus("run", self.study, "-s", "data.workers=3")
        self.assertIn("all 12 trials are done already", again.stderr)

    def test_quiet_says_nothing_but_the_table(self):
        done = self.paribus("run", self.study, "--quiet")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("valid.accuracy", done.stdout)

    def test_a_failed_trial_fails_the_run_and_no_other(self):
        self.study.write_text(STUDY.replace("seeds = 6", "seeds = [1, 2, 66]"))
        done = self.paribus("run", self.study)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("seed 66: failed: loss is not finite at step 7", done.stderr)
        self.assertIn("2 of 6 trials failed", done.stderr)
        self.assertEqual(self.statuses(), ["done"] * 4 + ["failed"] * 2)

    def test_a_directory_is_run_by_one_driver(self):
        self.study.write_text(STUDY.replace('use = "mlp"', 'use = "mlp"\nwidth = 300'))
        running = self.start("run", self.study)
        self.wait_for_journals(1)
        second = self.paribus("run", self.study)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        self.assertEqual(second.returncode, 2)
        self.assertIn(
            "is being run by another process; wait for it, or name another folder with --dir",
            second.stderr,
        )


class Interrupt(WithPlugins):
    def setUp(self):
        super().setUp()
        self.study.write_text(
            STUDY.replace('use = "mlp"', 'use = "mlp"\nwidth = 60').replace(
                "seeds = 6", "seeds = 2"
            )
        )

    def test_once_stops_and_resume_finishes(self):
        running = self.start("run", self.study, "-j", 2)
        self.wait_for_journals(2)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130, errors)
        self.assertIn("go on with: paribus resume runs/k", errors)
        self.assertIn("stopped", self.statuses())
        resolved = (self.directory / "study.toml").read_text()
        done = self.paribus("resume", "runs/k")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(": resumes\n", done.stderr)
        self.assertNotIn("begin anew", done.stderr)
        self.assertIn("k.toml:4:9", resolved, "where a value came from")
        self.assertEqual((self.directory / "study.toml").read_text(), resolved)
        self.assertEqual(self.statuses(), ["done"] * 4)

    def test_a_killed_driver_takes_its_worker_along(self):
        running = self.start("run", self.study, "-j", 2)
        self.wait_for_journals(2)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        running.kill()
        running.communicate(timeout=60)
        self.assertTrue(children)
        deadline = time.time() + 10
        while any(Path(f"/proc/{pid}/exe").exists() for pid in children):
            self.assertLess(time.time(), deadline, "the worker outlived its driver")
            time.sleep(0.05)
        done = self.paribus("resume", "runs/k")
        self.assertEqual((done.returncode, self.statuses()), (0, ["done"] * 4), done.stderr)

    def test_another_worker_takes_the_place_of_a_killed_one(self):
        running = self.start("run", self.study, "-j", 2)
        self.wait_for_journals(2)
        worker = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()[0]
        os.kill(int(worker), signal.SIGKILL)
        _, errors = running.communicate(timeout=60)
        self.assertEqual((running.returncode, self.statuses()), (0, ["done"] * 4), errors)
        self.assertIn("paribus-worker was ended by SIGKILL (killed)", errors)
        self.assertIn("starting another", errors)


class Check(WithPlugins):
    def test_a_fine_study(self):
        done = self.paribus("check", self.study)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^plain +6 +10 +1,234,567 +60,000  cpu bf16 contiguous$")
        self.assertIn(
            "k.toml is fine: 12 trials, 120 steps in all; metric valid.accuracy", done.stdout
        )
        self.assertFalse(self.directory.exists(), "check writes nothing")

    def test_json(self):
        answer = json.loads(self.paribus("check", self.study, "--json").stdout)
        self.assertEqual(
            [len(answer["trials"]), answer["ok"], answer["trials"][0]["facts"]["parameters"]],
            [12, True, 1234567],
        )
        self.assertEqual(len({trial["id"] for trial in answer["trials"]}), 12)

    def test_the_worker_s_problem_stands_at_its_place(self):
        self.study.write_text(STUDY.replace('use = "mlp"', 'use = "mlp"\nwidth = 13'))
        for command in ("check", "run"):
            done = self.paribus(command, self.study)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(
                done.stderr,
                r"k\.toml:11:\d+: model/mlp: 13 is an unlucky width, expected another\n",
            )
        self.assertFalse(self.directory.exists(), "nothing is written")
        problems = json.loads(self.paribus("check", self.study, "--json").stdout)["problems"]
        self.assertEqual([problems[0]["line"], len(problems)], [11, 1])

    def test_a_misspelt_key(self):
        done = self.paribus("check", self.study, "-s", "model.widht=3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'width'?", done.stderr)

    def test_a_worker_that_is_not_there(self):
        self.environment["PARIBUS_WORKER"] = "/nonexistent/worker"
        done = self.paribus("check", self.study)
        self.assertEqual(
            (done.returncode, done.stderr),
            (2, "can't run the worker /nonexistent/worker: No such file or directory\n"),
        )


class Words(WithPlugins):
    def test_version_and_help(self):
        self.assertRegex(self.paribus("--version").stdout, r"^paribus \d+\.\d+\.\d+\n$")
        text = self.paribus("--help").stdout
        for command in (
            "run",
            "check",
            "resume",
            "status",
            "results",
            "compare",
            "fsck",
            "seal",
            "plugins",
            "lr-find",
        ):
            self.assertRegex(text, rf"(?m)^  {command} ")

    def test_misspelt_words(self):
        for words, error in {
            ("check", self.study, "--jsn"): "there is no option '--jsn'; did you mean '--json'?",
            ("plugins", "shwo"): "there is no command 'shwo'; did you mean 'show'?",
            ("status", "a", "b"): "'b' is one word too many",
            ("results",): "DIR is required",
        }.items():
            done = self.paribus(*words)
            self.assertEqual(
                (done.returncode, done.stderr),
                (2, f"paribus: {error}\ntry: paribus {words[0]} --help\n"),
            )

    def test_a_misspelt_command(self):
        done = self.paribus("rnu", self.study)
        self.assertEqual(
            (done.returncode, done.stderr),
            (2, "paribus: there is no command 'rnu'; did you mean 'run'?\ntry: paribus --help\n"),
        )

    def test_without_a_command_all_are_listed(self):
        done = self.paribus()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for command in ("run", "check", "resume", "status", "results", "compare", "plugins"):
            self.assertRegex(done.stderr, rf"(?m)^  {command} ")

    def test_no_study_in_a_folder(self):
        done = self.paribus("resume", self.folder / "plugins")
        self.assertEqual(done.returncode, 2)
        self.assertIn(
            "is no study's directory: it has no study.toml; start one with: paribus run STUDY.toml",
            done.stderr,
        )

    def test_a_missing_argument(self):
        done = self.paribus("run")
        self.assertEqual(
            (done.returncode, done.stderr.splitlines()[-1]), (2, "try: paribus run --help")
        )

    def test_lr_find(self):
        done = self.paribus("lr-find", self.study)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("suggested: 0.1", done.stdout)
        self.assertGreater(done.stdout.count("*"), 20)
        self.assertEqual(
            len(json.loads(self.paribus("lr-find", self.study, "--json").stdout)["points"]), 50
        )
        wrong = self.paribus("lr-find", self.study, "--low", 1, "--high", 0.1)
        self.assertEqual(
            (wrong.returncode, wrong.stderr),
            (2, "lr-find: --low is 1, expected less than --high, which is 0.1\n"),
        )


class Terminal(WithPlugins):
    def watch(self, columns):
        """Everything that a run writes to a terminal of that width."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        running = subprocess.Popen(
            [PARIBUS, "run", str(self.study), "-j", "2"],
            stdout=subprocess.DEVNULL,
            stderr=slave,
            cwd=self.folder,
            env=self.environment,
        )
        os.close(slave)
        text = b""
        while True:
            try:
                text += os.read(master, 65536)
            except OSError:
                break
        os.close(master)
        self.assertEqual(running.wait(timeout=60), 0)
        return text.decode()

    def test_draws_in_place_within_the_width(self):
        self.study.write_text(
            STUDY.replace('use = "mlp"', 'use = "mlp"\nwidth = 60').replace(
                "seeds = 6", "seeds = 2"
            )
        )
        for columns in (100, 40):
            shutil.rmtree(self.directory, ignore_errors=True)
            text = self.watch(columns)
            self.assertIn("plain, seed 0", text)
            self.assertRegex(text, r"\d of 4 done, 2 running")
            self.assertRegex(text, r"\x1b\[3A")
            self.assertNotIn("\x1b[31m", text, "NO_COLOR is set")
            picture = text[: text.index("all of it is in")]
            for line in picture.replace("\r", "").split("\n"):
                for piece in line.split("\x1b[K")[0].split("\x1b["):
                    self.assertLessEqual(len(piece), columns + 4, piece)


if __name__ == "__main__":
    unittest.main()
