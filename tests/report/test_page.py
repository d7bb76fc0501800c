# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser. The fixture `visit` also holds that it asks for nothing and complains of nothing."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import journals
import made
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import paribus
from made import HOSTILE

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
STUDIES = ["two_arms", "sweep", "factorial", "hostile", "seen", "interpreted"]


@pytest.mark.parametrize("study", ["two_arms", "sweep", "factorial"])
@pytest.mark.parametrize("size", SIZES)
def test_the_answer_is_seen_without_scrolling(visit, study, size):
    page = visit(study, *SIZES[size]).page
    for part in ("#question", ".verdict .value", ".verdict .range"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= SIZES[size][1], part


def test_the_verdict_says_what_compare_says(visit, studies):
    told = json.loads(paribus("compare", studies["two_arms"], "--json").stdout)
    answer = visit("two_arms").page.locator("#answer").inner_text()
    arm = told["arms"][0]
    assert told["sentence"] in answer and arm["verdict"] in answer
    assert f"+{arm['difference']:.3g}" in answer and f"p {arm['p_holm']:.2g}" in answer


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("width", [320, 390, 1440, 3840])
def test_nothing_is_wider_than_the_window(visit, study, width):
    page = visit(study, width, 900).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


FIGURES = {
    "two_arms": ["effects", "curves"],
    "factorial": ["effects", "curves"],
    "hostile": ["effects", "curves"],
    "sweep": ["curves", "importance", "slices", "pairs", "history", "parallel"],
    "seen": ["effects", "curves", "histograms", "resources"],
    "interpreted": ["effects", "curves", "confusion", "classes", "calibration"],
}


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(visit, study, scheme):
    one = visit(study, color_scheme=scheme)
    for figure in FIGURES[study]:
        one.drawn(figure)
    found = Axe().run(one.page).response["violations"]
    serious = [
        f"{f['id']}: {f['nodes'][0]['html'][:300]}"
        for f in found
        if f["impact"] in ("serious", "critical")
    ]
    assert serious == []


def traces(page, figure):
    return page.evaluate(f"document.getElementById('plot-{figure}').data.length")


def test_each_seed_is_shown_on_demand(visit):
    one = visit("two_arms")
    one.drawn("curves")
    assert traces(one.page, "curves") == 2 * 3, "mean and band of each arm"
    one.page.get_by_label("each seed").check()
    one.page.wait_for_function("document.getElementById('plot-curves').data.length == 2 * 3 + 16")


def test_metrics_scales_and_epochs(visit):
    one = visit("two_arms")
    one.drawn("curves")
    layout = "document.getElementById('plot-curves').layout"
    assert one.page.evaluate(f"{layout}.yaxis.title.text") == "valid.accuracy"
    one.page.get_by_role("combobox", name="Metric").select_option(label="train.loss")
    one.page.wait_for_function(f"{layout}.yaxis.title.text == 'train.loss (nat)'")
    one.page.get_by_label("logarithmic").check()
    one.page.wait_for_function(f"{layout}.yaxis.type == 'log'")


def test_what_was_taken_once_is_shown_arm_by_arm(visit, studies, tmp_path):
    long = "one of a name that is cut where it differs"
    folder = studies["once"] = made.arms(
        tmp_path / "once", {"sgd": 0, f"{long}, 1": 0.2, f"{long}, 2": 0.4}, seeds=3, epochs=1
    )
    paribus("report", folder)
    one = visit("once")
    one.drawn("curves")
    shown = one.page.evaluate(
        "document.getElementById('plot-curves').data.map(({ x, y }) => [...x].map((at, i) => [at, y[i]]))"
    )
    expected = [
        [i, made.curve(s, e, 1)[1][0]] for i, e in enumerate((0, 0.2, 0.4)) for s in range(3)
    ]
    means = [[i, sum(y for at, y in expected if at == i) / 3] for i in range(3)]
    assert shown[0] == expected
    assert [at for at, _ in shown[1]] == [0, 1, 2]
    assert [y for _, y in shown[1]] == pytest.approx([y for _, y in means])
    assert "taken once of each trial" in one.page.locator("#figure-curves figcaption").inner_text()
    one.page.get_by_role("combobox", name="Metric").select_option(label="train.loss")
    one.page.wait_for_function("document.getElementById('plot-curves').data.length == 3 * 3")


def test_zoom_and_hover(visit):
    one = visit("two_arms")
    box = one.drawn("curves").bounding_box()
    mouse = one.page.mouse
    before = one.page.evaluate("document.getElementById('plot-curves').layout.xaxis.range")
    mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 150)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 250, steps=8)
    mouse.up()
    one.page.wait_for_function(
        f"document.getElementById('plot-curves').layout.xaxis.range[0] > {before[0] + 1}"
    )
    mouse.dblclick(box["x"] + box["width"] * 0.5, box["y"] + 200)
    place = one.page.evaluate(
        """() => { const plot = document.getElementById('plot-curves'), box = plot.getBoundingClientRect();
        const mean = plot.data[2], {xaxis, yaxis} = plot._fullLayout;
        return [box.x + xaxis._offset + xaxis.d2p(mean.x[4]), box.y + yaxis._offset + yaxis.d2p(mean.y[4])]; }"""
    )
    mouse.move(place[0] - 30, place[1] - 30)
    mouse.move(*place, steps=5)
    one.page.wait_for_selector("#plot-curves .hoverlayer text")
    assert "mean of 8" in one.page.locator("#plot-curves .hoverlayer").text_content()


def test_light_and_dark(visit):
    one = visit("two_arms", color_scheme="dark")
    theme = lambda: one.page.evaluate("document.documentElement.dataset.theme")  # noqa: E731
    assert theme() == "dark"
    dark = one.page.evaluate("getComputedStyle(document.body).backgroundColor")
    one.drawn("curves")
    one.page.get_by_role("button", name="Show the page light").click()
    one.page.wait_for_selector("#plot-curves[data-drawn=light]")
    assert theme() == "light"
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def saved(one, figure, what):
    one.drawn(figure)
    with one.page.expect_download() as download:
        one.page.locator(f"#figure-{figure}").get_by_role("button", name=what).click()
    return download.value.path().read_bytes(), download.value.suggested_filename


@pytest.mark.parametrize(
    "study, figure",
    [("two_arms", "curves"), ("two_arms", "effects"), ("hostile", "curves"), ("sweep", "slices")],
)
def test_figures_are_saved(visit, study, figure):
    one = visit(study)
    svg, name = saved(one, figure, "SVG")
    assert name == f"made-up-{figure}.svg"
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    png, _ = saved(one, figure, "PNG")
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and len(png) > 5000


def test_the_data_behind_a_figure(visit):
    one = visit("two_arms")
    text, name = saved(one, "curves", "data")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert name == "made-up-curves.csv" and len(rows) == 2 * 8 * 8
    assert {row["metric"] for row in rows} == {"valid.accuracy"}
    text, _ = saved(one, "effects", "data")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert [row["seed"] for row in rows] == [str(seed) for seed in range(8)]
    mean = sum(float(row["difference"]) for row in rows) / 8
    assert mean == pytest.approx(float(rows[0]["mean"]))


def test_two_parameters_at_a_time_and_what_was_found_when(visit):
    one = visit("sweep")
    one.drawn("pairs")
    one.page.locator("#figure-pairs").get_by_label("Up").select_option(label="model")
    text, _ = saved(one, "pairs", "data")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert len(rows) == 60 and list(rows[0])[:2] == ["optimizer.lr", "model"]
    shown = one.page.evaluate(
        "(() => { const p = document.getElementById('plot-pairs'); return [p.data[0].x, p.layout.yaxis.ticktext]; })()"
    )
    assert shown[0] == [float(row["optimizer.lr"]) for row in rows]
    assert shown[1] == ["convnet", "mlp"]
    text, _ = saved(one, "history", "data")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    values = [float(row["valid.accuracy"]) for row in rows]
    assert [float(row["best"]) for row in rows] == [max(values[: i + 1]) for i in range(60)]


def test_a_best_point_at_the_edge_is_told(visit, studies, tmp_path):
    rates = {f"lr={rate}": rate for rate in (0.01, 0.1, 1.0)}
    for best, told in ((0.1, False), (1.0, True)):
        folder = studies[f"edge {best}"] = tmp_path / str(best)
        journals.write_study(
            folder,
            {name: {0: 0.9 if rate == best else 0.5} for name, rate in rates.items()},
            axes=["optimizer.lr"],
            values={name: {"optimizer.lr": rate} for name, rate in rates.items()},
        )
        paribus("report", folder)
        answer = visit(f"edge {best}").page.locator("#answer").inner_text()
        assert ("optimizer.lr (the greatest)" in answer) is told


def test_tables_are_copied(visit, studies):
    one = visit("two_arms", permissions=["clipboard-read", "clipboard-write"])
    for format in ("LaTeX", "Markdown"):
        one.page.get_by_role("button", name=f"Copy {format}").click()
        one.page.get_by_text(f"{format} table copied").wait_for()
        assert (
            one.page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
            == paribus("report", studies["two_arms"], "--format", format.lower()).stdout
        )


def test_trials_are_sorted_kept_and_turned(visit):
    page = visit("sweep").page
    trials = page.locator("#trials")
    cells = lambda: trials.locator("tbody tr").all_inner_texts()  # noqa: E731
    assert len(cells()) == 25 and "1 to 25 of 60" in trials.inner_text()
    trials.get_by_role("button", name="Next page").click()
    assert "26 to 50 of 60" in trials.inner_text()
    trials.get_by_label("Keep those with").fill("convnet")
    assert all("convnet" in row for row in cells())
    head = trials.get_by_role("columnheader", name="optimizer.lr")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    place = [h.inner_text() for h in trials.get_by_role("columnheader").all()].index("optimizer.lr")
    rates = [float(row.split("\t")[place].replace("\u2212", "-")) for row in cells()]
    assert rates == sorted(rates)


def test_by_keyboard(visit):
    page = visit("two_arms").page
    focused = "document.activeElement.textContent"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "To the answer"
    page.keyboard.press("Tab")
    before = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.documentElement.dataset.theme != '{before}'")
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')").startswith("#")


def test_paper_is_white_and_has_every_figure(visit):
    one = visit("two_arms", color_scheme="dark")
    one.page.evaluate(
        "window.print = () => { window.printed = document.documentElement.dataset.theme; }"
    )
    one.page.get_by_role("button", name="Print").click()
    one.page.wait_for_function("window.printed")
    assert one.page.evaluate("window.printed") == "light"
    assert one.page.locator(".plot[data-drawn]").count() == 2
    one.page.wait_for_function("document.documentElement.dataset.theme == 'dark'")


def test_hostile_names_are_only_text(visit):
    one = visit("hostile")
    for figure in FIGURES["hostile"]:
        one.drawn(figure)
    page = one.page
    page.evaluate("""delete document.querySelector("#plot-curves").dataset.drawn""")
    page.get_by_label("each seed").check()
    one.drawn("curves")  # once more
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img, main iframe, main b b, main u, main i").count() == 0
    assert page.evaluate(
        "[...document.links].every((link) => /^(file|blob):/.test(link.protocol) || link.protocol === 'data:')"
    )
    assert page.evaluate("document.scripts.length") == 4, (
        "data, Plotly packed and unpacked, its own"
    )
    shown = page.locator("main").inner_text()
    assert (
        "<img src=x onerror=" in shown
        and "</script><script>window.pwned='script'</script>" in shown
    )
    assert "\u241b[31mred" in shown and "\u25a1txt.exe" in shown, (
        "control characters are made visible"
    )
    assert not any(c in shown for c in "\x1b\x07\u202e")
    assert "NaN" in shown and "3 lines had values that are not finite" in shown


def test_a_name_of_ten_thousand_letters_takes_one_line(visit):
    page = visit("hostile", 390, 844).page
    name = page.locator("#answer .verdict details.long", has_text="nnnn").first
    assert name.bounding_box()["height"] < 120
    name.locator("summary").click()
    assert HOSTILE[4] in name.inner_text()


def test_without_script_the_verdict_is_there(visit, studies):
    page = (studies["two_arms"] / "report.html").read_text()
    sentence = json.loads(paribus("compare", studies["two_arms"], "--json").stdout)["sentence"]
    assert f"<p>{sentence}</p>" in page[page.index("<noscript>") : page.index("</noscript>")]
