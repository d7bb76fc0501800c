# SPDX-License-Identifier: Apache-2.0
"""`paribus plugins build`: from what `new` made to a plugin, and what it says of what is wrong."""

import re

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
