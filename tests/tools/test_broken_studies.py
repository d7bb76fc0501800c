# SPDX-License-Identifier: Apache-2.0
"""Every broken study of tests/studies through the real command line: all that is wrong, each at its place, and nothing
written. Those of tests/studies/tried are found out by the worker alone: files, shapes, devices."""

import gzip
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

PARIBUS = os.environ["PARIBUS"]
STUDIES = Path(__file__).parents[1] / "studies"
EXPECTED = {
    path.relative_to(STUDIES).with_suffix(".toml"): path.read_text()
    for folder in (STUDIES, STUDIES / "tried")
    for path in sorted(folder.glob("*.expected"))
}
BROKEN = [study for study, expected in EXPECTED.items() if not expected.startswith("ok: ")]
GOOD = [study for study in EXPECTED if study not in BROKEN]


def idx(data, *shape, magic=None):
    word = 0x0800 | len(shape) if magic is None else magic
    return struct.pack(f">I{len(shape)}I", word, *shape) + data


def write_idx(folder, **changed):
    """A good data set of 20 and 10 images, but for the files in `changed`."""
    files = {
        "train-images": idx(bytes(20 * 64), 20, 8, 8),
        "train-labels": idx(bytes(i % 10 for i in range(20)), 20),
        "valid-images": idx(bytes(10 * 64), 10, 8, 8),
        "valid-labels": idx(bytes(range(10)), 10),
    }
    folder.mkdir()
    for name, content in (files | {k.replace("_", "-"): v for k, v in changed.items()}).items():
        (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A copy of the studies, with the files that some of them speak of."""
    folder = tmp_path_factory.mktemp("studies")
    shutil.copytree(
        STUDIES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.expected")
    )
    tried = folder / "tried"
    (tried / "plugins").symlink_to(os.environ["PARIBUS_STUDY_PLUGINS"])
    (tried / "empty").mkdir()
    labels = bytes(i % 10 for i in range(20))
    write_idx(tried / "good")
    write_idx(tried / "truncated", train_images=idx(bytes(20 * 64 - 100), 20, 8, 8))
    write_idx(tried / "wrong_magic", train_images=idx(bytes(20 * 64), 20, 8, 8, magic=0x0D03))
    write_idx(tried / "wrong_label", train_labels=idx(labels[:-1] + b"\x0a", 20))
    write_idx(tried / "few_labels", valid_labels=idx(bytes(9), 9))
    write_idx(tried / "too_long", valid_images=idx(bytes(10 * 64 + 1), 10, 8, 8))
    write_idx(tried / "empty_file", valid_labels=b"")
    write_idx(tried / "vast", train_images=idx(b"", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF))
    write_idx(tried / "broken_gzip", train_images=gzip.compress(idx(bytes(1280), 20, 8, 8))[:-9])
    pinned = tried / "data" / "fashion-mnist"
    pinned.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (pinned / f"{name}-ubyte.gz").write_bytes(gzip.compress(labels, mtime=1))
    return folder


@pytest.fixture(scope="module")
def environment(here):
    unwanted = ("PARIBUS_PLUGINS", "no_proxy", "NO_PROXY")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {
        "PARIBUS_DATA": str(here / "tried" / "data"),
        "XDG_CACHE_HOME": str(here / "tried" / ".cache"),
        "XDG_DATA_HOME": str(here / ".data"),
        "http_proxy": "http://127.0.0.1:9",  # nobody listens: what isn't here can't be fetched
        "https_proxy": "http://127.0.0.1:9",
        "CUDA_VISIBLE_DEVICES": "",
        "LC_ALL": "C.UTF-8",
    }


def paribus(words, folder, environment):
    return subprocess.run(
        [PARIBUS, *words], capture_output=True, cwd=folder, env=environment, timeout=300
    )


def said(done, folder):
    """What stderr holds but for progress, without what differs between machines."""
    text = done.stderr.decode().replace(f"{folder.resolve()}/", "")
    text = re.sub(r"(can't fetch [^ ]+): [^;]*;", r"\1: ...;", text)
    return [line for line in text.splitlines() if not line.startswith("fetching ")]


def entries(folder):
    return sorted(path for path in folder.rglob("*") if ".cache" not in path.parts)


@pytest.mark.parametrize("study", BROKEN, ids=str)
@pytest.mark.parametrize("words", [["check"], ["run", "--dir", "out"]], ids=["check", "run"])
def test_says_all_that_is_wrong_and_writes_nothing(study, words, here, environment):
    folder = (here / study).parent
    before = entries(here)
    done = paribus([words[0], study.name, *words[1:]], folder, environment)
    expected = (STUDIES / study).with_suffix(".expected").read_text().splitlines()
    assert said(done, folder) == expected
    assert (done.returncode, done.stdout) == (2, b"")
    assert entries(here) == before


def test_there_are_many():
    assert len(BROKEN) > 100


@pytest.mark.parametrize("study", GOOD, ids=str)
def test_the_good_ones_are_good(study, here, environment):
    done = paribus(["check", study.name], (here / study).parent, environment)
    assert (done.returncode, done.stderr) == (0, b"")
    trials = EXPECTED[study].removeprefix("ok: ").strip()
    assert f"{study.name} is fine: {trials}, ".encode() in done.stdout


def test_the_good_data_set_is_good(here, environment):
    (here / "tried" / "good.toml").write_text(
        'study.plugins = ["plugins"]\nmodel = "mlp"\ndata = { use = "idx_folder", dir = "good", transforms = ["normalize"] }\n'
    )
    done = paribus(["check", "good.toml"], here / "tried", environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"good.toml is fine: 1 trial, 5 steps in all" in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("large.toml", b"#" * ((4 << 20) + 1), "large.toml: larger than 4 MiB, which no study is"),
        ("latin.toml", b'model = "mlp"\ndata = "gl\xfcphs"\n', r"latin.toml:2:\d+: not TOML: .*"),
        ("zero.toml", b'model = "mlp"\0\n', r"zero.toml:1:14: not TOML: .*"),
        ("noise.toml", bytes(range(256)) * 8, r"noise.toml:1:\d+: not TOML: .*"),
        ("deep.toml", b"a = " + b"[" * 100_000, r"deep.toml:1:\d+: not TOML: .*"),
        ("folder.toml", None, "folder.toml: is a folder, expected a study file"),
        ("nowhere/none.toml", b"", "nowhere/none.toml: no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".toml") else "",
)
def test_what_is_no_study(name, content, problem, tmp_path, environment):
    if content is None:
        (tmp_path / name).mkdir()
    elif "/" not in name:
        (tmp_path / name).write_bytes(content)
    before = entries(tmp_path)
    for words in (["check", name], ["run", name, "--dir", "out"]):
        done = paribus(words, tmp_path, environment)
        assert done.returncode == 2
        assert re.fullmatch(problem, done.stderr.decode().removesuffix("\n")), done.stderr
    assert entries(tmp_path) == before


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "optimizer.momentm=0.9",
            "optimizer/sgd: unknown parameter 'momentm'; did you mean 'momentum'?",
        ),
        (
            "train.epochs=",
            "train: 'epochs' got \"\", expected an integer of at least 1 and at most 1000000",
        ),
        ("train.epochs", "expected key=value"),
        ("extends=shortest.toml", "extends has its place in a file"),
        ("arms.nobody.model=mlp", "no arm is named 'nobody'"),
    ],
)
def test_an_override_is_checked_like_the_file(override, problem, here, environment):
    done = paribus(["check", "shortest.toml", "-s", override], here, environment)
    assert done.returncode == 2
    assert done.stderr.decode() == f"-s {override}: {problem}\n"
