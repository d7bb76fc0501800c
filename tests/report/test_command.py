# SPDX-License-Identifier: Apache-2.0
"""`paribus report` from the shell's side."""

import csv
import io
import json
import os
import re
import subprocess

import journals
import made
import pytest
from conftest import PARIBUS, paribus


def data_of(page: str) -> dict:
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    )


def test_the_page_is_written_into_the_directory(studies, tmp_path):
    folder = made.two_arms(tmp_path / "study")
    assert paribus("report", folder).stdout == f"{folder}/report.html\n"
    page = (folder / "report.html").read_text()
    assert data_of(page)["study"]["metric"] == "valid.accuracy"
    assert page == paribus("report", folder, "--out", "-").stdout, (
        "the same results, the same bytes"
    )
    paribus("report", folder, "--out", tmp_path / "other.html")
    assert (tmp_path / "other.html").read_text() == page
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_numbers_are_those_of_compare_and_results(studies):
    folder = studies["factorial"]
    data = data_of((folder / "report.html").read_text())
    told = json.loads(paribus("compare", folder, "--json").stdout)
    shown = data["comparison"]
    for arm in shown["arms"]:
        assert sum(arm["differences"]) / len(arm["differences"]) == pytest.approx(arm["difference"])
        del arm["differences"]
    del shown["test_name"]
    assert shown == told
    rows = csv.DictReader(io.StringIO(paribus("results", folder, "--format", "csv").stdout))
    column = next(c for c in data["trials"]["columns"] if c["name"] == "valid.accuracy")
    assert [repr(value) for value in column["values"]] == [row["valid.accuracy"] for row in rows]


def test_tables_for_papers(studies):
    text = paribus("report", studies["two_arms"], "--format", "latex").stdout
    assert text.startswith("% valid.accuracy\n\\begin{tabular}") and "\\bottomrule" in text
    text = paribus("report", studies["sweep"], "--format", "markdown").stdout
    assert text.startswith("| point | n | mean |") and text.count("\n") == 22


def events_of(*events: tuple[str, str, int, int]) -> bytes:
    """(event, trial, second of an hour, driver) as the driver's log has them."""
    return b"".join(
        journals.event(
            event=event,
            trial=trial,
            time=f"2026-03-01T12:{second // 60:02}:{second % 60:02}Z",
            driver=driver,
        )
        for event, trial, second, driver in events
    )


def test_what_it_cost(tmp_path):
    """Two side by side for 40 s, a pause, a third that was killed, and went on an hour's part later."""
    a, b, c = "00000000", "00000001", "01000000"
    folder = made.arms(tmp_path / "study", {"one": 0.1, "two": 0.2}, seeds=2, price="90 USD")
    log = folder / "journal" / "study.log"
    log.write_bytes(
        log.read_bytes()
        + events_of(
            *(("begin", a, 0, 7), ("begin", b, 10, 7), ("exit", a, 30, 7), ("exit", b, 40, 7)),
            *(("begin", c, 100, 7), ("begin", a, 110, 8), ("exit", a, 120, 8)),
        )
    )
    time = json.loads(paribus("report", folder, "--format", "json").stdout)["time"]
    assert time["busy"] == 50 and time["price"] == {"hour": 90, "currency": "USD"}
    other = json.loads(paribus("report", folder, "--format", "json", "--price", "0.5 EUR").stdout)
    assert other["time"]["price"] == {"hour": 0.5, "currency": "EUR"}
    both = paribus("report", folder, made.arms(tmp_path / "b", {"one": 0.1}), "--format", "json")
    assert "price" not in json.loads(both.stdout)["time"], "of two studies with different prices"
    for wrong in ("0.5", "EUR", "-1 EUR", "1 e u", "nan EUR"):
        failed = paribus("report", folder, "--price", wrong, status=2)
        assert "expected a number and a currency" in failed.stderr


def test_a_study_without_results_has_a_page(tmp_path):
    folder = made.arms(tmp_path, {"one": 0.1, "two": 0.2}, seeds=2)
    for journal in (folder / "journal").glob("0*.log"):
        journal.unlink()
    paribus("report", folder)
    data = data_of((folder / "report.html").read_text())
    assert (
        data["counts"] == {"planned": 4} and data["comparison"]["arms"][0]["verdict"] == "no data"
    )


def test_long_lines_keep_their_least_and_greatest(tmp_path):
    made.long_study(tmp_path)
    paribus("report", tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert len(page) < 3_000_000
    for arm in data_of(page)["curves"]["metrics"][0]["arms"]:
        assert min(arm["band"]["least"]) == -50 and max(arm["band"]["greatest"]) == 70
        for seed in arm["seeds"]:
            at = dict(zip(seed["x"], seed["y"]))
            assert at[33_333] == -50 and at[50_000] == 70, "at their very steps"
            assert seed["points"] == 100_000 and len(at) <= 800


def test_a_page_that_cant_be_written_leaves_the_old_one(tmp_path):
    folder = made.two_arms(tmp_path / "study")
    refused = paribus("report", folder, "--out", tmp_path / "none" / "page.html", status=2).stderr
    assert "page.html" in refused and "No such file or directory" in refused
    (folder / "report.html").mkdir()
    assert "can't put it in place" in paribus("report", folder, status=2).stderr
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    folder = made.two_arms(tmp_path / "study")
    run = subprocess.run(
        ["bash", "-c", 'ulimit -f 100; exec "$0" report "$1"', PARIBUS, folder],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2 and "report.html" in run.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["journal"]


def test_no_study_no_page(tmp_path):
    refused = paribus("report", tmp_path, status=2)
    assert str(tmp_path) in refused.stderr and not list(tmp_path.iterdir())
    assert "--format" in paribus("report", tmp_path, "--format", "word", status=2).stderr


def test_nothing_hostile_reaches_a_terminal(studies):
    for format in ("latex", "markdown", "json"):
        text = paribus("report", studies["hostile"], "--format", format).stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), format


STUDY = """\
study = { seeds = 2, threads = 1 }
data = { use = "glyphs", items = 64, valid_items = 32, batch = 16, transforms = ["normalize"] }
model = { use = "mlp", hidden = [4] }
train = { epochs = 1 }
[arms]
plain = {}
fast = { "optimizer.lr" = 0.2 }
"""


def run(folder, *words) -> subprocess.CompletedProcess:
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [PARIBUS, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def test_run_ends_with_the_page_unless_told_not_to(tmp_path):
    (tmp_path / "small.toml").write_text(STUDY)
    page = tmp_path / "runs" / "small" / "report.html"
    ended = run(tmp_path, "run", "small.toml", "--no-report")
    assert ended.returncode == 0 and not page.exists() and "report.html" not in ended.stderr
    ended = run(tmp_path, "run", "small.toml")
    assert ended.returncode == 0 and "report.html shows it" in ended.stderr
    data = data_of(page.read_text())
    assert data["counts"] == {"done": 4} and len(data["provenance"]["lock"]["plugins"]) >= 4
    assert {m["name"] for m in data["curves"]["metrics"]} == {
        "valid.accuracy",
        "valid.loss",
        "train.loss",
        "train.batch_loss",
    }


def test_the_page_says_how_to_run_it_again(tmp_path):
    (tmp_path / "small.toml").write_text(STUDY)
    assert run(tmp_path, "run", "small.toml").returncode == 0
    first = tmp_path / "runs" / "small"
    script = (first / "report.html").read_text()
    command = "paribus run study.toml --locked --dir again"
    assert f'command("{command}")' in script
    again = subprocess.run(
        [PARIBUS, *command.split()[1:]], cwd=first, capture_output=True, text=True, timeout=120
    )
    assert again.returncode == 0, again.stderr
    table = [paribus("results", folder, "--json").stdout for folder in (first, first / "again")]
    rows = [json.loads(text)["rows"] for text in table]
    assert [[r["id"], r["weights_sha256"]] for r in rows[0]] == [
        [r["id"], r["weights_sha256"]] for r in rows[1]
    ]


def test_a_budget_that_leaves_no_room_for_the_page(tmp_path):
    (tmp_path / "small.toml").write_text(STUDY)
    ended = run(tmp_path, "run", "small.toml", "-s", "study.disk=2MiB")
    page = tmp_path / "runs" / "small" / "report.html"
    assert ended.returncode == 0 and not page.exists()
    assert (
        "[study] disk leaves" in ended.stderr
        and "--out FILE.html writes it elsewhere" in ended.stderr
    )
