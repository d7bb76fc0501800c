# SPDX-License-Identifier: Apache-2.0
"""What trials recorded that is more than numbers, and what the machine did, in a real browser."""

import csv
import io
import json

from made import HOSTILE


def saved(page, figure, kind):
    with page.expect_download() as download:
        page.locator(f"#figure-{figure} .save button", has_text=kind).click()
    return download.value.path().read_bytes()


def choices(page, figure, number):
    return page.locator(f"#figure-{figure} select").nth(number).locator("option").all_inner_texts()


def test_the_last_picture_of_each_trial_is_there(visit):
    page = visit("seen").page
    pictures = page.locator("#pictures img")
    assert pictures.count() == 6
    for i in range(6):
        loaded = pictures.nth(i).evaluate(
            "one => [one.complete, one.naturalWidth, one.naturalHeight]"
        )
        assert loaded == [True, 40, 24]
    words = page.locator("#pictures figcaption").all_inner_texts()
    assert all("step 30" in one for one in words)
    arms = [one for one in words if "plain" in one]
    assert len(arms) == 3 and "plain" in words[0] and "plain" not in words[1]  # each arm once first


def test_a_large_picture_hides_no_other(tmp_path):
    import made
    from conftest import paribus

    folder = made.arms(tmp_path, {"one": 0.0, "two": 0.1}, seeds=2)
    large = made.png(8, 8, 1) + bytes(4 << 20)
    for journal in (folder / "journal").glob("0?00000?.log"):
        body = made.journals.picture("a", 1, large) + made.journals.picture("b", 1, large[:200])
        body += b"".join(made.journals.picture(f"n{i}", 1, made.png(4, 4, i)) for i in range(9))
        journal.write_bytes(journal.read_bytes() + body)
    told = json.loads(paribus("report", folder, "--format", "json").stdout)["seen"]["pictures"]
    assert {one["arm"] for one in told} == {"one", "two"}
    assert {one["name"] for one in told} == {"b", "n0", "n1", "n2"}
    assert len(told) == 16


def test_histograms_are_drawn_and_their_data_saved(visit):
    one = visit("seen")
    one.drawn("histograms")
    page = one.page
    assert len(choices(page, "histograms", 0)) == 3  # "empty", the hostile one, weights.a
    page.locator("#figure-histograms select").first.select_option(label="weights.a")
    rows = list(csv.DictReader(io.StringIO(saved(page, "histograms", "CSV").decode())))
    assert {row["name"] for row in rows} == {"weights.a"}
    by_step = {}
    for row in rows:
        by_step.setdefault(int(row["step"]), []).append((float(row["value"]), float(row["share"])))
    assert sorted(by_step) == [10, 20, 30]
    for step, shares in by_step.items():
        assert abs(sum(share for _, share in shares) - 1) < 0.01
        # The first of four bins, from -step / 10 on, has `step` of `step` + 10.
        edge = -step / 10 + (1 + step / 10) / 4
        low = sum(share for value, share in shares if value < edge)
        assert abs(low - step / (step + 10)) < 0.06


def test_a_name_that_wants_to_be_more_is_text(visit):
    one = visit("seen")
    one.drawn("histograms")
    assert "script" in "".join(choices(one.page, "histograms", 0))
    assert one.page.evaluate("window.pwned") is None
    one.page.locator("#figure-histograms select").nth(1).select_option(index=1)
    one.page.wait_for_function(
        "document.querySelector('#plot-histograms .heatmaplayer, #plot-histograms .plot')"
    )
    assert one.page.evaluate("window.pwned") is None
    assert HOSTILE[0] not in one.page.locator("#pictures").inner_html()


def test_what_the_machine_did(visit):
    one = visit("seen")
    one.drawn("resources")
    page = one.page
    assert choices(page, "resources", 0) == ["cpu", "energy", "trial memory"]
    told = page.locator("#resources").inner_text()
    assert "400 MB" in told and "(00000000)" in told and "1.22 kJ" not in told
    assert "1220 J" in told or "1219 J" in told
    rows = list(csv.DictReader(io.StringIO(saved(page, "resources", "CSV").decode())))
    values = [(float(row["second"]), row["value"]) for row in rows]
    assert max(float(value) for _, value in values if value) == 99.5  # no peak is lost
    assert [value for second, value in values if value == ""] == [""]  # the gap
    assert len(rows) <= 320


def test_the_page_holds_what_json_says(studies):
    from conftest import paribus

    data = json.loads(paribus("report", studies["seen"], "--format", "json", "--out", "-").stdout)
    assert len(data["seen"]["pictures"]) == 6
    assert [len(trial["names"]) for trial in data["seen"]["histograms"]] == [3] * 6
    bad = [one for one in data["seen"]["histograms"][0]["names"] if one["name"] == "empty"]
    assert bad[0]["not_finite"] == 9
