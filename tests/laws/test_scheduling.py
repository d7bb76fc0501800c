# SPDX-License-Identifier: Apache-2.0
"""What decides as it goes which trials run, or runs what trials share but once, changes no number: whatever -j is, and
however often the driver, the worker or a trial is killed on the way."""

import json
import random
import re
import signal
import time

import h5py
import pytest
from cases import ADAPTIVE, BASE
from lab import Lab, differences
from test_kill_anywhere import RICH, children, kill

HEAD = 'study = { metric = "valid.loss", seeds = [7], threads = 1 }\n'

# Worse beyond doubt, exactly the same, and too close to tell.
SEEDS = f"""\
study = {{ metric = "valid.loss", seeds = "until decided", max_seeds = 9, threads = 1 }}
{BASE}
[arms]
base = {{}}
worse = {{ optimizer.lr = 1e-5 }}
same = {{ "callback.ema" = {{ use = "ema", decay = 0.0 }} }}
close = {{ optimizer.lr = 0.0501 }}
"""

# One cycle that begins alike, cut to 16 tails: four rates from epoch 2 on, each with four from epoch 4 on.
VALUES = [
    [0.1, middle, last] for middle in (0.1, 0.05, 0.02, 0.01) for last in (0.1, 0.01, 1e-3, 1e-4)
]
TAILS = f"""\
{HEAD}callback = ["histograms", "interpret", "pictures"]
{BASE}
[schedule]
"optimizer.lr" = {{ use = "pieces", at = [2.0, 4.0], values = [0.1, 0.1, 0.1] }}
[sweep]
"schedule.optimizer.lr.values" = {VALUES}
""".replace("epochs = 3", "epochs = 6")
STEPS_OF_EPOCH = 7


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("scheduling"), "kill_at")


def events(file, name: str) -> list[dict]:
    """Those of that name in a journal."""
    found, at = [], 0
    text = file.read_bytes().decode(errors="replace")
    while match := re.compile(r'\{"').search(text, at):
        try:
            event, at = json.JSONDecoder().raw_decode(text, match.start())
        except json.JSONDecodeError:
            at = match.end()
            continue
        found += [event] if event.get("event") == name else []
    return found


class Killed:
    """Runs of a study whose driver, worker and trials are killed at drawn instants."""

    def __init__(self, lab, study, name: str, undisturbed, seconds: float):
        self.lab, self.study, self.name = lab, study, name
        self.undisturbed, self.seconds = undisturbed.all(), seconds
        self.draw, self.struck, self.number = random.Random(name), [], 0

    @property
    def directory(self):
        return self.lab.folder / "runs" / f"{self.name}-killed-{self.number}"

    def start(self):
        resuming = (self.directory / "study.toml").exists()
        words = ["resume", self.directory] if resuming else ["run", self.study]
        if not resuming:
            words += ["--dir", self.directory]
        return self.lab.start(*words, "-j", 2)

    def kill(self, times: int):
        """That often, and lets it end; each that ends is compared, and if it came too early another begun."""
        while len(self.struck) < times:
            running = self.start()
            time.sleep(self.draw.uniform(0.1, 0.6) * self.seconds)
            whom = self.draw.choice(["driver", "worker", "trial"])
            if running.poll() is None and (whom == "driver" or children(running.pid)):
                self.struck.append(kill(running.pid, whom))
            if self.draw.random() < 0.5:  # what the driver does about it may be undisturbed
                time.sleep(0.3 * self.seconds)
            if running.poll() == 0:
                self.compare()
                self.number += 1
            running.kill()
            running.wait()
        assert self.start().wait(timeout=200) == 0, self.struck
        self.compare()

    def compare(self):
        results = self.lab.results(self.directory).all()
        assert differences(self.undisturbed, results) == [], self.struck


def timed(lab, study, name: str, *words):
    begin = time.monotonic()
    results = lab.run(study, name, *words)
    return results, time.monotonic() - begin


# Seeds until decided


@pytest.fixture(scope="module")
def bought(lab):
    return timed(lab, lab.write("seeds.toml", SEEDS), "seeds-1", "-j", 2)


def seeds_of(results) -> dict[str, int]:
    arms = [arm for arm, _ in results.rows]
    return {arm: arms.count(arm) for arm in arms}


def test_seeds_are_bought_for_what_is_undecided(lab, bought):
    results, _ = bought
    seeds = seeds_of(results)
    assert (seeds["base"], seeds["same"], seeds["close"]) == (9, 6, 9)
    assert 6 <= seeds["worse"] < 9
    told = json.loads(lab.answer("compare", lab.folder / "runs" / "seeds-1", "--json"))
    verdicts = {arm["arm"]: arm["verdict"] for arm in told["arms"]}
    assert verdicts == {"worse": "worse", "same": "identical", "close": "undecided"}


@pytest.mark.parametrize("jobs", [1, 4])
def test_seeds_bought_do_not_depend_on_jobs(lab, bought, jobs):
    other = lab.run(lab.folder / "seeds.toml", f"seeds-{jobs}", "-j", jobs)
    assert differences(bought[0].all(), other.all()) == []


def test_seeds_bought_under_kills(lab, bought):
    Killed(lab, lab.folder / "seeds.toml", "seeds", *bought).kill(5)


def test_seeds_are_bought_once(lab, bought):
    log = lab.folder / "runs" / "seeds-1" / "journal" / "study.log"
    before = log.read_bytes()
    lab.run(lab.folder / "seeds.toml", "seeds-1")
    assert log.read_bytes() == before
    wider = lab.run(lab.folder / "seeds.toml", "seeds-1", "-s", "study.max_seeds=11")
    assert seeds_of(wider) == seeds_of(bought[0]) | {"base": 11, "close": 11}
    begun = len(bought[0].rows) + 4
    assert len(events(log, "begin")) == begun, "only the four new trials ran"
    narrower = lab.run(lab.folder / "seeds.toml", "seeds-1", "-s", "study.max_seeds=9")
    assert differences(bought[0].all(), narrower.all()) == []
    assert len(events(log, "begin")) == begun


# Shared beginnings


@pytest.fixture(scope="module")
def naive(lab):
    study = lab.write("tails.toml", TAILS)
    return timed(lab, study, "tails-naive", "-j", 2, "-s", "study.share=false")


def steps_run(directory, results) -> int:
    """What trials made themselves: their steps but those of the checkpoint that they began with."""
    made = 0
    for row in results.rows.values():
        begun = events(directory / "journal" / f"{row['id']}.log", "branch")
        made += row["steps"] - (begun[-1]["step"] if begun else 0)
    return made


def test_sixteen_tails_train_their_beginnings_once(lab, naive):
    study = lab.folder / "tails.toml"
    steps = json.loads(lab.answer("check", study, "--json"))["steps"]
    tree = (1 + 4 + 16) * 2 * STEPS_OF_EPOCH  # pieces of two epochs, each once
    assert steps == {"asked": 16 * 6 * STEPS_OF_EPOCH, "run": tree}
    for jobs in (1, 2, 4):
        shared = lab.run(study, f"tails-{jobs}", "-j", jobs)
        assert differences(naive[0].all(), shared.all()) == []
        assert steps_run(lab.folder / "runs" / f"tails-{jobs}", shared) == tree
    assert steps_run(lab.folder / "runs" / "tails-naive", naive[0]) == steps["asked"]


def test_sixteen_tails_under_kills(lab, naive):
    killed = Killed(lab, lab.folder / "tails.toml", "tails", *naive)
    killed.kill(5)
    left = [path.name for path in killed.directory.glob("checkpoints/*/*")]
    assert not [name for name in left if name.startswith(("branch", "step"))], left


# Searches that look at results


@pytest.mark.parametrize("part", ADAPTIVE)
def test_a_search_under_kills(lab, part):
    name = part.replace("/", "-")
    study = lab.write(f"{name}.toml", HEAD + BASE + "[sweep]\n" + ADAPTIVE[part])
    Killed(lab, study, name, *timed(lab, study, f"{name}-1", "-j", 2)).kill(4)


@pytest.mark.parametrize("part", ["search/asha", "search/successive_halving"])
def test_points_that_are_one_trial_train_it_once(lab, part):
    """Of a list more points are asked for than there are: each job beyond the first of a trial finds its work done."""
    sweep = ADAPTIVE[part].split("\n")[0] + '\n"optimizer.lr" = [0.05, 0.1]\n'
    name = part.replace("/", "-") + "-list"
    study = lab.write(f"{name}.toml", HEAD + BASE + "[sweep]\n" + sweep)
    one, two, four = (lab.run(study, f"{name}-{jobs}", "-j", jobs).all() for jobs in (1, 2, 4))
    assert differences(one, two) + differences(one, four) == []
    assert len(one) == 2
    assert all(row["steps"] % STEPS_OF_EPOCH == 0 for row in one.values())


def test_a_trial_of_pbt_is_what_its_configuration_says(lab):
    """One that took over another's training gives, trained alone from its first step, the same bits."""
    study = lab.write("course.toml", HEAD + BASE + "[sweep]\n" + ADAPTIVE["search/pbt"])
    results = lab.run(study, "course")
    took_over = 0
    with h5py.File(lab.folder / "runs" / "course" / "results.h5") as sealed:
        configs = {trial: json.loads(text[()]) for trial, text in sealed["configs"].items()}
    for place, row in results.rows.items():
        config = configs[row["id"]]
        if not config["schedules"] or row["status"] != "done":
            continue
        took_over += 1
        pieces = {name: v["floats"] for name, v in config["schedules"][0]["part"]["params"].items()}
        text = f"""{HEAD}{BASE}
[schedule]
"optimizer.lr" = {{ use = "pieces", at = {pieces["at"]}, values = {pieces["values"]} }}
"""
        lr = f"optimizer.lr={config['optimizer']['params']['lr']['float']!r}"
        name = f"alone-{row['id']}"
        alone = lab.run(lab.write(f"{name}.toml", text), name, "-s", lr)
        (one,) = alone.all().values()
        other = results.trial(*place)
        assert [
            name for name in differences(one, other) if name not in ("arm", "optimizer.lr")
        ] == []
    assert took_over > 0


# Retries


@pytest.fixture(scope="module")
def rich(lab):
    return timed(lab, lab.write("rich.toml", RICH), "rich")


@pytest.mark.parametrize("retries, status", [(1, "done"), (0, "failed")])
def test_a_trial_that_was_killed_is_taken_up_again(lab, rich, retries, status):
    results, seconds = rich
    directory = lab.folder / "runs" / f"rich-{retries}"
    words = ["run", lab.folder / "rich.toml", "--dir", directory, "-s", f"study.retries={retries}"]
    running = lab.start(*words)
    trial = next(iter(results.rows.values()))["id"]
    journal = directory / "journal" / f"{trial}.log"
    end = time.monotonic() + 60
    while not (journal.exists() and events(journal, "checkpoint")):
        assert time.monotonic() < end and running.poll() is None
        time.sleep(0.01)
    assert kill(running.pid, "trial") == "trial"
    assert running.wait(timeout=60) == (status == "failed")
    exits = events(directory / "journal" / "study.log", "exit")
    assert exits[0]["signal"] == signal.SIGKILL
    rows = json.loads(lab.answer("results", directory, "--json"))["rows"]
    assert [row["status"] for row in rows] == [status]
    if status == "done":
        (end,) = [event for event in events(journal, "end") if event["status"] == "done"]
        saved = events(journal, "checkpoint")
        seconds = [event["seconds"] for event in saved]
        assert end["seconds"] > seconds[-1] > 0 and seconds == sorted(seconds), "none is lost"
        assert differences(results.all(), lab.results(directory).all()) == []
