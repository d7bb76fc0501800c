# SPDX-License-Identifier: Apache-2.0
"""Histograms and pictures of trials: as TensorBoard's own reader, wandb's own client and MLflow's have them, each once."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy
import pytest
from faulty import Proxy, now_and_then
from journals import MAGIC, event, histogram, picture, points, series
from PIL import Image
from recorder import Recorder
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from test_mlflow import DELETE, Server, mlflow
from test_mlflow import sync as mlflow_sync
from test_wandb import home, send, the_run, trial_of, wandb
from test_wandb_offline import runs, wandb_sync
from uplinks import Uplink, journals, kill_midway, sync, tracker, written

TRIAL = "00000000"
COUNTS = [1, 0, 5, 2]
LOW, HIGH = -0.5, 1.5


def png(step):
    out = io.BytesIO()
    Image.new("RGB", (6, 4), (step % 256, 0, 200)).save(out, "PNG")
    return out.getvalue()


def shown(steps, bins=4):
    """Of each step a point, then two histograms and a picture, then another point."""
    body = b""
    for step in steps:
        counts = [step, *COUNTS[1:bins]]
        body += points(0, [step], [1 / step])
        body += histogram("weights.a", step, LOW, HIGH, counts, total=3.5, squares=2.25)
        body += histogram("grads.a", step, 0.0, 0.0, [7, 0, 0, 0])
        body += picture("valid.pictures", step, png(step))
        body += points(1, [step], [step / 2])
    return body


def study(folder, trials=1, steps=4, end=True):
    journals.write_study(folder, {"slow": dict.fromkeys(range(trials), 0.5)})
    for seed in range(trials):
        body = MAGIC + event(event="start", time=1.0) + series("train.loss") + series("valid.x")
        body += shown(range(1, steps + 1))
        if end:
            body += event(event="end", status="done", steps=steps, seconds=2.0)
        (Path(folder) / "journal" / f"{seed:08x}.log").write_bytes(body)


def read(folder):
    """TensorBoard's runs."""
    found = []
    for run in sorted((folder / "trackers" / "tensorboard").iterdir()):
        sizes = {"scalars": 0, "histograms": 0, "images": 0}
        found.append(EventAccumulator(str(run), size_guidance=sizes))
        found[-1].Reload()
    return found


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


def in_tensorboard(events, steps):
    weights = events.Histograms("weights.a")
    assert [one.step for one in weights] == list(steps)
    for one in weights:
        value = one.histogram_value
        assert (value.min, value.max, value.sum, value.sum_squares) == (LOW, HIGH, 3.5, 2.25)
        assert value.num == sum(value.bucket) == one.step + sum(COUNTS[1:])
        assert list(value.bucket) == [one.step, *COUNTS[1:]]
        assert list(value.bucket_limit) == [0.0, 0.5, 1.0, 1.5]
    pictures = events.Images("valid.pictures")
    assert [(one.step, one.encoded_image_string) for one in pictures] == [
        (step, png(step)) for step in steps
    ]
    assert {(one.width, one.height) for one in pictures} == {(6, 4)}
    assert [one.step for one in events.Scalars("valid.x")] == list(steps)


def test_tensorboards_reader_has_them(tmp_path):
    study(tmp_path)
    assert sync(tmp_path, tracker("tensorboard")) == 0
    (events,) = read(tmp_path)
    in_tensorboard(events, range(1, 5))
    assert sum(events.Histograms("grads.a")[0].histogram_value.bucket) == 7  # all are one number


def test_only_those_that_are_wanted(tmp_path):
    study(tmp_path)
    assert sync(tmp_path, tracker("tensorboard", only=["weights.*", "valid.x"])) == 0
    (events,) = read(tmp_path)
    assert events.Tags()["histograms"] == ["weights.a"]
    assert events.Tags()["images"] == []


def test_each_once_whatever_dies(tmp_path):
    study(tmp_path, trials=2, steps=300)
    start = partial(Uplink, tmp_path, tracker("tensorboard"))
    kill_midway(start, partial(written, tmp_path, "tensorboard"), range(0, 200_000, 20_000))
    assert sync(tmp_path, tracker("tensorboard")) == 0
    for events in read(tmp_path):
        in_tensorboard(events, range(1, 301))


def test_what_a_resumed_trial_makes_again_comes_once(tmp_path):
    study(tmp_path, end=False)
    assert sync(tmp_path, tracker("tensorboard")) == 0
    journal = tmp_path / "journal" / f"{TRIAL}.log"
    more = event(event="resume", step=2) + shown(range(3, 7))
    journal.write_bytes(journal.read_bytes() + more + event(event="end", status="done", steps=6))
    for _ in range(2):
        assert sync(tmp_path, tracker("tensorboard")) == 0
        (events,) = read(tmp_path)
        in_tensorboard(events, range(1, 7))


def in_wandb(run, steps):
    """In the rows of their steps, beside the points."""
    rows = [row for row in run.rows() if "weights.a" in row]
    assert [row["_step"] for row in rows] == list(steps)
    assert [row["_step"] for row in run.rows()] == list(steps)
    for row in rows:
        step = row["_step"]
        counts = [step, *COUNTS[1:]]
        assert row["weights.a"] == {
            "_type": "histogram",
            "values": counts,
            "bins": [-0.5, 0.0, 0.5, 1.0, 1.5],
        }
        assert (row["train.loss"], row["valid.x"]) == (1 / step, step / 2)
        told = row["valid.pictures"]
        kept = run.files[told["path"]]
        assert kept == png(step)
        assert told["sha256"] == hashlib.sha256(kept).hexdigest()
        assert (told["_type"], told["format"], told["size"]) == ("image-file", "png", len(kept))
        assert (told["width"], told["height"]) == (6, 4)


def test_wandb_has_them_in_its_history(tmp_path, server):
    study(tmp_path)
    assert send(tmp_path, server) == 0
    run = the_run(server)
    in_wandb(run, range(1, 5))
    assert {row["valid.pictures"]["path"] for row in run.rows()} <= set(run.uploaded)


def test_its_own_client_says_the_same(tmp_path, server):
    study(tmp_path, steps=1)
    assert send(tmp_path, server) == 0
    (row,) = the_run(server).rows()
    theirs = Recorder()
    (tmp_path / "p.png").write_bytes(png(1))
    program = f"""
import numpy, wandb
run = wandb.init(project="p", settings=wandb.Settings(console="off", x_disable_stats=True))
counts, bins = {[1, *COUNTS[1:]]}, {[-0.5, 0.0, 0.5, 1.0, 1.5]}
run.log({{"weights.a": wandb.Histogram(np_histogram=(counts, bins)),
         "valid.pictures": wandb.Image("p.png")}}, step=1)
run.finish()
"""
    environment = home(tmp_path) | {
        "WANDB_BASE_URL": theirs.url,
        "WANDB_DIR": str(tmp_path / "home"),
        "WANDB_ERROR_REPORTING": "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    run = the_run(theirs)
    (their,) = run.rows()
    theirs.close()
    assert row["weights.a"] == {key: their["weights.a"][key] for key in row["weights.a"]}
    our_picture, their_picture = row["valid.pictures"], their["valid.pictures"]
    assert set(our_picture) == set(their_picture)
    for key in set(our_picture) - {"path", "sha256", "size"}:  # it writes the picture anew
        assert our_picture[key] == their_picture[key]
    for told in (our_picture, their_picture):  # its client counts, where we have the step
        number = told["sha256"][:20]
        assert re.fullmatch(rf"media/images/valid\.pictures_\d+_{number}\.png", told["path"])


@pytest.mark.parametrize("fault", [500, "cut", "drop", "taken, then drop"])
def test_wandb_whatever_goes_wrong(tmp_path, server, fault):
    study(tmp_path, trials=2, steps=6)
    proxy = Proxy(server.port, now_and_then(fault, 4))
    server.storage = proxy.url
    sent = tracker("wandb", base_url=proxy.url, rate=1000.0)
    assert sync(tmp_path, sent, environment=home(tmp_path), wait=100) == 0
    proxy.close()
    for run in server.runs.values():
        in_wandb(run, range(1, 7))


def test_wandb_whatever_dies(tmp_path, server):
    study(tmp_path, trials=2, steps=15)
    start = partial(Uplink, tmp_path, wandb(server), environment=home(tmp_path))
    kill_midway(start, lambda: len(server.requests), range(1, 20, 2))
    assert send(tmp_path, server) == 0
    assert sorted(trial_of(name) for name in server.runs) == [TRIAL, "00000001"]
    for run in server.runs.values():
        in_wandb(run, range(1, 16))


def test_wandbs_own_sync_takes_them(tmp_path, server):
    study(tmp_path)
    assert sync(tmp_path, tracker("wandb_offline")) == 0
    wandb_sync(tmp_path, server, *runs(tmp_path))
    in_wandb(the_run(server), range(1, 5))


def test_mlflow_has_pictures_as_artifacts(tmp_path):
    study(tmp_path / "study")
    server = Server(tmp_path)
    try:
        assert mlflow_sync(tmp_path / "study", mlflow(server, "shown")) == 0
        (run,) = server.runs("shown")[0].values()
        for step in range(1, 5):
            assert server.file(run, f"images/valid.pictures+step+{step}.png") == png(step)
        # The server loses the run, and what comes next is a picture.
        journal = tmp_path / "study" / "journal" / f"{TRIAL}.log"
        journal.write_bytes(journal.read_bytes() + picture("valid.pictures", 5, png(5)))
        delete = f"{DELETE}\ndelete('{server.folder}/m.db', '{run.info.run_id}')"
        subprocess.run([sys.executable, "-c", delete], check=True)
        assert mlflow_sync(tmp_path / "study", mlflow(server, "shown")) == 0
        (again,) = server.runs("shown")[0].values()
        assert again.info.run_id != run.info.run_id
        for step in range(1, 6):
            assert server.file(again, f"images/valid.pictures+step+{step}.png") == png(step)
        assert len(server.points("shown")) == 8
    finally:
        server.stop()


def test_what_is_no_picture_is_left_out(tmp_path):
    journals.write_study(tmp_path, {"slow": {0: 0.5}})
    body = MAGIC + event(event="start", time=1.0) + series("train.loss")
    body += picture("a", 1, b"no png") + picture("b", 1, png(1)) + points(0, [1], [0.5])
    (tmp_path / "journal" / f"{TRIAL}.log").write_bytes(body)
    assert sync(tmp_path, tracker("tensorboard")) == 0
    (events,) = read(tmp_path)
    assert events.Tags()["images"] == ["b"]
    assert [one.value for one in events.Scalars("train.loss")] == [0.5]


def test_a_study_of_its_own(tmp_path):
    """What the callbacks record, from training to results.h5 and event files."""
    import h5py

    (tmp_path / "shown.toml").write_text(
        """
model = "mlp"
data = { use = "glyphs", limit = 300, valid_limit = 60, batch = 50 }
train = { epochs = 2 }
callback = ["histograms", { use = "pictures", items = 5 }]
tracker = ["tensorboard"]
"""
    )
    done = subprocess.run(
        [os.environ["PARIBUS"], "run", "shown.toml", "-q"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "shown"
    (events,) = read(folder)
    with h5py.File(folder / "results.h5") as file:
        (trial,) = file["histograms"]
        tables = file["histograms"][trial]
        kinds = {name.split(".")[0] for name in tables}
        assert kinds == {"weights", "grads"}
        assert sorted(tables) == sorted(events.Tags()["histograms"])
        weights = last_weights(folder, trial)
        assert {f"weights.{name}" for name in weights} <= set(tables)
        for name, values in weights.items():
            table = tables[f"weights.{name}"]
            assert list(table["step"]) == [6, 12]
            last = table[-1]
            assert (last["low"], last["high"]) == (values.min(), values.max())
            edges = (float(values.min()), float(values.max()))
            counts, _ = numpy.histogram(values.astype("float64"), bins=64, range=edges)
            assert last["counts"].sum() == values.size
            assert abs(last["counts"].astype(int) - counts).sum() <= 2  # at edges, by rounding
            assert numpy.isclose(last["sum"], values.astype("float64").sum())
        pictures = file["pictures"][trial]["valid.pictures"]
        assert sorted(pictures, key=int) == ["6", "12"]
        files = {int(step): bytes(pictures[step][:]) for step in pictures}
    image = Image.open(io.BytesIO(files[12]))
    assert image.size == (5 * 136, 136)
    assert {one.step: one.encoded_image_string for one in events.Images("valid.pictures")} == files


TAILS = """
model = "mlp"
optimizer = { use = "sgd", lr = 0.05 }
data = { use = "glyphs", limit = 300, valid_limit = 60, batch = 50 }
train = { epochs = 4 }
callback = [{ use = "histograms", bins = 4 }, "pictures"]
tracker = ["tensorboard"]
[arms]
high = { "schedule.optimizer.lr" = { use = "pieces", at = [2.0], values = [0.05, 0.02] } }
low = { "schedule.optimizer.lr" = { use = "pieces", at = [2.0], values = [0.05, 0.001] } }
"""


def test_a_beginning_that_trials_share_is_shown_in_its_order(tmp_path):
    """The one that begins with the other's steps has its histograms and pictures, each in its place."""
    (tmp_path / "tails.toml").write_text(TAILS)
    paribus = os.environ["PARIBUS"]
    subprocess.run([paribus, "run", "tails.toml", "-q"], cwd=tmp_path, check=True, timeout=300)
    status = subprocess.run(
        [paribus, "check", "tails.toml", "--json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    steps = json.loads(status.stdout)["steps"]
    assert steps["run"] < steps["asked"], "nothing was shared"
    for run in (tmp_path / "runs" / "tails" / "trackers" / "tensorboard").iterdir():
        (file,) = run.iterdir()
        steps = [one.step for one in EventFileLoader(str(file)).Load() if one.HasField("summary")]
        assert steps[:-1] == sorted(steps[:-1]) and len(steps) > 24
        events = EventAccumulator(str(run), size_guidance={"histograms": 0, "images": 0})
        events.Reload()
        for tag in events.Tags()["histograms"]:
            assert [one.step for one in events.Histograms(tag)] == [6, 12, 18, 24]
        assert [one.step for one in events.Images("valid.pictures")] == [6, 12, 18, 24]


def last_weights(folder, trial):
    file = (folder / "checkpoints" / trial / "final.safetensors").read_bytes()
    begin = 8 + int.from_bytes(file[:8], "little")
    found = {}
    for name, one in json.loads(file[8:begin]).items():
        if name != "__metadata__" and one["dtype"] == "F32":
            first, last = one["data_offsets"]
            found[name] = numpy.frombuffer(file[begin + first : begin + last], "float32")
    return found


def test_json_of_a_row_is_json(tmp_path, server):
    """Where a histogram's ends are not finite, W&B's own words for them stand."""
    journals.write_study(tmp_path, {"slow": {0: 0.5}})
    body = MAGIC + event(event="start", time=1.0)
    body += histogram("w", 1, 0.0, 0.0, [0, 0], not_finite=9)
    body += event(event="end", status="done", steps=1)
    (tmp_path / "journal" / f"{TRIAL}.log").write_bytes(body)
    assert send(tmp_path, server) == 0
    (row,) = the_run(server).rows()
    assert json.dumps(row["w"]) == json.dumps(
        {"_type": "histogram", "bins": [0.0, 0.0, 0.0], "values": [0, 0]}
    )
