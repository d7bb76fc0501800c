# SPDX-License-Identifier: Apache-2.0
"""A real `mlflow server` on SQLite takes what the tracker sends; MLflow's own client reads it back."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from functools import partial

import pytest
from faulty import Proxy, now_and_then
from journals import MAGIC, event, points, series
from mlflow import MlflowClient
from mlflow.entities import ViewType
from uplinks import Uplink, journals, kill_midway, status, study, tracker, wait_for
from uplinks import sync as sync_within

KEY = "PLANTED-KEY-0123456789-abcdefghijklmnop"


def sync(folder, *trackers, **more) -> int:
    """The server has its slow moments."""
    return sync_within(folder, *trackers, **{"wait": 100.0} | more)


class Server:
    """The process, on a database of its own."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        self.client = MlflowClient(self.url)

    def start(self):
        words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        words += ["--port", str(self.port), "--serve-artifacts"]
        words += ["--backend-store-uri", f"sqlite:///{self.folder}/m.db"]
        words += ["--artifacts-destination", str(self.folder / "artifacts")]
        self.output = (self.folder / "output.txt").open("ab")
        self.process = subprocess.Popen(
            words,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"},
            start_new_session=True,
        )
        deadline = time.time() + 240  # on a machine with much else to do
        while not self.is_up():
            if self.process.poll() is not None or time.time() > deadline:
                self.stop(signal.SIGKILL)
                pytest.fail("no server: " + (self.folder / "output.txt").read_text())
            time.sleep(0.1)
        MlflowClient(self.url).search_experiments()  # its first answer takes long

    def is_up(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.read() == b"OK"
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)  # a session of its own: the server and its worker
        self.process.wait(timeout=30)
        self.output.close()

    def runs(self, experiment, **filters):
        """Those of trials, by id, and the one of the study."""
        found = self.client.get_experiment_by_name(experiment)
        listed = self.client.search_runs([found.experiment_id], max_results=1000, **filters)
        trials = [run for run in listed if "paribus.trial" in run.data.tags]
        (parent,) = [run for run in listed if run not in trials]
        by_id = {run.data.tags["paribus.trial"]: run for run in trials}
        assert len(by_id) == len(trials), "a trial has two runs"
        return by_id, parent

    def points(self, experiment):
        """Every one that the server has: doubles show."""
        found = []
        for trial, run in self.runs(experiment)[0].items():
            for metric in run.data.metrics:
                history = self.client.get_metric_history(run.info.run_id, metric)
                found += [(trial, metric, one.step, one.value) for one in history]
        return sorted(found)

    def file(self, run, name):
        path = f"api/2.0/mlflow-artifacts/artifacts/{run.info.experiment_id}/{run.info.run_id}"
        with urllib.request.urlopen(f"{self.url}/{path}/artifacts/{name}") as answer:
            return answer.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("mlflow"))
    yield running
    running.stop()


@pytest.fixture
def name(request):
    return re.sub(r"\W+", "-", request.node.name)


def mlflow(server, name, **more):
    return tracker("mlflow", uri=server.url, experiment=name, **more)


def test_a_study_reads_back(tmp_path, server, name):
    journals.write_study(
        tmp_path,
        {"slow": {0: 0.5}, "fast": {0: 0.25, 1: None}},
        question="Is it so?",
        axes=["optimizer.lr", "model.act"],
        values={
            "slow": {"optimizer.lr": 0.1, "model.act": "relu"},
            "fast": {"optimizer.lr": 0.4, "model.act": "gelu"},
        },
    )
    (tmp_path / "study.toml").write_text("[study]\nname = 'made-up'\n")
    assert sync(tmp_path, mlflow(server, name, tags="team=vision,draft=yes")) == 0
    trials, parent = server.runs(name)
    assert (parent.info.run_name, parent.info.status) == ("made-up", "FINISHED")
    assert parent.data.tags["mlflow.note.content"] == "Is it so?"
    assert server.file(parent, "study.toml") == b"[study]\nname = 'made-up'\n"
    slow, failed = trials["00000000"], trials["01000001"]
    assert slow.info.run_name == "slow, seed 0"
    assert slow.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert slow.data.tags["team"] == "vision"
    assert slow.data.params == {
        "optimizer.lr": "0.1",
        "model.act": "relu",
        "arm": "slow",
        "seed": "0",
    }
    assert (slow.info.status, failed.info.status) == ("FINISHED", "FAILED")
    assert (slow.info.start_time, failed.data.tags["paribus.status"]) == (1000, "failed")
    assert slow.data.metrics["train.loss"] == 0.1
    assert json.loads(server.file(slow, "config.json"))["optimizer.lr"] == 0.1
    result = json.loads(server.file(slow, "result.json"))
    assert (result["final"], result["steps"]) == ({"valid.accuracy": 0.5}, 10)


def test_more_than_a_request_holds(tmp_path, server, name):
    expected = study(tmp_path, trials=2, steps=3500)
    values = {f"model.p{i}": "x" * 7000 if i == 0 else i for i in range(250)}
    plan = (tmp_path / "journal" / "study.log").read_bytes()
    journals.write_study(tmp_path / "other", {"base": {0: 0.5, 1: 0.5}}, values={"base": values})
    (tmp_path / "journal" / "study.log").write_bytes(
        (tmp_path / "other" / "journal" / "study.log").read_bytes()
    )
    assert plan != b""
    assert sync(tmp_path, mlflow(server, name)) == 0
    assert server.points(name) == expected
    params = server.runs(name)[0]["00000000"].data.params
    assert len(params) == 252
    assert params["model.p0"] == "x" * 6000
    assert params["model.p249"] == "249"


def test_names_and_numbers_that_mlflow_lacks(tmp_path, server, name):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    names = ["a#b", "a_b", "a//b", "x" * 300, "ü/µ"]
    body = b"".join(series(one) for one in names)
    body += b"".join(points(number, [1], [number + 0.5]) for number in range(len(names)))
    body += series("odd") + points(len(names), [1, 2, 3], [float("nan"), float("inf"), -1e-310])
    path.write_bytes(MAGIC + event(event="start", time=1.0) + body)
    assert sync(tmp_path, mlflow(server, name)) == 0
    run = server.runs(name)[0]["00000000"]
    assert sorted(value for key, value in run.data.metrics.items() if key != "odd") == [
        0.5,
        1.5,
        2.5,
        3.5,
        4.5,
    ]
    odd = server.client.get_metric_history(run.info.run_id, "odd")
    assert [str(one.value) for one in odd] == ["nan", "1.7976931348623157e+308", "-1e-310"]


def test_an_experiment_that_is_there_is_taken(tmp_path, server, name):
    made = server.client.create_experiment(name)
    for folder in ("one", "two"):
        study(tmp_path / folder, trials=1)
        assert sync(tmp_path / folder, mlflow(server, name)) == 0
    listed = server.client.search_runs([made])
    parents = {run.data.tags.get("mlflow.parentRunId") for run in listed}
    assert (len(listed), len(parents)) == (4, 3), "two studies, a trial each"


FAULTS = [429, 503, "taken, then drop", "cut"]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_may_go_wrong(tmp_path, server, name, fault):
    expected = study(tmp_path, trials=4, steps=30)
    proxy = Proxy(server.port, now_and_then(fault, between=8))
    assert sync(tmp_path, mlflow(proxy, name)) == 0
    assert server.points(name) == expected
    assert len(proxy.faults) < 360 - 4 * 9, "faults were met"
    proxy.close()


def test_what_was_printed_and_what_is_left(tmp_path, server, name):
    study(tmp_path, trials=1)
    weights = random.Random(6).randbytes(3 << 20)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "00000000.txt").write_text(f"first\nmy key is {KEY}\n")
    (tmp_path / "checkpoints" / "00000000").mkdir(parents=True)
    (tmp_path / "checkpoints" / "00000000" / "final.safetensors").write_bytes(weights)
    (tmp_path / "report.html").write_text("<p>the report</p>")
    environment = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": KEY}
    tracked = mlflow(server, name, weights=True)
    assert sync(tmp_path, tracked, environment=environment) == 0
    (run,), parent = server.runs(name)[0].values(), server.runs(name)[1]
    assert server.file(run, "output.txt") == b"first\nmy key is ***\n"
    assert server.file(run, "weights.safetensors") == weights
    assert server.file(parent, "report.html") == b"<p>the report</p>"
    alone = mlflow(server, name + "-alone", artifacts=False, weights=True)
    alone["part"]["address"] = "tracker.alone"
    assert sync(tmp_path, alone) == 0
    (run,) = server.runs(name + "-alone")[0].values()
    assert server.file(run, "weights.safetensors") == weights
    assert [one.path for one in server.client.list_artifacts(run.info.run_id)] == [
        "weights.safetensors"
    ]


def test_uplinks_killed_at_random(tmp_path, server, name):
    chance = random.Random(3)
    expected = study(tmp_path, trials=5, steps=1500)
    proxy = Proxy(server.port)
    start = partial(Uplink, tmp_path, mlflow(proxy, name))
    kill_midway(start, lambda: len(proxy.seen), (chance.randrange(12) for _ in range(8)))
    assert sync(tmp_path, mlflow(proxy, name)) == 0
    assert server.points(name) == expected
    proxy.close()


def test_the_server_is_killed_and_comes_back(tmp_path, server, name):
    expected = study(tmp_path, trials=4, steps=2500)
    uplink = Uplink(tmp_path, mlflow(server, name), wait=100)
    log = tmp_path / "uplink" / "mlflow.log"
    wait_for(lambda: log.exists() and b'"position"' in log.read_bytes(), seconds=100)
    server.stop(signal.SIGKILL)
    server.start()
    assert uplink.finish() == 0
    assert server.points(name) == expected


def test_given_anew_on_request_old_runs_go_to_the_trash(tmp_path, server, name):
    expected = study(tmp_path, trials=2)
    assert sync(tmp_path, mlflow(server, name)) == 0
    for trial in ("00000000", "00000001"):  # written again since: other times
        os.utime(tmp_path / "journal" / f"{trial}.log", (2e9, 1.9e9))
    (tmp_path / "uplink" / "mlflow.log").unlink()  # what `paribus sync --again` does
    assert sync(tmp_path, mlflow(server, name)) == 0
    assert server.points(name) == expected
    found = server.client.get_experiment_by_name(name)
    trash = server.client.search_runs([found.experiment_id], run_view_type=ViewType.DELETED_ONLY)
    assert len(trash) == 2


def test_a_run_that_the_server_lost_is_made_anew(tmp_path, server, name):
    expected = study(tmp_path, trials=1)
    assert sync(tmp_path, mlflow(server, name)) == 0
    position = tmp_path / "uplink" / "mlflow.log"
    key = tmp_path / "trackers" / "mlflow" / "key.txt"
    run = server.runs(name)[0]["00000000"].info.run_id
    journal = tmp_path / "journal" / "00000000.log"
    journal.write_bytes(journal.read_bytes() + points(0, [11], [0.5]))
    subprocess.run(
        [sys.executable, "-c", f"{DELETE}\ndelete('{server.folder}/m.db', '{run}')"], check=True
    )
    assert key.read_text() != ""
    assert position.exists()
    assert sync(tmp_path, mlflow(server, name)) == 0
    assert server.points(name) == sorted([*expected, ("00000000", "train.loss", 11, 0.5)])


DELETE = """
import sqlite3
def delete(path, run):
    with sqlite3.connect(path, timeout=20) as base:
        for table in ('metrics', 'latest_metrics', 'params', 'tags', 'runs'):
            base.execute(f'delete from {table} where run_uuid = ?', (run,))
"""


def test_it_goes_on_and_ends_again(tmp_path, server, name):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    body = MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1, 2], [0.5, 0.25])
    path.write_bytes(body)
    assert sync(tmp_path, mlflow(server, name)) == 0
    assert server.runs(name)[0]["00000000"].info.status == "KILLED"
    body += event(event="resume", step=2) + points(0, [3], [0.125])
    path.write_bytes(body + event(event="end", status="done", steps=3, seconds=1.0))
    assert sync(tmp_path, mlflow(server, name)) == 0
    run = server.runs(name)[0]["00000000"]
    assert (run.info.status, run.data.metrics["a"]) == ("FINISHED", 0.125)
    assert [one[2] for one in server.points(name)] == [1, 2, 3]


def planted(folder):
    return [
        path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize(
    "environment",
    [
        {"MLFLOW_TRACKING_TOKEN": KEY},
        {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": KEY},
    ],
)
def test_a_key_reaches_the_server_and_no_file(tmp_path, server, name, environment):
    study(tmp_path, trials=1)
    proxy = Proxy(server.port)
    uplink = Uplink(tmp_path, mlflow(proxy, name), environment=environment)
    assert uplink.finish() == 0, uplink.output
    sent = {headers.get("Authorization", "").split()[0] for _, _, headers, _, _ in proxy.seen}
    assert sent == {"Bearer" if "MLFLOW_TRACKING_TOKEN" in environment else "Basic"}
    assert not any(KEY.encode() in body for *_, body, _ in proxy.seen)
    assert planted(tmp_path) == []
    assert KEY not in uplink.output
    proxy.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (401, "answered 401; set MLFLOW_TRACKING_USERNAME"),
        (403, "answered 403; set MLFLOW_TRACKING_USERNAME"),
        (404, "tracker/mlflow: "),
    ],
)
def test_refused_it_gives_up_with_one_line(tmp_path, server, name, fault, words):
    study(tmp_path, trials=1)
    proxy = Proxy(server.port, [fault] * 10)
    assert sync(tmp_path, mlflow(proxy, name)) == 1
    told = status(tmp_path, "mlflow")
    assert told["state"] == "gave up"
    assert words in told["problem"]
    assert len(proxy.seen) <= 2, "not tried again"
    proxy.close()


def test_an_experiment_in_the_trash_is_named(tmp_path, server, name):
    server.client.delete_experiment(server.client.create_experiment(name))
    study(tmp_path, trials=1)
    assert sync(tmp_path, mlflow(server, name)) == 1
    problem = status(tmp_path, "mlflow")["problem"]
    assert problem == (
        f"tracker/mlflow: the experiment '{name}' has been deleted on the server; "
        "restore it, or name another"
    )


@pytest.mark.parametrize("uri", ["", "databricks", "sqlite:///m.db"])
def test_an_address_that_is_none(tmp_path, uri):
    study(tmp_path, trials=1)
    environment = {"MLFLOW_TRACKING_URI": ""}
    assert sync(tmp_path, tracker("mlflow", uri=uri), environment=environment) == 1
    problem = status(tmp_path, "mlflow")["problem"]
    assert f"address is {uri or 'not given'}, expected one that begins with http" in problem


def test_samples_are_system_metrics(tmp_path, server, name):
    """Where MLflow's own client would put them: its page has a tab for what begins with `system/`."""
    from test_samples import FIRST, system_log

    expected = study(tmp_path, trials=2)
    expected += system_log(tmp_path)
    assert sync(tmp_path, mlflow(server, name)) == 0
    assert server.points(name) == sorted(expected)
    run = server.runs(name)[0][FIRST]
    (one, *_) = server.client.get_metric_history(run.info.run_id, "system/trial.cpu")
    assert one.timestamp == 1000500 + one.step * 1000
