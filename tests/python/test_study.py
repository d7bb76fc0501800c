# SPDX-License-Identifier: Apache-2.0
"""Studies driven from Python give what the command line gives."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import paribus
import pytest
from small_study import PACKAGE, small

SAME_IN_TOML = """\
[data]
use = "glyphs"
items = 300
valid_items = 64
transforms = [{ use = "normalize" }]

[model]
use = "mlp"
hidden = [16]

[train]
epochs = 1

[study]
question = "Momentum?"
seeds = 2
threads = 1

[arms]
plain = {}
momentum = { "optimizer.momentum" = 0.9 }
"""


def numbers(directory: Path) -> dict[str, bytes]:
    with h5py.File(directory / "results.h5") as file:
        return {
            f"{trial}/{name}": points[:].tobytes()
            for trial, group in file["series"].items()
            for name, points in group.items()
        }


def by_command_line(*words) -> subprocess.CompletedProcess:
    words = [os.environ["PARIBUS_PROGRAM"], *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True)


def test_rates_and_data_with_their_pictures(place):
    study = small()
    sweep = study.lr_find(low=1e-3, high=1, steps=20)
    assert sweep.points[0][0] == pytest.approx(1e-3) and len(sweep.points) <= 20
    assert sweep.suggestion is None or 1e-3 <= sweep.suggestion <= 1
    batch = study.show_data(items=6, valid=True)
    assert batch.items == [0, 1, 2, 3, 4, 5]
    for shown in (sweep, batch):
        assert shown._repr_png_().startswith(b"\x89PNG")
        assert shown.figure().axes
    with pytest.raises(paribus.StudyError):
        study.override({"optimizer.momentum": 7}).show_data()


def test_same_ids_and_bits_as_from_toml(place):
    (place / "same.toml").write_text(SAME_IN_TOML)
    assert by_command_line("run", "same.toml", "--dir", "of_toml").returncode == 0
    run = small().run("of_python")
    assert numbers(run.directory) == numbers(place / "of_toml")
    assert len(numbers(run.directory)) >= 4 * 3
    again = paribus.Study.load("same.toml").run("of_file")
    assert numbers(again.directory) == numbers(place / "of_toml")


def test_a_saved_study_is_the_same_study(place):
    small().save("saved.toml")
    told = json.loads(by_command_line("check", "saved.toml", "--json").stdout)
    check = small().check()
    assert [trial["id"] for trial in told["trials"]] == [trial["id"] for trial in check.trials]
    assert check.arms == ["plain", "momentum"]
    assert str(check) == "4 trials, 20 steps in all; metric valid.accuracy"


def test_check_tells_all_that_is_wrong_at_once(place):
    with pytest.raises(paribus.StudyError) as caught:
        small(optimizer={"use": "sgd", "mumentum": 0.9}, train={"epocs": 1}).check()
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 2
    assert any("did you mean 'momentum'" in message for message in messages)
    assert all(
        problem.line > 0 and problem.file.endswith("small.toml")
        for problem in caught.value.problems
    )


def test_run_tells_the_same(place):
    (place / "wrong.toml").write_text('model = "mpl"\ndata = "glyphs"\n')
    with pytest.raises(paribus.StudyError) as caught:
        paribus.Study.load("wrong.toml").run()
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("wrong.toml", 1, 9)
    assert "mlp" in problem.message
    assert not (place / "runs").exists()


def test_overrides(place):
    (place / "same.toml").write_text(SAME_IN_TOML)
    study = paribus.Study.load("same.toml")
    other = study.override({"optimizer.lr": 0.01, "model": paribus.model.Mlp(hidden=[4])})
    ids = {trial["id"] for trial in study.check().trials}
    checked = other.check()
    assert ids.isdisjoint(trial["id"] for trial in checked.trials)
    assert checked.trials[0]["facts"]["parameters"] < 5000
    with pytest.raises(paribus.StudyError, match="did you mean 'momentum'"):
        study.override({"optimizer.mumentum": 0.9}).check()


def test_results(place):
    run = small().run("run")
    results = run.results()
    frame = results.frame()
    assert list(frame["arm"]) == ["plain", "plain", "momentum", "momentum"]
    assert frame.attrs["units"]["seconds"] == "s"
    data = results.xarray()
    assert data["valid.accuracy"].sel(arm="momentum", seed=1) == frame["valid.accuracy"][3]
    points = results.series("train.batch_loss")
    assert list(points.columns) == ["trial", "arm", "seed", "step", "train.batch_loss"]
    assert len(points) == 4 * 5
    with pytest.raises(paribus.ParibusError, match="no trial recorded 'valid.f1'; there are"):
        results.series("valid.f1")
    assert len(run.results(where="arm = momentum")) == 2
    assert "<td>momentum</td>" in run._repr_html_()


def test_comparison_and_verification(place):
    run = small().run("run")
    comparison = run.compare()
    assert comparison.baseline == "plain"
    assert "plain" in str(comparison)
    assert comparison.frame()["arm"].tolist() == ["momentum"]
    assert run.compare("valid.loss").metric == "valid.loss"
    assert run.verify(sample=1)
    with pytest.raises(paribus.StudyError, match="valid.f1"):
        run.compare("valid.f1")


def test_events_while_it_runs(place):
    states = list(small(epochs=3).start("run"))
    last = {state.id: state.status for state in states}
    assert len(last) == 4
    assert set(last.values()) == {"done"}


def test_trials_without_a_result(place):
    study = small(
        epochs=100000, study={"seeds": 1, "threads": 1, "time_limit": "1s"}, arms={"plain": {}}
    )
    with pytest.raises(paribus.TrialsFailed, match="time") as caught:
        study.run("run")
    (trial,) = caught.value.failed
    assert caught.value.run.status()[0].id == trial
    run = study.run("again", strict=False)
    assert run.status()[0].status == "stopped"


def test_stopped_and_resumed(place):
    tables = {"study": {"seeds": 2, "threads": 1}, "arms": {"plain": {}}}
    run = small(epochs=1000, **tables).start("run", jobs=1)
    for state in run:
        if state.status == "running":
            run.stop()
    assert {state.status for state in run.status()} != {"done"}
    run.resume(jobs=1)
    assert {state.status for state in paribus.Run("run").status()} == {"done"}
    undisturbed = small(epochs=1000, **tables).run("undisturbed")
    run.results().series("valid.loss")  # seals
    assert numbers(run.directory) == numbers(undisturbed.directory)


def test_a_ctrl_c_stops_the_trials_and_reaches_the_caller(place):
    study = small(epochs=100000)

    def interrupt():
        log = place / "run" / "journal" / "study.log"
        for _ in range(1200):  # a minute
            if log.exists():
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        study.run("run", jobs=1)
    thread.join()
    assert "running" not in {state.status for state in paribus.Run("run").status()}


def test_importing_is_light():
    code = "import sys, paribus; print(sorted({'torch', 'pandas', 'h5py', 'numpy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_without_the_program_it_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PARIBUS_PROGRAM", "/nowhere/paribus")
    with pytest.raises(paribus.ParibusError, match="PARIBUS_PROGRAM names /nowhere/paribus"):
        small().check()
    monkeypatch.delenv("PARIBUS_PROGRAM")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(paribus.ParibusError, match="put it in PATH"):
        small().check()


def test_types():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", PACKAGE / "paribus"],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stdout
