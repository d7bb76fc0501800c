# SPDX-License-Identifier: Apache-2.0
"""What reaches a server of Weights & Biases: the same as wandb's own client sends for the same run, once, whatever fails."""

import json
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from faulty import Proxy, now_and_then
from journals import MAGIC, event, points, series
from recorder import Recorder, basic
from uplinks import Uplink, journals, kill_midway, status, study, sync, tracker, wait_for

KEY = "PLANTED0KEY0123456789abcdefghijklmnopqrst"
VALUES = {"optimizer.lr": 0.1, "model.act": "relu"}


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


def home(folder):
    """Neither this machine's key nor its netrc."""
    (Path(folder) / "home").mkdir(parents=True, exist_ok=True)
    return {"HOME": str(Path(folder) / "home"), "WANDB_API_KEY": KEY, "NETRC": ""}


def wandb(server, **more):
    return tracker("wandb", base_url=server.url, rate=1000.0, **more)


def send(folder, server, wait=20.0, **more) -> int:
    return sync(folder, wandb(server, **more), environment=home(folder), wait=wait)


def trial_of(name):
    return name.split("-")[0]


def the_run(server):
    (run,) = server.runs.values()
    return run


def small_study(folder, **more):
    journals.write_study(folder, {"slow": {0: 0.5}}, values={"slow": VALUES}, **more)
    (folder / "study.toml").write_text("[study]\nname = 'made-up'\n")


def test_a_run_as_the_server_has_it(tmp_path, server):
    small_study(tmp_path)
    assert send(tmp_path, server, tags="one,two") == 0
    run = the_run(server)
    assert run.fields["project"] == "made-up"
    assert run.fields["groupName"] == "made-up"
    assert run.fields["displayName"] == "slow, seed 0"
    assert run.fields["jobType"] == "train"
    assert run.fields["notes"] == "Is it so?"
    assert run.fields["tags"] == ["one", "two"]
    config = json.loads(run.fields["config"])
    assert config["optimizer.lr"] == {"value": 0.1}
    assert (config["arm"], config["seed"]) == ({"value": "slow"}, {"value": 0})
    assert [(row["_step"], row["train.loss"]) for row in run.rows()] == [
        (step, 1 / step) for step in range(1, 11)
    ]
    times = [row["_timestamp"] for row in run.rows()]
    assert times == sorted(times)
    assert run.summary["train.loss"] == 0.1
    assert (run.summary["valid.accuracy"], run.summary["best.valid.accuracy"]) == (0.5, 0.5)
    assert (run.complete, run.exitcode) == (True, 0)
    assert run.files["study.toml"] == (tmp_path / "study.toml").read_bytes()
    assert json.loads(run.files["config.yaml"]) == config
    assert sorted(run.uploaded) == ["config.yaml", "study.toml", "wandb-summary.json"]


def test_the_same_run_by_its_own_client(tmp_path, server):
    """The two are to agree in operations, fields and contents, and differ only in what says who they are, and when."""
    study_folder = tmp_path / "study"
    small_study(study_folder)
    names = {"entity": "team", "project": "p", "group": "g", "job_type": "train", "notes": "why"}
    assert send(study_folder, server, tags="a,b", **names) == 0
    ours, theirs = server, Recorder()
    (name,) = ours.runs
    init = names | {"id": name, "name": "slow, seed 0", "tags": ["a", "b"]}
    asked = {
        "init": init | {"config": VALUES | {"arm": "slow", "seed": 0}},
        "rows": [(step, {"train.loss": 1 / step}) for step in range(1, 11)],
        "summary": {"valid.accuracy": 0.5, "best.valid.accuracy": 0.5},
        "files": ["study.toml"],
        "exit": 0,
    }
    environment = home(tmp_path) | {
        "WANDB_BASE_URL": theirs.url,
        "WANDB_DIR": str(tmp_path / "home"),
        "WANDB_ERROR_REPORTING": "false",
    }
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "wandb_client.py"],
        input=json.dumps(asked),
        text=True,
        capture_output=True,
        cwd=study_folder,
        env=os.environ | environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    agree(ours, theirs)
    theirs.close()


def agree(ours, theirs):
    optional = {"Viewer", "ServerFeaturesQuery", "OrganizationCoreWeaveOrganizationID"}
    assert set(ours.operations()) == set(theirs.operations()) - optional
    (our, their) = (the_run(ours), the_run(theirs))
    # The fields of each operation, and what is in them.
    assert fields(ours) == fields(theirs)
    assert given(our) == given(their)
    assert config_of(our) == config_of(their)
    # The file stream, without times.
    assert [untimed(row) for row in our.rows()] == [untimed(row) for row in their.rows()]
    assert [set(row) for row in our.rows()] == [set(row) for row in their.rows()]
    assert untimed(our.summary) == untimed(their.summary)
    assert set(our.summary) == set(their.summary)
    assert (our.complete, our.exitcode) == (their.complete, their.exitcode)
    assert set(our.uploaded) == set(their.uploaded)
    assert stream_keys(ours) == stream_keys(theirs)
    # Files, and who is told the key.
    assert set(our.files) == set(their.files)
    assert our.files["study.toml"] == their.files["study.toml"]
    for one in (ours, theirs):
        for method, path, headers, _ in one.requests:
            assert headers.get("Authorization") == (None if method == "PUT" else basic(KEY)), path
            assert method != "PUT" or headers["X-Storage"] == "of this server"
    paths = [{path for _, path, _, _ in one.requests} for one in (ours, theirs)]
    assert paths[0] == paths[1]


def fields(server):
    """Of each operation's variables, over all its requests."""
    found = {}
    for _, path, _, body in server.requests:
        if path == "/graphql":
            asked = json.loads(body)
            found.setdefault(asked["operationName"], set()).update(asked.get("variables") or {})
    return {name: found[name] for name in ("UpsertBucket", "CreateRunFiles")}


def given(run):
    """What the run was told of itself; `program` is the script that their client finds itself in."""
    return {key: value for key, value in run.fields.items() if key not in ("config", "program")}


def config_of(run):
    config = json.loads(run.fields["config"])
    assert "t" in config["_wandb"]["value"], "it would count as never begun"
    return {key: value for key, value in config.items() if key != "_wandb"}


def untimed(row):
    return {key: value for key, value in row.items() if key not in TIMED}


TIMED = ("_timestamp", "_runtime", "_wandb")


def stream_keys(server):
    keys, files = set(), set()
    for _, path, _, body in server.requests:
        if path.endswith("/file_stream"):
            keys |= set(json.loads(body))
            files |= set(json.loads(body).get("files", {}))
    return keys, files


def test_a_row_for_each_step_whatever_comes_when(tmp_path, server):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    body = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1, 2], [0.5, 0.25])
    path.write_bytes(body)
    uplink = Uplink(tmp_path, wandb(server), environment=home(tmp_path))
    wait_for(lambda: server.runs and len(the_run(server).history) >= 1)
    body += series("b") + points(1, [2], [7.0]) + points(0, [3], [float("nan")])
    body += points(1, [3, 4], [float("inf"), float("-inf")])
    path.write_bytes(body)
    assert uplink.finish() == 0
    rows = [untimed(row) for row in the_run(server).rows()]
    assert [str(row) for row in rows] == [
        str(row)
        for row in (
            {"a": 0.5, "_step": 1},
            {"a": 0.25, "b": 7.0, "_step": 2},
            {"a": float("nan"), "b": float("inf"), "_step": 3},
            {"b": float("-inf"), "_step": 4},
        )
    ]


def test_how_runs_end(tmp_path, server):
    journals.write_study(tmp_path, {"base": {0: 0.5, 1: None, 2: 0.5}})
    failed = MAGIC + event(event="start", time=1.0)
    failed += event(event="end", status="failed", message="loss is NaN", steps=0, seconds=1.0)
    (tmp_path / "journal" / "00000001.log").write_bytes(failed)
    body = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [0.5])
    (tmp_path / "journal" / "00000002.log").write_bytes(body)
    assert send(tmp_path, server) == 0
    runs = {trial_of(name): run for name, run in server.runs.items()}
    assert [runs[trial].exitcode for trial in sorted(runs)] == [0, 1, 255]
    assert all(run.complete for run in runs.values())
    assert runs["00000001"].output[0].endswith(" ERROR loss is NaN")
    # One that was stopped goes on, as the same run, from where it was.
    body += event(event="resume", step=1) + points(0, [2], [0.25])
    body += event(event="end", status="done", steps=2, seconds=1.0)
    (tmp_path / "journal" / "00000002.log").write_bytes(body)
    assert send(tmp_path, server) == 0
    assert len(server.runs) == 3
    gone_on = runs["00000002"]
    assert (gone_on.complete, gone_on.exitcode) == (True, 0)
    assert [row["_step"] for row in gone_on.rows()] == [1, 2]


FAULTS = [429, 500, 502, 503, "drop", "taken, then drop", "cut"]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_may_go_wrong(tmp_path, server, fault):
    expected = study(tmp_path, trials=6, steps=30)
    proxy = Proxy(server.port, now_and_then(fault, between=5))
    server.storage = proxy.url
    assert send(tmp_path, proxy, wait=50) == 0
    assert server.points(trial_of) == expected
    assert all(run.exitcode == 0 for run in server.runs.values())
    assert all(len(run.files) == 2 for run in server.runs.values())
    assert len(proxy.seen) > 6 * 6 + 5, "faults were met"
    proxy.close()


def test_uplinks_killed_at_random(tmp_path, server):
    chance = random.Random(5)
    expected = study(tmp_path, trials=15, steps=300)
    proxy = Proxy(server.port, [chance.choice([None] * 20 + FAULTS) for _ in range(100)])
    start = partial(Uplink, tmp_path, wandb(proxy), environment=home(tmp_path))
    kill_midway(start, lambda: len(proxy.seen), (chance.randrange(12) for _ in range(15)))
    assert send(tmp_path, proxy, wait=50) == 0
    assert server.points(trial_of) == expected
    assert all(run.exitcode == 0 for run in server.runs.values())
    proxy.close()


def test_a_wait_that_the_server_asks_for_is_kept(tmp_path, server):
    study(tmp_path, trials=1)
    proxy = Proxy(server.port, [429])
    proxy.wait = "1.5"
    began = time.time()
    assert send(tmp_path, proxy) == 0
    assert time.time() - began >= 1.5
    assert [status for *_, status in proxy.seen][:2] == [429, 200]
    proxy.close()


def test_more_lines_than_a_request_holds(tmp_path, server):
    expected = study(tmp_path, trials=1, steps=16384)
    assert send(tmp_path, server) == 0
    assert server.points(trial_of) == expected
    sizes = [len(body) for _, path, _, body in server.requests if path.endswith("/file_stream")]
    assert len(sizes) > 2
    assert max(sizes) < 1.5 * (1 << 20)


def test_requests_are_spread_out(tmp_path, server):
    study(tmp_path, trials=5)
    slow = tracker("wandb", base_url=server.url, rate=10.0, files=False)
    began = time.time()
    assert sync(tmp_path, slow, environment=home(tmp_path)) == 0
    assert len(server.requests) == 15
    assert time.time() - began >= 0.5, "ten at once, then ten a second"


def test_a_run_that_the_server_lost_is_made_anew(tmp_path, server):
    expected = study(tmp_path, trials=1)
    assert send(tmp_path, server) == 0
    server.runs.clear()
    journal = tmp_path / "journal" / "00000000.log"
    journal.write_bytes(journal.read_bytes() + points(0, [11], [0.5]))
    assert send(tmp_path, server) == 0
    assert server.points(trial_of) == sorted([*expected, ("00000000", "train.loss", 11, 0.5)])


def test_two_directories_of_a_study_are_two_runs(tmp_path, server):
    for folder in ("one", "two"):
        study(tmp_path / folder, trials=1)
        assert send(tmp_path / folder, server) == 0
    assert len(server.runs) == 2


def planted(folder):
    needles = [KEY.encode(), basic(KEY).split()[1].encode()]
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


@pytest.mark.parametrize("faults", [[], [401], [500, "cut"]])
def test_a_key_reaches_the_server_and_no_file(tmp_path, server, faults):
    study(tmp_path, trials=1)
    proxy = Proxy(server.port, faults)
    uplink = Uplink(tmp_path, wandb(proxy), environment=home(tmp_path))
    assert uplink.finish() == (1 if 401 in faults else 0)
    assert planted(tmp_path) == []
    assert KEY not in uplink.output
    told = {headers.get("Authorization") for method, _, headers, *_ in proxy.seen}
    assert told == {basic(KEY)}, "files went to another address"
    proxy.close()


def test_the_key_may_stand_in_netrc(tmp_path, server):
    study(tmp_path, trials=1)
    netrc = tmp_path / "netrc"
    netrc.write_text(
        f"machine other login user password x\nmachine 127.0.0.1\n  login user\n  password {KEY}\n"
    )
    environment = home(tmp_path) | {"WANDB_API_KEY": "", "NETRC": str(netrc)}
    assert sync(tmp_path, wandb(server), environment=environment) == 0
    sent = {
        headers["Authorization"] for method, _, headers, _ in server.requests if method == "POST"
    }
    assert sent == {basic(KEY)}
    assert planted(tmp_path) == [netrc]


def test_no_key_is_one_line(tmp_path, server):
    study(tmp_path, trials=1)
    environment = home(tmp_path) | {"WANDB_API_KEY": ""}
    assert sync(tmp_path, wandb(server), environment=environment) == 1
    assert status(tmp_path, "wandb")["problem"] == (
        "tracker/wandb: there is no key for 127.0.0.1; set WANDB_API_KEY, "
        "or add it to ~/.netrc by `wandb login`"
    )
    assert server.requests == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (401, "the server answered 401; see WANDB_API_KEY"),
        (403, "the server answered 403; see WANDB_API_KEY"),
        (404, "UpsertBucket: the server answered 404; see `entity` and `project`"),
        (302, "UpsertBucket: the server answered 302"),
    ],
)
def test_refused_it_gives_up_with_one_line(tmp_path, server, fault, words):
    study(tmp_path, trials=1)
    proxy = Proxy(server.port, [fault] * 5)
    assert send(tmp_path, proxy) == 1
    told = status(tmp_path, "wandb")
    assert told["state"] == "gave up"
    assert words in told["problem"]
    assert len(proxy.seen) == 1
    proxy.close()


def test_an_error_within_an_answer_of_200(tmp_path, server):
    study(tmp_path, trials=1)
    server.graphql = lambda request: {"data": None, "errors": [{"message": "no such project"}]}
    assert send(tmp_path, server) == 1
    assert status(tmp_path, "wandb")["problem"] == (
        'tracker/wandb: UpsertBucket: the server says: "no such project"'
    )
