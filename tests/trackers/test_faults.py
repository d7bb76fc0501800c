# SPDX-License-Identifier: Apache-2.0
"""Each tracker beside each fault: in the end every point is there, once; the end comes in time; one line says what was wrong."""

import json
import re
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from faulty import Proxy, certificate
from journals import MAGIC, event, points, series
from recorder import Recorder
from test_command import WithTrackers
from test_mlflow import Server
from test_wandb import home, trial_of
from test_webhook import Receiver
from uplinks import PLUGINS, Uplink, status, study, tracker, wait_for

sys.path.append(str(Path(__file__).parents[1] / "laws"))

from test_disk import SmallDisk  # noqa: E402

LONG = 30  # s that no end may take: half of what a request may last, or a wait between two


class ToWebhook:
    name = "webhook"

    def __init__(self):
        self.server = Receiver()

    def entry(self, proxy):
        return tracker("webhook", url=proxy.url + "/in", points=2)

    def environment(self, folder):
        return {}

    def points(self):
        return self.server.points()

    def times(self):
        """Of each trial's points, in their order, and of its end, seconds since 1970."""
        found = {}
        for message in self.server.taken.values():
            times = found.setdefault(message["trial"], [])
            times += [one["time"] for one in message.get("points", ())]
            times += [message["time"]] if message["event"] == "end" else []
        return found

    def close(self):
        self.server.close()


class ToWandb:
    name = "wandb"

    def __init__(self):
        self.server = Recorder()

    def entry(self, proxy):
        self.server.storage = proxy.url  # where files go
        return tracker("wandb", base_url=proxy.url, rate=1000.0)

    def environment(self, folder):
        return home(folder)

    def points(self):
        return self.server.points(trial_of)

    def times(self):
        found = {}
        for name, run in self.server.runs.items():
            assert all(row["_runtime"] >= 0 for row in run.rows())
            found[trial_of(name)] = [row["_timestamp"] for row in run.rows()]
        return found

    def close(self):
        self.server.close()


class ToMlflow:
    name = "mlflow"
    running = None  # the one process, of all tests
    made = 0

    def __init__(self):
        ToMlflow.made += 1
        self.server, self.experiment = self.running.result(), f"faults {self.made}"

    def entry(self, proxy):
        return tracker("mlflow", uri=proxy.url, experiment=self.experiment)

    def environment(self, folder):
        return {}

    def points(self):
        return self.server.points(self.experiment)

    def times(self):
        found = {}
        for trial, run in self.server.runs(self.experiment)[0].items():
            history = self.server.client.get_metric_history(run.info.run_id, "train.loss")
            times = [one.timestamp for one in sorted(history, key=lambda one: one.step)]
            found[trial] = [run.info.start_time, *times, run.info.end_time]
        return found

    def close(self):
        pass


@pytest.fixture(scope="module", autouse=True)
def mlflow_server(tmp_path_factory):
    """It needs a while to start: the others' tests go on meanwhile."""
    with ThreadPoolExecutor() as beside:
        ToMlflow.running = beside.submit(Server, tmp_path_factory.mktemp("mlflow"))
        yield
        ToMlflow.running.result().stop(signal.SIGKILL)


@pytest.fixture(scope="module", params=[ToWebhook, ToWandb, ToMlflow], ids=lambda to: to.name)
def kind(request):
    return request.param


@pytest.fixture
def to(kind):
    made = kind()
    yield made
    made.close()


@pytest.fixture
def faulty(to):
    """Makes proxies before the server."""
    made = []

    def make(faults=(), **more):
        made.append(Proxy(to.server.port, faults, **more))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


def send(folder, to, proxy, wait=60.0, **environment) -> Uplink:
    """One that has ended."""
    known = to.environment(folder) | environment
    uplink = Uplink(folder, to.entry(proxy), wait=wait, environment=known)
    uplink.code = uplink.finish()
    return uplink


def the_line(folder, to) -> str:
    """What went wrong."""
    problem = status(folder, to.name)["problem"]
    assert 0 < len(problem) < 500
    assert "\n" not in problem
    return problem


# -- what passes ----------------------------------------------------------------------------------


def test_one_fault_after_the_other(tmp_path, to, faulty):
    expected = study(tmp_path, trials=1)
    faults = [429, 500, "drop", "taken, then drop", "cut", "dribble"]
    proxy = faulty([one for fault in faults for one in (None, fault)])
    assert send(tmp_path, to, proxy).code == 0
    assert proxy.faults == [], "faults were met"
    assert to.points() == expected
    assert status(tmp_path, to.name)["state"] == "up to date"


def test_down_for_a_while(tmp_path, to, faulty):
    """The trial goes on meanwhile."""
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    path.write_bytes(MAGIC + event(event="start", time=1.0) + series("a") + points(0, [1], [1.0]))
    proxy = faulty()
    known = to.environment(tmp_path)
    uplink = Uplink(tmp_path, to.entry(proxy), wait=60, environment=known)
    wait_for((tmp_path / "uplink" / f"{to.name}.json").exists, seconds=60)
    wait_for(lambda: status(tmp_path, to.name)["points"] == 1, seconds=60)
    proxy.stop()
    with path.open("ab") as journal:
        for step in range(2, 50):
            journal.write(points(0, [step], [1 / step]))
            journal.flush()
    wait_for(lambda: status(tmp_path, to.name)["state"] == "waiting", seconds=60)
    assert "onnect" in the_line(tmp_path, to)
    with path.open("ab") as journal:
        journal.write(event(event="end", status="done", steps=49, seconds=1.0))
    proxy.start()
    assert uplink.finish() == 0
    assert to.points() == [("00000000", "a", step, 1 / step) for step in range(1, 50)]


# -- what ends in time ----------------------------------------------------------------------------


REASONS = {
    "refused": "onnect",
    "mute": "no answer before time was up",
    "endless": "no answer before time was up",
    "wait an hour": "answered 429",
}


@pytest.mark.parametrize("how", REASONS)
def test_its_end_comes_in_time_and_the_next_delivers(tmp_path, to, faulty, how):
    expected = study(tmp_path, trials=1)
    is_busy = how == "wait an hour"
    proxy = faulty([429 if is_busy else how] * 1000)
    proxy.wait = "3600"
    if how == "refused":
        proxy.stop()
    began = time.monotonic()
    assert send(tmp_path, to, proxy, wait=100.0 if is_busy else 1.0).code == 1
    assert time.monotonic() - began < LONG
    assert status(tmp_path, to.name)["state"] == "waiting"
    assert REASONS[how] in the_line(tmp_path, to)
    proxy.stop()
    proxy.faults = []
    proxy.start()
    assert send(tmp_path, to, proxy).code == 0
    assert to.points() == expected


def test_an_answer_of_10_MB(tmp_path, to, faulty):
    """Where the answer is needed it gives up, with a line; otherwise that it was taken will do."""
    expected = study(tmp_path, trials=2)
    uplink = send(tmp_path, to, faulty([None] * 2 + ["10 MB"] * 1000))
    told = status(tmp_path, to.name)
    if to.name == "webhook":
        assert (uplink.code, told["state"]) == (0, "up to date")
    else:
        assert (uplink.code, told["state"]) == (1, "gave up")
        assert re.match(f"tracker/{to.name}: .*answer", the_line(tmp_path, to))
    assert send(tmp_path, to, faulty()).code == 0
    assert to.points() == expected


# -- certificates ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    return {
        "good": certificate(folder / "good.pem"),
        "nobody's": certificate(folder / "nobody.pem"),
        "expired": certificate(folder / "expired.pem", days=(-9, -2)),
        "of another host": certificate(folder / "other.pem", host="example.org"),
        "of the future": certificate(folder / "future.pem", days=(2, 9)),  # or a clock in the past
    }


REFUSED = {
    "nobody's": "self-signed|unable to get local issuer",
    "expired": "has expired",
    "of another host": "subject name|matches|does not match",
    "of the future": "not yet valid",
}


@pytest.mark.parametrize("which", REFUSED)
def test_a_wrong_certificate_gets_no_request(tmp_path, to, faulty, certificates, which):
    study(tmp_path, trials=1)
    trusted = certificates["good" if which == "nobody's" else which]
    proxy = faulty(certificate=certificates[which])
    uplink = send(tmp_path, to, proxy, wait=100.0, SSL_CERT_FILE=str(trusted))
    assert uplink.code == 1
    assert status(tmp_path, to.name)["state"] == "gave up"
    assert re.search(REFUSED[which], the_line(tmp_path, to))
    assert proxy.seen == []


def test_a_certificate_that_is_right(tmp_path, to, faulty, certificates):
    expected = study(tmp_path, trials=1)
    proxy = faulty(certificate=certificates["good"])
    trusting = {"SSL_CERT_FILE": str(certificates["good"])}
    assert send(tmp_path, to, proxy, **trusting).code == 0
    assert to.points() == expected
    assert len(proxy.seen) > 2


# -- a clock that was set back --------------------------------------------------------------------

FUTURE = 4102444800.0  # 2100


@pytest.mark.parametrize("ended", [True, False])
def test_a_clock_that_was_set_back(tmp_path, to, faulty, ended):
    """The trial began later than now: its times stand still, but never run backwards."""
    study(tmp_path, trials=1)
    body = MAGIC + event(event="start", time=FUTURE) + series("train.loss")
    for step in range(1, 6):
        body += points(0, [step], [1 / step])
    body += event(event="end", status="done", steps=5, seconds=1.0) if ended else b""
    (tmp_path / "journal" / "00000000.log").write_bytes(body)
    assert send(tmp_path, to, faulty()).code == 0
    assert to.points() == [("00000000", "train.loss", step, 1 / step) for step in range(1, 6)]
    times = to.times()["00000000"]
    assert len(times) >= 5
    assert times == sorted(times)
    assert times[0] >= FUTURE


# -- no room --------------------------------------------------------------------------------------


@pytest.fixture
def disk():
    """Makes small ones."""
    made = []

    def make(folder, size):
        made.append(SmallDisk(folder, size))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def fill(path):
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 4096)


def test_no_room_for_what_was_delivered(tmp_path, to, faulty, disk):
    """What can't be put on record comes again, and is there once."""
    small = disk(tmp_path / "disk", 256 << 10)
    if not small.is_mounted:
        pytest.skip("mounting is forbidden here")
    folder = small.folder / "study"
    expected = study(folder, trials=2)
    proxy = faulty()
    fill(folder / "filler")
    assert send(folder, to, proxy, wait=1.0).code == 1
    (folder / "filler").unlink()
    assert send(folder, to, proxy).code == 0
    assert to.points() == expected


# -- bad input, by the command line ---------------------------------------------------------------


class BadInput(WithTrackers):
    """Training doesn't notice; a line of each tracker says why; the exit status of `sync` tells."""

    def setUp(self):
        super().setUp()
        for use in ("wandb", "mlflow"):
            shutil.copy(PLUGINS / f"tracker_{use}.so", self.folder / "plugins")
        self.environment |= home(self.folder)

    def results(self, directory):
        rows = json.loads(self.paribus("results", directory, "--json").stdout)["rows"]
        assert len(rows) == 6
        return [{key: row[key] for key in row if key != "seconds"} for row in rows]

    def refused(self, code, **hints):
        proxies = {use: Proxy(1, [code] * 1000) for use in hints}
        key = {"webhook": "url", "wandb": "base_url", "mlflow": "uri"}
        self.write()
        self.paribus("run", self.study, "-q", "--dir", self.folder / "without")
        self.write(
            *(
                f'[[tracker]]\nuse = "{use}"\n{key[use]} = "{proxy.url}"\n'
                for use, proxy in proxies.items()
            )
        )
        done = self.paribus("run", self.study)
        synced = self.paribus("sync", self.directory)
        assert (done.returncode, synced.returncode) == (0, 1), done.stderr + synced.stderr
        assert self.results(self.directory) == self.results(self.folder / "without")
        for use, hint in hints.items():
            for text in (done.stderr, synced.stdout):
                (line,) = re.findall(f"^tracker {use}: .*", text, re.MULTILINE)
                assert f"the server answered {code}" in line
                assert hint in line
            assert len(proxies[use].seen) <= 4, "asked once by each command, or twice"
            proxies[use].close()

    def test_a_wrong_key(self):
        self.refused(401, webhook="", wandb="see WANDB_API_KEY", mlflow="MLFLOW_TRACKING_TOKEN")

    def test_an_unknown_project(self):
        self.refused(404, webhook="", wandb="see `entity` and `project`", mlflow="experiments/")


del WithTrackers
