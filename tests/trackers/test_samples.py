# SPDX-License-Identifier: Apache-2.0
"""What was sampled of the machine and of trials reaches each tracker once, where it has a place for such things."""

import json
import random
from functools import partial

import pytest
from faulty import now_and_then
from journals import MAGIC, event, points, series
from recorder import Recorder
from test_wandb import home, wandb
from test_wandb_offline import runs, wandb_sync
from test_webhook import Receiver
from uplinks import Uplink, delivered, kill_midway, rows, status, study, sync, tracker, written

STARTED = 1000.5
FIRST, SECOND = "00000000", "00000001"


def system_log(folder, samples=40, begun=5, ended=25) -> list[tuple]:
    """The first trial is there from `begun` to `ended`, the second from the next sample on. What each is to get."""
    names = ["load", f"trials/{FIRST}/cpu", f"trials/{FIRST}/memory", f"trials/{SECOND}/cpu"]
    log = MAGIC + event(event="start", time=STARTED, every=15)
    log += b"".join(series(name, "B" if "memory" in name else "") for name in names)
    expected = []
    for number in range(samples):
        step = 15 * number
        log += points(0, [step], [number / 8])
        of = FIRST if begun <= number <= ended else SECOND if number > ended else None
        if of is None:
            continue
        own = [(1, "cpu", 50 + number), (2, "memory", 1e9)] if of == FIRST else [(3, "cpu", 99.5)]
        expected.append((of, "system/load", step, number / 8))
        for which, name, value in own:
            log += points(which, [step], [value])
            expected.append((of, f"system/trial.{name}", step, float(value)))
    (folder / "journal" / "system.log").write_bytes(log)
    return expected


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_each_run_gets_its_own_and_the_machines_of_its_time(tmp_path):
    expected = study(tmp_path)
    expected += system_log(tmp_path)
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted(expected)
    assert status(tmp_path, "csv")["points"] == len(expected)
    for row in rows(tmp_path):
        if row["metric"].startswith("system/"):
            assert float(row["time"]) == STARTED + int(row["step"])
    for _ in range(2):
        assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted(expected)


def test_only_those_that_want_it(tmp_path):
    expected = study(tmp_path)
    sampled = system_log(tmp_path)
    some = [
        tracker("csv", name="a", only=["train.*"]),
        tracker("csv", name="b", only=["system/trial.*"]),
    ]
    assert sync(tmp_path, *some) == 0
    assert delivered(tmp_path, "a") == expected
    own = [point for point in sampled if point[1].startswith("system/trial.")]
    assert delivered(tmp_path, "b") == sorted(own)


def test_kills_at_random(tmp_path):
    chance = random.Random(3)
    expected = study(tmp_path, trials=2, steps=3000) + system_log(tmp_path, 3000, 5, 1500)
    growths = (chance.randrange(20_000) for _ in range(25))
    kill_midway(
        partial(Uplink, tmp_path, tracker("csv")), partial(written, tmp_path, "csv"), growths
    )
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted(expected)


def test_a_peer_that_fails_now_and_then(tmp_path):
    expected = study(tmp_path, trials=2) + system_log(tmp_path)
    receiver = Receiver(faults=now_and_then(503, 3, times=5))
    sent = tracker("webhook", url=f"http://127.0.0.1:{receiver.port}/", points=7)
    assert sync(tmp_path, sent, wait=100.0) == 0
    assert receiver.points() == sorted(expected)
    receiver.close()


def test_it_grows_as_the_study_runs(tmp_path):
    """A trial that runs, and is resumed: samples come before its end, and after it goes on."""
    study(tmp_path, trials=1)
    journal, log = (tmp_path / "journal" / name for name in (f"{FIRST}.log", "system.log"))
    begun = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5])
    journal.write_bytes(begun)
    head = MAGIC + event(event="start", time=STARTED) + series(f"trials/{FIRST}/cpu")
    log.write_bytes(head + points(0, [5], [1.0]))
    assert sync(tmp_path, tracker("csv")) == 0
    first = [(FIRST, "a", 1, 0.5), (FIRST, "system/trial.cpu", 5, 1.0)]
    assert delivered(tmp_path) == first
    torn = points(0, [20], [2.0])
    log.write_bytes(log.read_bytes() + torn[:9])
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == first
    log.write_bytes(log.read_bytes()[:-9] + torn + event(event="resume", step=20))
    begun += event(event="resume", step=1)  # after each sync it counts as stopped
    ended = begun + event(event="end", status="stopped", steps=1, seconds=1.0)
    journal.write_bytes(ended)
    assert sync(tmp_path, tracker("csv")) == 0
    log.write_bytes(log.read_bytes() + points(0, [35], [3.0]))
    assert sync(tmp_path, tracker("csv")) == 0  # taken as the trial ended: too late for now
    assert len(delivered(tmp_path)) == 3
    journal.write_bytes(ended + event(event="resume", step=1) + points(0, [2], [0.25]))
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted(
        [
            *first,
            (FIRST, "system/trial.cpu", 20, 2.0),
            (FIRST, "system/trial.cpu", 35, 3.0),
            (FIRST, "a", 2, 0.25),
        ]
    )


@pytest.mark.parametrize(
    "log", [b"", b"paribus\x02 of another time", b"nonsense", MAGIC + b"\xff" * 99]
)
def test_a_log_that_is_none_costs_nothing_else(tmp_path, log):
    expected = study(tmp_path)
    (tmp_path / "journal" / "system.log").write_bytes(log)
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == expected


def test_what_stands_before_damage_comes(tmp_path):
    expected = study(tmp_path)
    sampled = system_log(tmp_path, samples=2000, ended=2000)
    log = tmp_path / "journal" / "system.log"
    whole = log.read_bytes()
    half = len(whole) // 2
    log.write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    uplink = Uplink(tmp_path, tracker("csv"))
    assert uplink.finish() == 0
    assert "system.log: is damaged at byte" in uplink.output
    got = set(delivered(tmp_path))
    assert got < set(expected + sampled)
    assert set(expected) < got
    assert len(got) - len(expected) > len(sampled) // 3


def samples_of(server, trial):
    (run,) = (run for name, run in server.runs.items() if name.startswith(trial))
    return run


def check_wandb(server, expected):
    for trial in (FIRST, SECOND):
        run = samples_of(server, trial)
        assert not any("system" in name for row in run.rows() for name in row)
        assert not any("system" in name for name in run.summary if name != "_wandb")
        mine = [point for point in expected if point[0] == trial]
        got = [
            (
                trial,
                name.replace("system.", "system/", 1),
                round(line["_timestamp"] - STARTED),
                value,
            )
            for line in run.samples()
            for name, value in line.items()
            if name.startswith("system.")
        ]
        assert sorted(got) == sorted(mine)


def test_wandb_has_them_beside_the_history(tmp_path, server):
    study(tmp_path, trials=2)
    expected = system_log(tmp_path)
    assert sync(tmp_path, wandb(server), environment=home(tmp_path)) == 0
    check_wandb(server, expected)
    line = samples_of(server, FIRST).samples()[0]
    assert line["_wandb"] is True
    assert line["_runtime"] == line["_timestamp"] - 1.0  # its trial began at 1


def test_wandb_whatever_dies(tmp_path, server):
    chance = random.Random(4)
    study(tmp_path, trials=2, steps=500)
    expected = system_log(tmp_path, 800, 5, 400)
    start = partial(Uplink, tmp_path, wandb(server), environment=home(tmp_path))
    growths = (chance.randrange(4) for _ in range(10))
    kill_midway(start, lambda: len(server.requests), growths)
    assert sync(tmp_path, wandb(server), environment=home(tmp_path)) == 0
    check_wandb(server, expected)


def test_wandbs_own_sync_takes_them(tmp_path, server):
    study(tmp_path, trials=2)
    expected = system_log(tmp_path)
    assert sync(tmp_path, tracker("wandb_offline")) == 0
    wandb_sync(tmp_path, server, *runs(tmp_path))
    check_wandb(server, expected)


def test_positions_of_before_are_understood(tmp_path):
    """Those of a program that knew nothing of samples."""
    expected = study(tmp_path, trials=1)
    assert sync(tmp_path, tracker("csv")) == 0
    file = tmp_path / "uplink" / "csv.log"
    known = [json.loads(line) for line in _events(file.read_bytes())]
    old = MAGIC
    for one in known:
        if one["event"] == "position":
            position = json.loads(one["position"])
            del position["system"]
            one["position"] = json.dumps(position)
        old += event(**one)
    file.write_bytes(old)
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == expected


def _events(data: bytes):
    at = len(MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        yield data[at + 5 : at + 5 + length]
        at += length + 9
