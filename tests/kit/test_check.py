# SPDX-License-Identifier: Apache-2.0
"""`paribus plugins check`: a part that breaks a law is caught by that law, and by no other."""

import json
import re

import pytest
from build_folder import BUILD

BROKEN = {
    "hidden": ("same bits", r"a second run differs: train.batch_loss at step 1: "),
    "forgets": ("resumed", r"killed and resumed at step \d+, it differs: .* at step \d+"),
    "grows": ("memory", r"\d+ bytes more at each step, over 1000 steps"),
    "thread": ("threads", "1 left when training is over"),
    "crashes": ("defaults", r"SIGSEGV|Segmentation fault"),
    "refuses": ("defaults", "callback/refuses: got every = 0, expected more"),
    "no_word": ("schema", "'factor': it says nothing about what it is"),
    "rounds": ("state", "'sum' has other bits after it was saved and loaded"),
    "never_off": ("off", "amount = 0.0, it isn't as if it weren't there: .* at step 1"),
}
OFF = {"never_off": ["--off", "amount=0.0"]}


def plugin(name: str):
    return BUILD / "tests" / "kit" / f"{name}.so"


@pytest.mark.parametrize("name", BROKEN)
def test_caught_by_its_law(bench, name):
    done = bench.paribus("plugins", "check", plugin(name), "--json", *OFF.get(name, []))
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    (part,) = report["parts"]
    broken = {law["law"]: law["seen"] for law in part["laws"] if law["verdict"] == "broken"}
    law, seen = BROKEN[name]
    assert broken.keys() == {law}, part["laws"]
    assert re.search(seen, broken[law]), broken
    assert report["broken"] == part["broken"] == 1


def test_every_sample_is_here():
    files = {file.stem for file in (BUILD / "tests" / "kit").glob("*.so")}
    assert files == BROKEN.keys() | {"bad_default"}


def test_a_default_beyond_its_bound_is_seen_in_reading(bench):
    """No part can be had from such a file: there is nothing to try."""
    done = bench.paribus("plugins", "check", plugin("bad_default"), "--json")
    assert done.returncode == 2
    problem = json.loads(done.stdout)["problem"]
    assert re.search(
        "'share', 'default' breaks the parameter's own rule: got 1.5, .*at most 1", problem
    )


def test_the_report_of_a_good_part(bench):
    folder = bench.prefix / "lib" / "paribus" / "plugins"
    done = bench.paribus("plugins", "check", folder / "callback_ema.so", "--off", "decay=0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        r"callback/ema: 3 parameters, ",
        r"  defaults   kept       trains with them: 21 steps",
        r"  off        kept       decay = 0.0, as if it weren't there: \d+ points, ",
        r"  same bits  kept       a second run is equal: \d+ points, \d+ fingerprints, weights",
        r"  resumed    kept       killed and resumed at step \d+, it is equal: ",
        r"  state      kept       \d+ things come back as they were",
        r"  memory     kept       no more in use over 1000 steps",
        r"  threads    kept       none left when training is over",
        r"callback/ema: \d kept, 0 broken, 0 not known \([\d.]+ s\)",
    ):
        assert re.search(f"^{line}", done.stdout, re.MULTILINE), done.stdout


def test_an_off_that_no_study_may_give(bench):
    words = ["plugins", "check", plugin("never_off"), "--off", "amount=-1.0"]
    done = bench.paribus(*words)
    assert done.returncode == 1
    seen = (
        r"off        BROKEN     amount = -1.0, .*'amount' got -1, expected a number of at least 0"
    )
    assert re.search(seen, done.stdout), done.stdout
    assert "defaults   kept" in done.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (["nowhere.so"], "nowhere.so: .*No such file"),
        (["prefix/bin/paribus"], "prefix/bin/paribus: "),
        (["EMA", "--off", "decy=0"], "--off decy=0: callback/ema has no parameter 'decy'; did you"),
        (["EMA", "--off", "decay"], "got --off decay, expected KEY=VALUE"),
    ],
)
def test_refused(bench, words, message):
    ema = "prefix/lib/paribus/plugins/callback_ema.so"
    done = bench.paribus("plugins", "check", *[ema if word == "EMA" else word for word in words])
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr


def test_reading_alone(bench):
    done = bench.paribus("plugins", "check", plugin("crashes"), "--read")
    assert done.returncode == 0, done.stderr
    assert re.match("callback/crashes: fine, 0 parameters, ", done.stdout)
