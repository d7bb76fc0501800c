# SPDX-License-Identifier: Apache-2.0
"""`paribus plugins build`: from what `new` made to a plugin, and what it says of what is wrong."""

import re
import subprocess

import pytest
from test_new import KINDS


def made(bench, kind: str, name: str):
    done = bench.paribus("plugins", "new", kind, name)
    assert done.returncode == 0, done.stderr
    return bench.folder / name


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_builds_and_trains(bench, kind):
    name = f"own_{kind}"
    folder = made(bench, kind, name)
    done = bench.paribus("plugins", "build", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (r"configured +[\d.]+ s", r"compiled +[\d.]+ s", r"tested +[\d.]+ s"):
        assert re.search(line, done.stdout), done.stdout
    assert re.search(rf"manifest +{kind}/{name}, \d parameters?: .*{kind}_{name}.so", done.stdout)
    ran = bench.paribus("run", folder / "study.toml", "-q", "-s", "train.epochs=1")
    assert ran.returncode == 0, ran.stderr


def test_models_of_all_projects_share_one_precompiled_header(bench):
    dates = []
    for name in ("first_model", "second_model"):
        folder = made(bench, "model", name)
        done = bench.paribus("plugins", "build", folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not list(folder.rglob("*.gch"))
        (header,) = (bench.folder / "cache" / "paribus" / "model_headers").glob("*/model.h.gch")
        dates.append(header.stat().st_mtime_ns)
    assert dates[0] == dates[1]
    (folder / "second_model.cpp").open("a").write("static_assert(false);\n")
    commands = ["ninja", "-C", str(folder / "build"), "-t", "commands"]
    done = subprocess.run(commands, check=True, capture_output=True, text=True)
    (compiled,) = re.findall(r".*-c \S*/second_model.cpp$", done.stdout, re.MULTILINE)
    words = compiled.removeprefix("ccache ") + " -H"
    done = subprocess.run(words, cwd=folder / "build", shell=True, capture_output=True, text=True)
    assert re.search(r"^! .*/model.h.gch$", done.stderr, re.MULTILINE), done.stderr[-2000:]


@pytest.fixture(scope="module")
def schedule(bench):
    return made(bench, "schedule", "wrong")


@pytest.mark.parametrize(
    "file, old, new, said",
    [
        ("wrong.cpp", "p.base *", "p.bse *", "error: .*bse"),
        ("wrong.cpp", "1 - p.fraction", "2 - p.fraction", "at 0: got 0.8, expected 0.4"),
        ("CMakeLists.txt", "Paribus 0.1", "Paribus 9.0", 'requested version "9.0"'),
        ("CMakeLists.txt", "schedule wrong)", "schedule other)", "other.cpp"),
    ],
)
def test_what_is_wrong_is_shown_as_it_is(bench, schedule, file, old, new, said):
    text = (schedule / file).read_text()
    assert old in text
    (schedule / file).write_text(text.replace(old, new))
    done = bench.paribus("plugins", "build", schedule)
    (schedule / file).write_text(text)
    assert done.returncode == 1, done.stdout
    assert re.search(said, " ".join(done.stderr.split())), done.stderr


def test_what_is_no_project_is_refused(bench):
    done = bench.paribus("plugins", "build", "prefix")
    assert done.returncode == 2
    assert "prefix holds no CMakeLists.txt" in done.stderr and "plugins new" in done.stderr
