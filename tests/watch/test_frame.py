# SPDX-License-Identifier: Apache-2.0
"""Single frames: `paribus watch --once` and `--json`."""

import json
import math
import random
import unicodedata

from watching import journals, made, paribus


def frame(folder, **settings) -> str:
    return paribus("watch", folder, "--once", **settings).stdout


def as_json(folder) -> dict:
    return json.loads(paribus("watch", folder, "--json").stdout)


def columns(line: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.combining(c) > 0 for c in line)


def test_study_that_is_done(tmp_path):
    text = frame(made.two_arms(tmp_path / "s"))
    assert "Does Lookahead help SGD once the rate is annealed?" in text
    assert "100 %  16 of 16 done" in text and "not running" in text
    assert "lookahead, seed 7" in text
    assert "valid.accuracy of sgd, seed 0" in text
    assert any("⠀" < c <= "⣿" for c in text)  # the curve
    assert text.rstrip().splitlines()[-1].split() == ["step", "0", "80"]


def test_terminal_without_unicode(tmp_path):
    text = frame(made.two_arms(tmp_path / "s"), LC_ALL="C")
    assert text.isascii() and "####" in text and "*" in text


def test_counts_are_those_of_status(running):
    running.make(1, 250)
    status = json.loads(paribus("status", running.folder, "--json").stdout)
    view = as_json(running.folder)
    assert view["counts"] == status["counts"]
    assert view["counts"] | {"planned": 1, "running": 1, "failed": 1, "done": 1} == view["counts"]
    assert view["driver_running"] is status["driver_running"] is True
    assert {t["id"]: t["status"] for t in view["trials"]} == {
        t["id"]: t["status"] for t in status["trials"] if t["status"] != "planned"
    }


def test_running_trial(running):
    running.make(1, 250)
    trial = as_json(running.folder)["trials"][0]
    assert (trial["step"], trial["steps"], trial["loss"]) == (250, 1000, 1 / 250)
    assert trial["metric"] is None  # not measured yet: nothing is made up
    assert 15 < trial["steps_per_second"] < 30  # in the 10 s since its start
    assert trial["seconds_left"] == 750 / trial["steps_per_second"]
    text = frame(running.folder)
    assert "250/1000" in text and "1 failed, 1 running, 1 waiting\n" in text
    assert "train.batch_loss (nat) of sgd, seed 0: 0.004" in text


def test_study_that_was_interrupted(running):
    running.make(1, 250)
    running.trial.close()
    running.driver.close()
    view = as_json(running.folder)
    assert view["counts"]["stopped"] == 1 and view["counts"]["running"] == 0
    assert view["seconds_left"] is None and view["driver_running"] is False
    assert "stopped" in frame(running.folder)


def test_failed_trial_says_why(tmp_path):
    folder = made.two_arms(tmp_path / "s")
    broken = journals.trial_journal(
        "00000003", "sgd", 3, {}, end="failed", message="nan at 7\nmore"
    )
    (folder / "journal" / "00000003.log").write_bytes(broken)
    assert "> sgd, seed 3" in frame(folder)
    assert "nan at 7" in frame(folder) and "more" not in frame(folder)


def test_points_that_a_resume_made_void(running):
    running.make(1, 400)
    running.trial.add(journals.event(event="resume", step=200, time=1.0))
    running.make(201, 300)
    view = as_json(running.folder)
    assert view["trials"][0]["step"] == 300
    assert view["curve"]["points"] == 400  # the same bits again: each counts once
    running.trial.add(journals.event(event="start", facts={"steps_per_epoch": 500}, time=1.0))
    running.make(1, 3)
    view = as_json(running.folder)
    assert (view["trials"][0]["step"], view["curve"]["points"]) == (3, 3)


def test_long_series_keep_their_extremes(tmp_path):
    view = as_json(made.long_study(tmp_path / "s"))
    curve = view["curve"]
    assert curve["points"] == 100_000 and 200 <= len(curve["buckets"]) <= 512
    assert min(b["least"] for b in curve["buckets"]) == -50
    assert max(b["greatest"] for b in curve["buckets"]) == 70


def test_values_that_are_not_finite(running):
    running.trial.add(journals.points(1, [1, 2, 3], [0.5, math.inf, math.nan]))
    view = as_json(running.folder)
    assert view["trials"][0]["metric"] == "NaN"
    assert (view["curve"]["points"], view["curve"]["not_finite"]) == (3, 2)
    text = frame(running.folder)
    assert "valid.accuracy of sgd, seed 0: nan; 2 of 3 values are not finite" in text
    running.trial.add(journals.points(1, [4], [-math.inf]))
    assert as_json(running.folder)["trials"][0]["metric"] == "-Infinity"


def test_hostile_names_are_shown_harmlessly(tmp_path):
    folder = made.hostile(tmp_path / "s")
    text = frame(folder)
    assert " nan  in 1.0 s" in text
    assert "nnnn…, seed 5  done" in text  # a name is cut, never the seed
    for line in text.splitlines():
        assert columns(line) <= 100, line
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}
    assert bad == set()
    view = as_json(folder)
    assert {t["arm"] for t in view["trials"]} == set(made.HOSTILE)
    assert [t["metric"] for t in view["trials"]].count("NaN") == 3  # so their ends say: JSON's null


def test_journal_of_a_running_trial_that_is_damaged(running):
    """Every kind of damage ends with a frame, and nothing that stood before it is lost."""
    draw = random.Random(7)
    running.make(1, 250)
    whole = (running.folder / "journal" / "00000000.log").stat().st_size
    more = journals.points(0, [*range(251, 260), 3, 400, -5, 401], [0.5] * 13)
    running.trial.add(more)
    view = as_json(running.folder)
    assert (view["trials"][0]["step"], view["curve"]["points"]) == (401, 261)  # steps must grow
    for _ in range(25):
        bad = bytearray(more)
        for _ in range(draw.randint(1, 4)):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        running.trial.file.truncate(whole)
        running.trial.file.seek(whole)
        running.trial.add(bytes(bad[: draw.choice([len(bad), draw.randrange(1, len(bad))])]))
        view = as_json(running.folder)
        assert view["curve"]["points"] in (250, 261)
    running.trial.file.truncate(whole)
    running.trial.file.seek(whole)
    running.trial.add(more[:-1] + bytes([more[-1] ^ 1]))
    assert as_json(running.folder)["problems"][0].endswith(f"from byte {whole} on makes no sense")


def test_it_only_reads(running):
    running.make(1, 250)

    def files():
        return {
            path: (path.stat().st_mtime_ns, path.stat().st_size)
            for path in [running.folder, *running.folder.rglob("*")]
        }

    before = files()
    frame(running.folder)
    as_json(running.folder)
    assert files() == before


def test_damaged_journal_is_told(running):
    journal = running.folder / "journal" / "00000001.log"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    status = json.loads(paribus("status", running.folder, "--json").stdout)
    assert as_json(running.folder)["problems"] == status["problems"] != []
    assert "journal/00000001.log: " in frame(running.folder)


def test_wrong_requests(tmp_path, running):
    assert "is not a study's directory" in paribus("watch", tmp_path, "--once", status=2).stderr
    complaint = paribus("watch", running.folder, status=2).stderr
    assert complaint == (
        "paribus: watch needs a terminal; --once prints one frame anywhere, --json for programs\n"
    )
