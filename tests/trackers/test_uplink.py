# SPDX-License-Identifier: Apache-2.0
"""Every point once, whatever dies when; only what was asked for; ended in time."""

import random
import time
from functools import partial
from pathlib import Path

import pytest
from journals import MAGIC, event, points, series
from uplinks import (
    Uplink,
    delivered,
    journals,
    kill_midway,
    rows,
    status,
    study,
    sync,
    tracker,
    wait_for,
    written,
)


def calls(folder) -> list[str]:
    return (folder / "trackers" / "log" / "calls.txt").read_text().splitlines()


def test_a_study_that_is_done_is_delivered_whole(tmp_path):
    expected = study(tmp_path, trials=5)
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == expected
    row = rows(tmp_path)[0]
    assert (row["arm"], row["seed"]) == ("base", "0")
    assert status(tmp_path, "csv")["state"] == "up to date"
    assert status(tmp_path, "csv")["points"] == len(expected)


def test_a_second_time_nothing_comes_again(tmp_path):
    study(tmp_path)
    for _ in range(3):
        assert sync(tmp_path, tracker("log")) == 0
    made = [call.split()[0] for call in calls(tmp_path)]
    assert made[0] == "open" and made[10:] == ["open"] * 2
    assert sorted(made[1:10]) == ["begin"] * 3 + ["end"] * 3 + ["log"] * 3


def test_points_come_as_the_journal_grows(tmp_path):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    path.write_bytes(MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5]))
    uplink = Uplink(tmp_path, tracker("csv"))
    wait_for(lambda: len(delivered(tmp_path)) == 1)
    with path.open("ab") as journal:
        journal.write(series("b/c") + points(1, [1, 2], [1.5, float("inf")]))
        journal.flush()
        wait_for(lambda: len(delivered(tmp_path)) == 3)
        whole = points(0, [2], [0.25])
        journal.write(whole[:7])  # a record that is being written
        journal.flush()
        time.sleep(0.5)
        assert len(delivered(tmp_path)) == 3
        journal.write(whole[7:])
    assert uplink.finish() == 0
    assert [row[1:] for row in delivered(tmp_path)] == [
        ("a", 1, 0.5),
        ("a", 2, 0.25),
        ("b/c", 1, 1.5),
        ("b/c", 2, float("inf")),
    ]


def test_what_a_resumed_trial_makes_again_comes_once(tmp_path):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    first = MAGIC + event(event="start", time=1.0) + series("a") + points(0, range(1, 9), [0.5] * 8)
    path.write_bytes(first)
    assert sync(tmp_path, tracker("csv")) == 0
    again = event(event="resume", step=4) + points(0, range(4, 12), [0.5] * 8)
    path.write_bytes(first + again + event(event="start") + points(0, range(1, 15), [0.5] * 14))
    assert sync(tmp_path, tracker("csv")) == 0
    assert [step for _, _, step, _ in delivered(tmp_path)] == list(range(1, 15))


@pytest.mark.parametrize("cut", [9, 60, 120])
def test_a_journal_that_was_cut_or_made_anew_is_read_again(tmp_path, cut):
    expected = study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    whole = path.read_bytes()
    assert sync(tmp_path, tracker("csv")) == 0
    path.write_bytes(whole[:cut])
    assert sync(tmp_path, tracker("csv")) == 0
    # Its series in another order, and one more of them.
    path.write_bytes(
        MAGIC
        + event(event="start", time=2.0)
        + series("new")
        + series("train.loss")
        + points(0, [1], [1.0])
        + points(1, range(1, 11), [1 / step for step in range(1, 11)])
    )
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted([*expected, ("00000000", "new", 1, 1.0)])


def test_kills_at_random(tmp_path):
    """Whenever it dies: every point is there, once, in the end."""
    chance = random.Random(1)
    expected = study(tmp_path, trials=30, steps=400)
    start = partial(Uplink, tmp_path, tracker("csv"), tracker("tensorboard"))
    growths = (chance.randrange(20_000) for _ in range(25))
    kill_midway(start, partial(written, tmp_path, "csv"), growths)
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == expected


def test_a_torn_position_costs_no_point(tmp_path):
    expected = study(tmp_path)
    assert sync(tmp_path, tracker("csv")) == 0
    log = tmp_path / "uplink" / "csv.log"
    whole = log.read_bytes()
    for size in range(0, len(whole), 37):
        log.write_bytes(whole[:size])
        assert sync(tmp_path, tracker("csv")) == 0
        assert delivered(tmp_path) == expected, f"{size} bytes of positions"


def test_files_that_somebody_removed_are_made_again(tmp_path):
    expected = study(tmp_path)
    assert sync(tmp_path, tracker("csv")) == 0
    half = tmp_path / "trackers" / "csv" / "00000001.csv"
    half.write_text(half.read_text()[:50])
    path = tmp_path / "journal" / "00000001.log"
    path.write_bytes(path.read_bytes() + points(0, [11], [0.5]))
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == sorted([*expected, ("00000001", "train.loss", 11, 0.5)])


def test_each_gets_what_it_asked_for(tmp_path):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    names = ["train.loss", "valid.loss", "valid.accuracy", "lr"]
    body = b"".join(series(name) for name in names)
    body += b"".join(points(number, [1], [1.0]) for number in range(4))
    path.write_bytes(MAGIC + event(event="start", time=1.0) + body)
    filters = {"all": (), "valid": ("valid.*",), "two": ("?r", "*.accuracy"), "none": ("loss",)}
    assert sync(tmp_path, *(tracker("csv", name, only) for name, only in filters.items())) == 0
    got = {name: {row[1] for row in delivered(tmp_path, name)} for name in filters}
    assert got == {
        "all": set(names),
        "valid": {"valid.loss", "valid.accuracy"},
        "two": {"lr", "valid.accuracy"},
        "none": set(),
    }


@pytest.mark.parametrize("fail", ["later", "over"])
def test_what_a_tracker_could_not_take_comes_again(tmp_path, fail):
    study(tmp_path)
    assert sync(tmp_path, tracker("log", fail=fail, call=2)) == 0
    assert status(tmp_path, "log")["points"] == 30
    again = [call for call in calls(tmp_path) if call == "log 00000001 0 10"]
    assert len(again) == 2


def test_one_that_gives_up_leaves_the_others_alone(tmp_path):
    expected = study(tmp_path)
    assert sync(tmp_path, tracker("log", fail="error", call=2), tracker("csv")) == 1
    assert delivered(tmp_path) == expected
    told = status(tmp_path, "log")
    assert (told["state"], told["problem"]) == ("gave up", "tracker/log: no more")
    assert sync(tmp_path, tracker("log")) == 0
    assert status(tmp_path, "log")["points"] == 30


def test_one_that_throws_anything_gives_up(tmp_path):
    study(tmp_path)
    assert sync(tmp_path, tracker("log", fail="throw", call=2)) == 1
    told = status(tmp_path, "log")["problem"]
    assert told == "tracker/log: it threw what is no std::exception"


def test_a_journal_that_is_none_costs_no_other_trial(tmp_path):
    expected = study(tmp_path)
    (tmp_path / "journal" / "00000001.log").write_text("something else")
    assert sync(tmp_path, tracker("csv")) == 1
    assert "00000001.log: is not a journal" in status(tmp_path, "csv")["problem"]
    assert delivered(tmp_path) == [one for one in expected if one[0] != "00000001"]


def test_one_that_crashes_loses_no_point(tmp_path):
    expected = study(tmp_path)
    assert sync(tmp_path, tracker("log", fail="crash", call=2), tracker("csv")) < 0
    assert sync(tmp_path, tracker("log"), tracker("csv")) == 0
    assert delivered(tmp_path) == expected
    # It was within its second batch: that one comes again with the same points.
    assert calls(tmp_path).count("log 00000001 0 10") == 2


def test_how_trials_ended(tmp_path):
    journals.write_study(tmp_path, {"base": {0: 0.5, 1: None, 2: 0.5, 3: 0.5}})
    start = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5])
    for seed in (2, 3):
        (tmp_path / "journal" / f"00{seed:06x}.log").write_bytes(start)
    with (tmp_path / "journal" / "study.log").open("ab") as log:
        log.write(event(event="begin", trial="00000002"))
        log.write(event(event="exit", trial="00000002", code=0, signal=11, message="it crashed"))
        log.write(event(event="begin", trial="00000003"))
    assert sync(tmp_path, tracker("log")) == 0
    ends = sorted(call for call in calls(tmp_path) if call.startswith("end"))
    assert ends == [
        "end 00000000 done ",
        "end 00000001 failed ",
        "end 00000002 failed it crashed",
        "end 00000003 stopped its process ended without a word",
    ]


def test_one_uplink_at_a_time_waits_for_the_other(tmp_path):
    expected = study(tmp_path)
    first = Uplink(tmp_path, tracker("csv"))
    wait_for(lambda: delivered(tmp_path) == expected)
    second = Uplink(tmp_path, tracker("csv"))
    assert first.finish() == 0
    assert second.finish() == 0
    assert delivered(tmp_path) == expected


def test_memory_does_not_grow_with_the_journal(tmp_path):
    study(tmp_path, trials=1)
    block = points(0, range(1, 5001), [0.5] * 5000)
    path = tmp_path / "journal" / "00000000.log"
    with path.open("wb") as journal:
        journal.write(MAGIC + event(event="start", time=1.0) + series("a"))
        for resumed in range(400):  # 2,000,000 points, those after the first 5,000 made again
            journal.write(block + event(event="resume", step=resumed % 3))
        journal.write(series("b"))
        for first in range(1, 1_000_001, 5000):
            steps = range(first, first + 5000)
            journal.write(points(1, steps, [0.5] * 5000))
    uplink = Uplink(tmp_path, tracker("csv", only=["a"]))
    peak = 0
    while uplink.process.poll() is None and status_or_none(tmp_path) != "up to date":
        for line in Path(f"/proc/{uplink.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1])
        if peak and uplink.process.stdin and not uplink.process.stdin.closed:
            uplink.process.stdin.close()
        time.sleep(0.05)
    uplink.process.wait(timeout=60)
    assert uplink.process.returncode == 0
    assert len(delivered(tmp_path)) == 5000
    assert 0 < peak < 64 * 1024, f"{peak} KiB"


def status_or_none(folder):
    try:
        return status(folder, "csv")["state"]
    except FileNotFoundError:
        return None
