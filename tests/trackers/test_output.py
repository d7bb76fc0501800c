# SPDX-License-Identifier: Apache-2.0
"""What trials print, and what a study leaves to read: each line once, in its place, whatever dies."""

import json
import random
import time
from functools import partial

import pytest
from faulty import Proxy, now_and_then
from journals import MAGIC, event, points, series
from recorder import Recorder
from test_wandb import KEY, home, wandb
from test_wandb_offline import runs, wandb_sync
from uplinks import Uplink, delivered, kill_midway, status, study, sync, tracker, wait_for

FIRST = "00000000"


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


def log_of(folder, trial=FIRST):
    (folder / "logs").mkdir(exist_ok=True)
    return folder / "logs" / f"{trial}.txt"


def printed(server, trial=FIRST) -> list[str]:
    """Lines without their times; a hole would show."""
    (run,) = (run for name, run in server.runs.items() if name.startswith(trial))
    assert sorted(run.output) == list(range(len(run.output)))
    return [run.output[number].split(" ", 1)[1] for number in sorted(run.output)]


def send(folder, server, **more):
    return sync(folder, wandb(server, **more), environment=home(folder))


def test_lines_as_a_terminal_would_leave_them(tmp_path, server):
    study(tmp_path)
    text = "first\n\n 10 %\r 50 %\r100 %\r\nwindows\r\nb\xe4d: \xff\n\x1b[31mred\x1b[0m\nno end"
    log_of(tmp_path).write_bytes(text.encode("latin-1"))
    assert send(tmp_path, server) == 0
    assert printed(server) == [
        "first",
        "",
        "100 %",
        "windows",
        "b\N{REPLACEMENT CHARACTER}d: \N{REPLACEMENT CHARACTER}",
        "\x1b[31mred\x1b[0m",
        "no end",
    ]
    before = len(server.requests)
    assert send(tmp_path, server) == 0
    assert len(server.requests) == before


def test_not_where_it_is_not_wanted(tmp_path, server):
    study(tmp_path)
    log_of(tmp_path).write_text("first\n")
    assert send(tmp_path, server, console=False) == 0
    assert not any(run.output for run in server.runs.values())


def test_no_secret_goes_with_it(tmp_path, server):
    study(tmp_path, trials=1)
    log_of(tmp_path).write_text(f"my key is {KEY}!\n")
    (tmp_path / "report.html").write_text(f"<p>{KEY}</p>")
    assert send(tmp_path, server) == 0
    assert printed(server) == ["my key is ***!"]
    for _, _, _, body in server.requests:
        assert KEY.encode() not in body


def test_it_grows_as_the_trial_does(tmp_path, server):
    """A line that has no end yet waits for it, or for the end of the trial; a trial that goes on prints on."""
    study(tmp_path, trials=1)
    journal, log = tmp_path / "journal" / f"{FIRST}.log", log_of(tmp_path)
    begun = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5])
    journal.write_bytes(begun)
    log.write_text("one\ntw")
    uplink = Uplink(tmp_path, wandb(server), environment=home(tmp_path))
    wait_for(lambda: server.runs and printed(server) == ["one"])
    log.write_text("one\ntwo\nthree\nfo")
    wait_for(lambda: printed(server) == ["one", "two", "three"])
    assert not the_run(server).complete
    ended = begun + event(event="end", status="stopped", steps=1, seconds=1.0)
    journal.write_bytes(ended)
    wait_for(lambda: the_run(server).complete)
    assert printed(server) == ["one", "two", "three", "fo"]
    log.write_text("one\ntwo\nthree\nfour\nfive\n")
    assert uplink.finish() == 0
    assert len(printed(server)) == 4  # nothing comes after an end
    journal.write_bytes(ended + event(event="resume", step=1) + points(0, [2], [0.25]))
    assert send(tmp_path, server) == 0
    over = "its process ended without a word"
    assert printed(server) == ["one", "two", "three", "fo", "ur", "five", over]


def the_run(server):
    (run,) = server.runs.values()
    return run


def test_whatever_dies(tmp_path, server):
    chance = random.Random(5)
    study(tmp_path, trials=2, steps=2000)
    lines = [f"line {number} {'x' * (number % 300)}" for number in range(20000)]
    log_of(tmp_path).write_text("\n".join(lines) + "\n")
    start = partial(Uplink, tmp_path, wandb(server), environment=home(tmp_path))
    kill_midway(start, lambda: len(server.requests), (chance.randint(1, 3) for _ in range(12)))
    assert send(tmp_path, server) == 0
    assert printed(server) == lines


def test_a_server_that_fails_now_and_then(tmp_path, server):
    study(tmp_path, trials=1)
    log_of(tmp_path).write_text("one\ntwo\n" * 50000)
    proxy = Proxy(server.port, faults=now_and_then("cut", 3, times=5))
    sent = tracker("wandb", base_url=f"http://127.0.0.1:{proxy.port}", rate=1000.0)
    assert sync(tmp_path, sent, environment=home(tmp_path), wait=100.0) == 0
    assert printed(server) == ["one", "two"] * 50000


def test_wandbs_own_sync_takes_it(tmp_path, server):
    study(tmp_path, trials=1)
    log_of(tmp_path).write_text("one\ntwo\n")
    assert sync(tmp_path, tracker("wandb_offline")) == 0
    wandb_sync(tmp_path, server, *runs(tmp_path))
    assert printed(server) == ["one", "two"]


def test_a_study_that_left_a_report(tmp_path, server):
    """It goes to a run of its own, again where it is another one."""
    study(tmp_path, trials=1)
    (tmp_path / "study.toml").write_text("[study]\n")
    (tmp_path / "report.html").write_text("<p>the report</p>")
    assert send(tmp_path, server) == 0
    (own,) = (run for name, run in server.runs.items() if name.startswith("study-"))
    assert own.fields["displayName"] == "made-up"
    assert (own.fields["jobType"], own.fields["groupName"]) == ("study", "made-up")
    assert own.files == {"report.html": b"<p>the report</p>", "study.toml": b"[study]\n"}
    assert (own.complete, own.exitcode) == (True, 0)
    before = len(server.requests)
    assert send(tmp_path, server) == 0
    assert len(server.requests) == before
    (tmp_path / "report.html").write_text("<p>another report</p>")
    assert send(tmp_path, server) == 0
    assert own.files["report.html"] == b"<p>another report</p>"


def test_weights_where_they_are_asked_for(tmp_path, server):
    study(tmp_path, trials=1)
    weights = random.Random(6).randbytes(3 << 20)
    (tmp_path / "checkpoints" / FIRST).mkdir(parents=True)
    (tmp_path / "checkpoints" / FIRST / "final.safetensors").write_bytes(weights)
    assert send(tmp_path, server) == 0
    assert "weights.safetensors" not in the_run(server).files
    assert (
        sync(tmp_path, wandb(server, name="again", weights=True), environment=home(tmp_path)) == 0
    )
    assert any(run.files.get("weights.safetensors") == weights for run in server.runs.values())


def test_a_trial_that_is_silent_is_alive(tmp_path, server):
    study(tmp_path, trials=1)
    begun = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5])
    (tmp_path / "journal" / f"{FIRST}.log").write_bytes(begun)
    uplink = Uplink(tmp_path, wandb(server), environment=home(tmp_path))
    beats = lambda: [1 for _, path, _, body in server.requests if body == b"{}"]  # noqa: E731
    wait_for(beats, seconds=120)
    assert uplink.finish() == 0


def test_a_limit_that_the_server_tells_is_kept(tmp_path, server):
    """Ten requests may go at once; those behind come no faster than it allows."""
    study(tmp_path, trials=8)
    server.headers = {"RateLimit-Remaining": "2", "RateLimit-Reset": "0.6"}
    times = []
    take = server.take
    server.take = lambda handler: (times.append(time.monotonic()), take(handler))
    assert sync(tmp_path, wandb(server, files=False), environment=home(tmp_path), wait=60.0) == 0
    assert len(times) == 24  # each trial is made, gets its points, and its end
    assert times[-1] - times[11] > 2  # twelve of them, 0.3 s each
    assert all(run.complete for run in server.runs.values())


def test_a_damaged_journal_is_told_and_costs_no_other_trial(tmp_path):
    """What stands before the damage is delivered; nobody makes up an end."""
    expected = study(tmp_path, steps=2000)
    journal = tmp_path / "journal" / "00000001.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])
    assert sync(tmp_path, tracker("csv"), tracker("log")) == 1
    told = status(tmp_path, "csv")
    assert told["state"] == "incomplete"
    assert "00000001.log: is damaged at byte" in told["problem"]
    got = delivered(tmp_path)
    assert [one for one in got if one[0] != "00000001"] == [
        one for one in expected if one[0] != "00000001"
    ]
    calls = (tmp_path / "trackers" / "log" / "calls.txt").read_text()
    assert "end 00000001" not in calls
    journal.write_bytes(whole)
    assert sync(tmp_path, tracker("csv"), tracker("log")) == 0
    assert delivered(tmp_path) == expected
    assert status(tmp_path, "csv")["state"] == "up to date"


def test_a_trial_that_begins_anew_stays_in_its_files(tmp_path, server):
    """Killed before its first checkpoint it has a second start, at another time."""
    study(tmp_path, trials=1)
    journal = tmp_path / "journal" / f"{FIRST}.log"
    begun = MAGIC + event(event="start", time=1000.0) + series("a") + points(0, [1], [0.5])
    journal.write_bytes(begun)
    both = [tracker("tensorboard"), tracker("wandb_offline")]
    assert sync(tmp_path, *both) == 0
    anew = begun + event(event="start", time=2000.0) + points(0, [1, 2], [0.5, 0.25])
    journal.write_bytes(anew + event(event="end", status="done", steps=2, seconds=1.0))
    assert sync(tmp_path, *both) == 0
    assert len(list((tmp_path / "trackers" / "tensorboard").rglob("events.*"))) == 1
    assert len(runs(tmp_path)) == 1
    wandb_sync(tmp_path, server, *runs(tmp_path))
    assert [row["a"] for row in the_run(server).rows()] == [0.5, 0.25]


def test_two_at_once_deliver_nothing_twice(tmp_path):
    """The second waits, for as long as it may, also where it is to deliver everything again."""
    expected = study(tmp_path)
    first = Uplink(tmp_path, tracker("csv"))
    wait_for(lambda: (tmp_path / "uplink" / "csv.log").exists())
    wait_for(lambda: len(delivered(tmp_path)) == len(expected))
    second = Uplink(tmp_path, tracker("csv"), wait=0.5)
    assert second.finish() == 1
    wait_for(lambda: status(tmp_path, "csv")["points"] == len(expected))  # as the first says
    assert status(tmp_path, "csv")["state"] == "delivering"
    assert first.finish() == 0
    assert sync(tmp_path, tracker("csv")) == 0
    assert delivered(tmp_path) == expected


def test_again_is_everything_again(tmp_path, server):
    study(tmp_path, trials=1)
    assert send(tmp_path, server) == 0
    first = len(server.requests)
    uplink = Uplink(tmp_path, wandb(server), environment=home(tmp_path), again=True)
    assert uplink.finish() == 0
    assert len(server.requests) > first
    rows = [json.dumps(row) for row in the_run(server).rows()]
    assert len(rows) == len(set(rows)) == 10
