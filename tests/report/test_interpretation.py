# SPDX-License-Identifier: Apache-2.0
"""What a trained model gets right and wrong, on the page: numbers, pictures, and names that want to be more than text."""

import csv
import io
import json

import made
import pytest
from conftest import paribus
from made import HOSTILE


def saved(page, figure):
    with page.expect_download() as download:
        page.locator(f"#figure-{figure} .save button", has_text="CSV").click()
    text = download.value.path().read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def trial(page, number):
    page.locator("#interpretation > .row select").first.select_option(index=number)


def test_the_confusion_matrix_has_the_last_counts(visit):
    one = visit("interpreted")
    one.drawn("confusion")
    counts = {
        (row["class"], row["taken"]): int(row["count"]) for row in saved(one.page, "confusion")
    }
    assert counts == {
        ("cat", "cat"): 30,
        ("dog", "dog"): 23,
        ("dog", "owl"): 7,
        ("owl", "cat"): 1,
        ("owl", "owl"): 29,
    }
    drawn = "document.getElementById('plot-confusion').data[0].z"
    assert one.page.evaluate(drawn)[1] == [0, 23 / 30, 7 / 30]
    one.page.get_by_label("counts").check()
    one.page.wait_for_function(f"{drawn}[1][2] === 7")


def test_the_most_confused_come_first(visit):
    rows = visit("interpreted").page.locator("#interpretation-confused tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["dog", "owl", "7", "23.3 %"],
        ["owl", "cat", "1", "3.33 %"],
    ]


def test_another_trial_changes_all_of_it(visit):
    one = visit("interpreted")
    one.drawn("classes")
    page = one.page
    trial(page, 2)  # of each arm one first: the other seed of the first arm
    assert "8" in page.locator("#interpretation-confused tbody tr").first.inner_text()
    page.wait_for_function(
        "document.getElementById('plot-classes').data[0].x.some((one) => Math.abs(one - 0.89) < 1e-9)"
    )
    assert {row["f1"] for row in saved(page, "classes")} >= {"0.89", "0.8"}


def test_classes_stand_by_what_is_chosen_the_lowest_first(visit):
    one = visit("interpreted")
    one.drawn("classes")
    order = "document.getElementById('plot-classes').data[0].customdata.map((row) => row[0])"
    assert one.page.evaluate(order) == ["owl", "dog", "cat"]
    one.page.locator("#figure-classes select").select_option(label="recall")
    one.page.wait_for_function(f"{order}[0] === 'dog'")


def test_calibration_leaves_empty_bins_out(visit):
    one = visit("interpreted")
    one.drawn("calibration")
    assert one.page.evaluate("document.getElementById('plot-calibration').data[0].y") == [0.85]
    assert "is 0.1." in one.page.locator("#figure-calibration figcaption").inner_text()


def test_the_worst_items_have_their_pictures(visit):
    page = visit("interpreted").page
    items = page.locator("#interpretation figure.item")
    words = items.all_inner_texts()
    assert [one.split("\n")[0] for one in words] == ["dog taken for owl", "owl taken for cat"]
    assert (
        "loss 6.5" in words[0]
        and "confidence 0.99" in words[0]
        and "item 12" in words[0]
        and "item 5" in words[1]
    )
    pictures = page.locator("#interpretation figure.item img")
    sizes = pictures.evaluate_all(
        "all => all.map((one) => [one.naturalHeight, one.style.objectPosition])"
    )
    assert sizes == [
        [136, "0px 0px"],
        [272, "0px -136px"],
        [136, "-136px 0px"],
        [272, "-136px -136px"],
    ]
    assert page.locator("#pictures").count() == 0, "they are not shown twice"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_of_classes_are_text(visit, scheme):
    one = visit("interpreted", color_scheme=scheme)
    trial(one.page, 1)
    for figure in ("confusion", "classes", "calibration"):
        one.drawn(figure)
    assert "<script>" in one.page.locator("#interpretation-confused").inner_text()
    assert one.page.locator("#interpretation a, #interpretation b").count() == 0
    one.page.locator("#plot-confusion .heatmaplayer").first.hover(force=True)
    assert one.page.evaluate("window.pwned") is None
    rows = saved(one.page, "classes")
    assert [row["class"] for row in rows] == [HOSTILE[0], HOSTILE[1], HOSTILE[3]]
    assert rows[1]["f1"] == ""  # NaN


def interpretations(folder):
    told = paribus("report", folder, "--format", "json", "--out", "-").stdout
    return json.loads(told)["seen"]["interpretations"]


def test_the_page_holds_what_json_says(studies):
    told = interpretations(studies["interpreted"])
    assert [(one["arm"], one["seed"], one["step"]) for one in told] == [
        ("plain", 0, 80),
        ("hostile", 0, 80),
        ("plain", 1, 80),
        ("hostile", 1, 80),
    ]
    assert told[0]["calibration"]["accuracy"] == [None, 0.85]
    assert told[1]["worst"]["loss"] == [None, 4.25]


def test_tables_that_only_have_the_name_are_left_out(tmp_path):
    """Another's, with other columns; a class that there is none of."""
    folder = made.arms(tmp_path, {"one": 0.0, "two": 0.1, "three": 0.2}, seeds=1)
    whole = made.interpretation(["a", "b", "c"], 10, 0, False)
    bodies = [
        made.journals.table("valid.classes", 10, {"name": ["a", "b"], "items": [0.5, 1.5]}),
        whole
        + made.journals.table(
            "valid.confusion", 20, {"class": [0, 3], "taken": [0, 0], "count": [1, 1]}
        ),
        whole + made.journals.table("valid.worst", 20, {"item": list(range(65))}),
    ]
    for number, body in enumerate(bodies):
        path = folder / "journal" / f"{number:02x}000000.log"
        path.write_bytes(path.read_bytes() + body)
    told = {one["arm"]: one for one in interpretations(folder)}
    assert set(told) == {"two", "three"}
    assert told["two"]["confusion"] is None and told["two"]["classes"]["name"] == ["a", "b", "c"]
    assert told["three"]["worst"] is None and len(told["three"]["confusion"]["count"]) == 5


def test_many_classes_have_no_matrix_but_its_worst_pairs(visit, studies, tmp_path):
    folder = made.arms(tmp_path, {"one": 0.0, "two": 0.1}, seeds=1)
    n = 300
    names = [f"class {i}" for i in range(n)]
    body = made.journals.table(
        "valid.classes",
        10,
        {
            "name": names,
            "items": [10] * n,
            "taken": [10] * n,
            "precision": [0.5] * n,
            "recall": [0.5] * n,
            "f1": [i / n for i in range(n)],
        },
    ) + made.journals.table(
        "valid.confusion",
        10,
        {
            "class": [i for i in range(n) for _ in range(n)],
            "taken": [j for _ in range(n) for j in range(n)],
            "count": [9 if (i, j) == (7, 299) else 1 for i in range(n) for j in range(n)],
        },
    )
    path = folder / "journal" / "00000000.log"
    path.write_bytes(path.read_bytes() + body)
    paribus("report", folder)
    studies["many_classes"] = folder
    one = visit("many_classes")
    one.drawn("classes")
    assert one.page.locator("#figure-confusion").count() == 0
    first = one.page.locator("#interpretation-confused tbody tr").first.inner_text()
    assert first.split("\t")[:3] == ["class 7", "class 299", "9"]
    assert len(interpretations(folder)[0]["confusion"]["count"]) == 10_000
