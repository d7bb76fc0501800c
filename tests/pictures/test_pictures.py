# SPDX-License-Identifier: Apache-2.0
"""`--picture` of compare and lr-find."""

import io
import json
import subprocess
import sys
import unicodedata

import pytest
from drawing import at_terminal, kitty_image, made, paribus, tags, texts
from PIL import Image, ImageChops, ImageStat

STUDY = """\
[data]
use = "glyphs"
batch = 64
limit = 640
transforms = ["normalize"]
[model]
use = "mlp"
[train]
epochs = 1
"""


def test_comparison(tmp_path):
    folder, picture = made.two_arms(tmp_path / "s"), tmp_path / "compare.svg"
    plain = paribus("compare", folder)
    drawn = paribus("compare", folder, "--picture", picture)
    assert drawn.stdout == plain.stdout and drawn.stderr == f"{picture}\n"
    row = json.loads(paribus("compare", folder, "--json").stdout)["arms"][0]
    words = texts(picture)
    assert "lookahead" in words and "95 % intervals; grey: the margin, ±0.005" in words
    assert plain.stdout.splitlines()[-1] in words
    assert f"{row['verdict']}, p = {row['p_holm']:.2g}" in words
    assert "valid.accuracy, last value: difference from sgd" in words
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_watch(tmp_path):
    """The curves of all arms; numbers are the report's."""
    folder, picture = made.two_arms(tmp_path / "s"), tmp_path / "curves.svg"
    plain = paribus("watch", folder, "--once")
    drawn = paribus("watch", folder, "--picture", picture)
    assert drawn.stdout.splitlines()[0] == plain.stdout.splitlines()[0]
    assert drawn.stderr == f"{picture}\n"
    words = texts(picture)
    assert {"sgd", "lookahead", "valid.accuracy", "step", "16 done"} <= set(words)
    again = tmp_path / "again.svg"
    paribus("watch", folder, "--json", "--picture", again)
    assert again.read_bytes() == picture.read_bytes()
    failed = paribus("watch", folder, "--web", "--picture", again, status=2)
    assert "--picture" in failed.stderr


def test_curves_stand_where_the_numbers_are():
    from paribus.pictures import figure_of

    band = {"x": [1, 2], "mean": [0.5, 0.7], "least": [0.4, None], "greatest": [0.6, 0.8]}
    seeds = [{"seed": 0, "x": [1, 2, 3], "y": [0.1, None, 0.3]}, {"seed": 1, "x": [2], "y": [0.2]}]
    told = {"metric": "m", "unit": "s", "label": "q?", "counts": {"done": 2}}
    told["arms"] = [{"arm": "both", "seeds": [], "band": band}, {"arm": "one", "seeds": seeds}]
    (axes,) = figure_of("curves", told).axes
    lines = [list(map(float, line.get_ydata())) for line in axes.lines]
    assert [line[0] for line in lines] == [0.5, 0.1, 0.2]
    assert lines[1][1] != lines[1][1], "what is not finite is a gap"
    assert axes.get_ylabel() == "m (s)"


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    folder = made.two_arms(tmp_path / "s")
    for form in ("svg", "png", "pdf"):
        files = [tmp_path / f"{name}.{form}" for name in "ab"]
        for file in files:
            paribus("compare", folder, "--picture", file)
        assert files[0].read_bytes() == files[1].read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG" and min(image.size) > 200
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10  # not blank
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_intervals_stand_where_the_numbers_are(tmp_path):
    """In the picture as in the table: an interval twice as wide is drawn twice as wide."""
    told = {"metric": "m", "unit": "", "at": "last", "baseline": "b", "alpha": 0.05}
    told |= {"margin": None, "effects": [], "sentence": "It stands."}
    arm = {"p_holm": 0.5, "verdict": "no difference"}
    told["arms"] = [
        arm | {"arm": "narrow", "difference": 1.0, "low": 0.5, "high": 1.5},
        arm | {"arm": "wide", "difference": 2.0, "low": 1.0, "high": 3.0},
        arm | {"arm": "unknown", "difference": None, "low": None, "high": None, "p_holm": None},
    ]
    from paribus import pictures

    axes = pictures.comparison(told).axes[0]
    spans = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert spans[1:] == [[0.5, 1.5], [1.0, 3.0]]  # the first is the line at 0
    marks = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert marks == [1.0, 2.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["narrow", "wide", "unknown"]


def test_several_studies(tmp_path):
    old, new = made.two_arms(tmp_path / "old"), made.two_arms(tmp_path / "new")
    picture = tmp_path / "across.svg"
    paribus("compare", old, new, "--picture", picture)
    assert {"new/sgd", "new/lookahead"} <= set(texts(picture))


def test_numbers_and_picture_together(tmp_path):
    folder, picture = made.two_arms(tmp_path / "s"), tmp_path / "p.svg"
    done = paribus("compare", folder, "--json", "--picture", picture)
    assert json.loads(done.stdout)["arms"] and "lookahead" in texts(picture)


def test_hostile_names(tmp_path):
    folder, picture = made.hostile(tmp_path / "s"), tmp_path / "p.svg"
    paribus("compare", folder, "--picture", picture)
    words = texts(picture)
    assert not {"script", "img", "a", "image", "foreignObject"} & tags(picture)
    assert any("<b>bold</b>" in word or "onerror" in word for word in words)  # as text
    assert max(map(len, words)) < 400
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for word in words for c in word)


def test_names_are_no_formulas(tmp_path):
    folder = made.arms(tmp_path / "s", {"sgd": 0.0, "$\\beta_2$": 0.2})
    paribus("compare", folder, "--picture", tmp_path / "p.svg")
    assert "$\\beta_2$" in texts(tmp_path / "p.svg")


def test_what_cannot_be_drawn_is_refused_before_any_work(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    lr_find = ("lr-find", tmp_path / "s.toml")
    assert paribus(*lr_find, "--picture", "x.gif", status=2).stderr == (
        "--picture x.gif: expected a name that ends in .png, .svg or .pdf\n"
    )
    gone = tmp_path / "gone" / "x.png"
    assert "there is no folder" in paribus(*lr_find, "--picture", gone, status=2).stderr
    folder = made.two_arms(tmp_path / "study")
    assert "x.gif" in paribus("compare", folder, "--picture", "x.gif", status=2).stderr


def test_python_without_matplotlib(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    folder, python = made.two_arms(tmp_path / "s"), str(bare / "bin" / "python")
    refusal = paribus(
        "compare", folder, "--picture", tmp_path / "x.png", status=2, PARIBUS_PYTHON=python
    ).stderr
    assert refusal.endswith(f"has no Matplotlib; {python} -m pip install matplotlib\n")
    assert not (tmp_path / "x.png").exists()
    shown = at_terminal("compare", folder, TERM="xterm-kitty", PARIBUS_PYTHON=python)
    assert b"lookahead" in shown and b"\x1b_G" not in shown  # nobody asked for a picture


def test_terminals_that_show_images(tmp_path):
    folder = made.two_arms(tmp_path / "s")
    text = at_terminal("compare", folder, TERM="xterm-kitty")
    with Image.open(io.BytesIO(kitty_image(text))) as image:
        assert image.format == "PNG"
    assert text.index(b"lookahead") < text.index(b"\x1b_G")  # the table first
    text = at_terminal("compare", folder, TERM_PROGRAM="iTerm.app", TERM="xterm-256color")
    assert b"\x1b]1337;File=inline=1;size=" in text
    silent = (
        {"TERM": "xterm-kitty", "TMUX": "/tmp/x,1,0"},
        {"TERM": "foot", "PARIBUS_IMAGES": "none"},
    )
    for other in ({"TERM": "xterm-256color"}, *silent):
        text = at_terminal("compare", folder, **other)
        assert b"\x1b_G" not in text and b"\x1bP" not in text


@pytest.mark.parametrize(
    "told",
    [{"TERM": "foot"}, {"KONSOLE_VERSION": "220401"}, {"TMUX": "x", "PARIBUS_IMAGES": "sixel"}],
)
def test_sixels(tmp_path, told):
    """What a decoder of others makes of them is the picture that a file has."""
    folder, file = made.two_arms(tmp_path / "s"), tmp_path / "p.png"
    text = at_terminal("compare", folder, **({"TERM": "xterm-256color"} | told))
    begin, end = text.index(b"\x1bP"), text.index(b"\x1b\\") + 2
    (tmp_path / "p.six").write_bytes(text[begin:end])
    subprocess.run(
        ["sixel2png", "-i", tmp_path / "p.six", "-o", tmp_path / "shown.png"], check=True
    )
    paribus("compare", folder, "--picture", file)
    with Image.open(tmp_path / "shown.png") as shown, Image.open(file) as wanted:
        assert shown.size == wanted.size
        difference = ImageChops.difference(shown.convert("RGB"), wanted.convert("RGB"))
        assert ImageStat.Stat(difference).rms < [6] * 3, "of 255"


def test_lr_find(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    picture = tmp_path / "rate.svg"
    done = paribus("lr-find", "s.toml", "--low", "0.001", "--picture", picture, cwd=tmp_path)
    assert "*" in done.stdout  # the drawing in letters stays
    words = texts(picture)
    assert "optimizer.lr" in words and "smoothed training loss" in words
    assert any(word.startswith("suggested: ") or "no rate" in word for word in words)
    text = at_terminal("lr-find", "s.toml", "--low", "0.001", cwd=tmp_path, TERM="xterm-kitty")
    assert kitty_image(text).startswith(b"\x89PNG") and b"****" not in text


@pytest.mark.parametrize("suggestion", [None, 0.1])
def test_lr_find_of_odd_numbers(suggestion, tmp_path):
    from paribus import pictures

    for points in ([], [[0.1, None]], [[0.1, 2.0], [0.2, 2.0]], [[-1, 2], [0.1, 1e300]]):
        told = {"points": points, "suggestion": suggestion, "target": "optimizer.lr"}
        pictures.write("lr_find", told, tmp_path / "p.png", "png")
        assert (tmp_path / "p.png").stat().st_size > 1000
