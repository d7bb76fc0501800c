# SPDX-License-Identifier: Apache-2.0
"""Our record files, as wandb's own `sync` brings them to a server."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from journals import MAGIC, event, points, series
from recorder import Recorder
from uplinks import Uplink, journals, kill_midway, study, sync, tracker, written

KEY = "PLANTED0KEY0123456789abcdefghijklmnopqrst"
OFFLINE = "wandb_offline"


def runs(folder) -> list[Path]:
    return sorted((folder / "trackers" / OFFLINE).glob("offline-run-*"))


def wandb_sync(folder, server, *paths) -> str:
    """What it prints; its own state goes to a home of the test."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "HOME": str(home),
        "WANDB_API_KEY": KEY,
        "WANDB_BASE_URL": server.url,
        "WANDB_ERROR_REPORTING": "false",
    }
    done = subprocess.run(
        [sys.executable, "-m", "wandb", "sync", *paths],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=os.environ | environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_its_own_sync_takes_it(tmp_path, server):
    values = {"optimizer.lr": 0.1, "model.act": "relu"}
    journals.write_study(tmp_path, {"slow": {0: 0.5, 1: None}}, values={"slow": values})
    (tmp_path / "study.toml").write_text("[study]\n")
    long = "x" * 60000  # spans blocks of the file
    body = MAGIC + event(event="start", time=1.0) + series("a") + series(long)
    body += points(0, range(1, 2001), [1 / step for step in range(1, 2001)])
    body += points(1, [2001, 2002], [float("nan"), 0.1])
    body += event(event="end", status="done", steps=2002, seconds=20.0, final={"a": 0.0005})
    (tmp_path / "journal" / "00000000.log").write_bytes(body)
    sent = tracker(OFFLINE, entity="team", project="p", tags="one,two", notes="why")
    assert sync(tmp_path, sent) == 0
    wandb_sync(tmp_path, server, *runs(tmp_path))
    by_trial = {name.split("-")[0]: run for name, run in server.runs.items()}
    done, failed = by_trial["00000000"], by_trial["00000001"]
    assert (done.fields["entity"], done.fields["project"]) == ("team", "p")
    assert done.fields["displayName"] == "slow, seed 0"
    assert (done.fields["groupName"], done.fields["jobType"]) == ("made-up", "train")
    assert (done.fields["tags"], done.fields["notes"]) == (["one", "two"], "why")
    config = json.loads(done.fields["config"])
    assert config["optimizer.lr"] == {"value": 0.1}
    assert config["seed"] == {"value": 0}
    rows = done.rows()
    assert [row["_step"] for row in rows] == list(range(1, 2003))
    assert [row["a"] for row in rows[:2000]] == [1 / step for step in range(1, 2001)]
    assert [str(row[long]) for row in rows[2000:]] == ["nan", "0.1"]
    assert done.summary["a"] == 0.0005
    assert (done.exitcode, failed.exitcode) == (0, 1)
    assert done.files["study.toml"] == b"[study]\n"


def test_kills_leave_no_torn_record_and_no_doubled_row(tmp_path, server):
    expected = study(tmp_path, trials=3, steps=700)
    start = partial(Uplink, tmp_path, tracker(OFFLINE))
    kill_midway(start, partial(written, tmp_path, OFFLINE), range(0, 24_000, 3000))
    assert sync(tmp_path, tracker(OFFLINE)) == 0
    told = wandb_sync(tmp_path, server, *runs(tmp_path))
    assert "incomplete" not in told
    assert server.points(lambda name: name.split("-")[0]) == expected


def test_one_that_goes_on_goes_on_in_its_file(tmp_path, server):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    body = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1, 2], [0.5, 0.25])
    path.write_bytes(body)
    assert sync(tmp_path, tracker(OFFLINE)) == 0
    body += event(event="resume", step=2) + points(0, [3], [0.125])
    path.write_bytes(body + event(event="end", status="done", steps=3, seconds=1.0))
    assert sync(tmp_path, tracker(OFFLINE)) == 0
    (run,) = runs(tmp_path)
    wandb_sync(tmp_path, server, run)
    (held,) = server.runs.values()
    assert [row["_step"] for row in held.rows()] == [1, 2, 3]
    assert held.exitcode == 0
