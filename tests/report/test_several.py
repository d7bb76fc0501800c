# SPDX-License-Identifier: Apache-2.0
"""One page of several studies: last month against today."""

import json

import journals
import made
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import paribus


@pytest.fixture(scope="module")
def two(tmp_path_factory, studies):
    """Two directories of the same trials, and their page, which `visit` finds as "several"."""
    folder = tmp_path_factory.mktemp("several")
    june = made.arms(folder / "june", {"sgd": 0.0, "lookahead": 0.25}, seeds=5)
    today = made.arms(folder / "today", {"sgd": 0.0, "lookahead": 0.4, "swa": 0.1}, seeds=5)
    paribus("report", june, today, "--out", folder / "report.html")
    studies["several"] = folder
    return june, today


def test_its_numbers_are_those_of_compare(two, tmp_path):
    told = json.loads(paribus("compare", *two, "--json").stdout)
    data = json.loads(paribus("report", *two, "--format", "json").stdout)
    assert [arm["difference"] for arm in data["comparison"]["arms"]] == [
        arm["difference"] for arm in told["arms"]
    ]
    for arm in data["comparison"]["arms"]:
        mean = sum(arm["differences"]) / len(arm["differences"])
        assert mean == pytest.approx(arm["difference"], abs=1e-12)
    assert data["comparison"]["sentence"] == told["sentence"]
    assert data["across"]["unmatched"] == ["today/swa"]
    ids = next(c for c in data["trials"]["columns"] if c["name"] == "id")["texts"]
    assert len(ids) == data["trials"]["rows"] == 25, "equal trials of two studies are two"
    seconds = sum(1.5 + seed for seed in range(5)) * 5
    assert data["time"]["total"] == pytest.approx(seconds)
    (accuracy,) = [one for one in data["curves"]["metrics"] if one["name"] == "valid.accuracy"]
    assert {arm["arm"] for arm in accuracy["arms"]} == {
        *("june/sgd", "june/lookahead", "today/sgd", "today/lookahead", "today/swa")
    }
    curve = {arm["arm"]: arm["seeds"][0]["y"] for arm in accuracy["arms"]}
    assert curve["june/sgd"] == curve["today/sgd"]
    assert curve["june/lookahead"] != curve["today/lookahead"], "each has its own journals"


def test_what_trials_recorded_and_the_machines_did(tmp_path):
    a, b = made.seen(tmp_path / "a"), made.seen(tmp_path / "b")
    alone = json.loads(paribus("report", a, "--format", "json").stdout)["seen"]
    seen = json.loads(paribus("report", a, b, "--format", "json").stdout)["seen"]
    assert {one["trial"].split("/")[0] for one in seen["pictures"]} == {"a", "b"}
    assert {one["arm"] for one in seen["pictures"][:2]} == {"a/plain", "b/plain"}
    assert len(seen["histograms"]) == 2 * len(alone["histograms"])
    lines = seen["resources"]["lines"]
    assert {line["machine"] for line in lines} == {"a", "b"}
    assert len(lines) == 2 * len(alone["resources"]["lines"])
    assert seen["resources"]["energy"] == 2 * alone["resources"]["energy"]
    assert seen["resources"]["memory"]["value"] == alone["resources"]["memory"]["value"]


def test_where_stacks_are(tmp_path):
    folders = [made.arms(tmp_path / name, {"one": 0.1}, failed=[("one", 1)]) for name in "ab"]
    for folder in folders:
        broken = journals.trial_journal("00000001", "one", 1, {}, end="failed", message="it broke")
        (folder / "journal" / "00000001.log").write_bytes(broken)
    (folders[1] / "logs").mkdir()
    (folders[1] / "logs" / "00000001.stack.txt").write_text("main\n")
    (failure,) = json.loads(paribus("report", *folders, "--format", "json").stdout)["failures"]
    stacks = {one["id"]: one["stack"] for one in failure["trials"]}
    assert stacks == {"a/00000001": False, "b/00000001": True}


def test_it_is_written_where_it_is_asked_for_alone(two):
    june, _ = two
    before = sorted(path.name for path in june.iterdir())
    failed = paribus("report", *two, status=2)
    assert "--out" in failed.stderr
    assert sorted(path.name for path in june.iterdir()) == before
    table = paribus("report", *two, "--format", "markdown").stdout
    assert table.startswith("| arm | n | june | mean |") and "today/lookahead" in table


def test_it_is_read_in_a_browser(visit, two):
    one = visit("several")
    page = one.page
    answer = page.locator("#answer").inner_text()
    assert "today/lookahead" in answer
    for figure in ("effects", "curves"):
        one.drawn(figure)
    told = page.locator("#provenance, #studies").all_inner_texts()
    assert len(told) == 1 and "today/swa" in told[0] and "june" in told[0]
    found = Axe().run(page).response["violations"]
    assert [f["id"] for f in found if f["impact"] in ("serious", "critical")] == []
