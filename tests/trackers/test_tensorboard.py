# SPDX-License-Identifier: Apache-2.0
"""Event files as TensorBoard's own reader and its HParams page see them."""

import struct
from functools import partial
from pathlib import Path

from journals import MAGIC, event, points, series
from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
from uplinks import Uplink, journals, kill_midway, study, sync, tracker, written


def runs(folder) -> list[Path]:
    return sorted((folder / "trackers" / "tensorboard").iterdir())


def read(run) -> EventAccumulator:
    found = EventAccumulator(str(run), size_guidance={"scalars": 0})
    found.Reload()
    return found


def as_float(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def test_scalars_read_back(tmp_path):
    expected = study(tmp_path, trials=2)
    assert sync(tmp_path, tracker("tensorboard")) == 0
    got = []
    for run in runs(tmp_path):
        scalars = read(run).Scalars("train.loss")
        got += [(one.step, one.value) for one in scalars]
        times = [one.wall_time for one in scalars]
        assert times == sorted(times)
        assert times[0] > 0
    assert got == [(step, as_float(value)) for _, _, step, value in expected]


def test_every_checksum_is_right_and_nothing_is_doubled_by_kills(tmp_path):
    expected = study(tmp_path, trials=3, steps=200)
    start = partial(Uplink, tmp_path, tracker("tensorboard"))
    kill_midway(start, partial(written, tmp_path, "tensorboard"), range(0, 8000, 1000))
    assert sync(tmp_path, tracker("tensorboard")) == 0
    steps = []
    for run in runs(tmp_path):
        (file,) = run.iterdir()
        reader = PyRecordReader_New(str(file))
        count = 0
        while True:
            try:
                reader.GetNext()  # raises DataLossError where a checksum is wrong
            except EOFError:
                break
            except Exception as problem:  # the end of the file
                assert "OutOfRange" in type(problem).__name__, problem
                break
            count += 1
        assert count == 200 + 3  # version, start, end
        steps += [one.step for one in read(run).Scalars("train.loss")]
    assert steps == [step for _, _, step, _ in expected]


def test_the_hparams_page_has_parameters_and_metrics(tmp_path):
    journals.write_study(
        tmp_path,
        {"slow": {0: 0.5}, "fast": {0: 0.25, 1: None}},
        axes=["optimizer.lr", "optimizer.nesterov", "model.act"],
        values={
            "slow": {"optimizer.lr": 0.1, "optimizer.nesterov": True, "model.act": "relu"},
            "fast": {"optimizer.lr": 0.4, "optimizer.nesterov": False, "model.act": "gelu"},
        },
    )
    assert sync(tmp_path, tracker("tensorboard")) == 0
    folder = str(tmp_path / "trackers" / "tensorboard")
    events = EventMultiplexer()
    events.AddRunsFromDirectory(folder)
    events.Reload()
    provider = MultiplexerDataProvider(events, folder)
    page = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=10, allowed_statuses=[0, 1, 2, 3]
    )
    metric = request.col_params.add()
    metric.metric.tag = "train.loss"
    found = list_session_groups.Handler(context.RequestContext(), page, "", request).run()
    rows = {}
    for group in found.session_groups:
        for session in group.sessions:
            values = {
                name: getattr(value, value.WhichOneof("kind"))
                for name, value in group.hparams.items()
            }
            # Seeds of an arm are one group, of which the page shows means.
            arm, seed = session.name.split("-")[:2]
            assert values["arm"] == arm
            rows[arm, int(seed.removeprefix("seed"))] = values | {
                "status": session.status,
                "loss": {one.name.tag: one.value for one in session.metric_values}["train.loss"],
            }
    assert rows["slow", 0]["optimizer.lr"] == 0.1
    assert rows["slow", 0]["optimizer.nesterov"] is True
    assert rows["fast", 0]["model.act"] == "gelu"
    assert rows["fast", 0]["loss"] == as_float(0.1)
    assert rows["fast", 0]["status"] == api_pb2.STATUS_SUCCESS
    assert rows["fast", 1]["status"] == api_pb2.STATUS_FAILURE


def test_numbers_that_are_not_finite(tmp_path):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    values = [float("nan"), float("inf"), float("-inf")]
    body = series("a") + points(0, range(3), values)
    path.write_bytes(MAGIC + event(event="start", time=1.0) + body)
    assert sync(tmp_path, tracker("tensorboard")) == 0
    (run,) = runs(tmp_path)
    assert [str(one.value) for one in read(run).Scalars("a")] == ["nan", "inf", "-inf"]
