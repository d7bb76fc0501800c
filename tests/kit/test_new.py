# SPDX-License-Identifier: Apache-2.0
"""`paribus plugins new`: what it makes, and what it refuses."""

import re

import pytest

KINDS = [
    "dataset",
    "transform",
    "model",
    "loss",
    "metric",
    "optimizer",
    "schedule",
    "callback",
    "search",
    "tracker",
]
MOST = {"optimizer": 25, "callback": 15, "dataset": 30, "schedule": 10}


def lines_of_code(text: str) -> int:
    return sum(1 for line in text.splitlines() if not re.fullmatch(r"\s*(//.*)?", line))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_each_kind(bench, kind):
    name = f"first_{kind}"
    done = bench.paribus("plugins", "new", kind, name)
    assert done.returncode == 0, done.stderr
    folder = bench.folder / name
    files = {file.name: file.read_text() for file in folder.iterdir()}
    expected = {f"{name}.cpp", f"test_{name}.cpp", "CMakeLists.txt", "study.toml", "README.md"}
    assert files.keys() == expected
    for file, text in files.items():
        assert not re.search("my_part|my_kind|MyPart|SPDX", text), file
    assert f"struct First{kind.capitalize()} : paribus::" in files[f"{name}.cpp"]
    assert lines_of_code(files[f"{name}.cpp"]) <= MOST.get(kind, 30)


@pytest.mark.parametrize(
    "words, message",
    [
        (("optimzer", "x"), "got the kind 'optimzer', expected dataset, transform, .*'optimizer'"),
        (("project", "x"), "got the kind 'project'"),
        (("optimizer", "Fast Steps"), "got the name 'Fast Steps', .*; take 'fast_steps'"),
        (("optimizer", "../x"), r"got the name '\.\./x', .*; take 'x'"),
        (("optimizer", "a__b"), "got the name 'a__b', .*; take 'a_b'"),
        (("optimizer", "1"), "got the name '1', expected lower-case letters"),
        (("optimizer", "x" * 41), "at most 40"),
        (("optimizer", "sgd"), "optimizer/sgd is there already, in .*optimizer_sgd.so"),
        (("metric", "x", "--dir", "prefix"), "prefix is there already; name another folder"),
        (("metric", "x", "--dir", "nowhere/x"), "can't make a folder in .*nowhere: No such file"),
    ],
)
def test_refused(bench, words, message):
    before = sorted(bench.folder.iterdir())
    done = bench.paribus("plugins", "new", *words)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    assert sorted(bench.folder.iterdir()) == before, "nothing half-written stays"


def test_a_folder_of_another_name(bench):
    done = bench.paribus("plugins", "new", "metric", "params", "--dir", "here/")
    assert done.returncode == 0, done.stderr
    source = (bench.folder / "here" / "params.cpp").read_text()
    assert 'PARIBUS_PART(ParamsPart, "params"' in source, "its parameters are a struct Params"
