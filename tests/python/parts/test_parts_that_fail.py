# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a part in Python is told with its place, and ends one trial at most."""

import json
import re
import shutil

import pytest
from studies import study


def with_callback(name: str) -> str:
    return f'good = {{}}\nbad = {{ "callback.bad" = {{ use = "python:parts:{name}" }} }}'


def line_of(bench, text: str) -> int:
    lines = (bench.folder / "parts.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


FAILING = {
    "Raises": ("ValueError: no more at step 3", "raise ValueError"),
    "Crashes": ("SIGSEGV", "ctypes.string_at(8)"),
    "Leaves": ("SystemExit: 0", "raise SystemExit"),
    "Keeps": ("its state holds a pathlib.PosixPath, which no checkpoint may", None),
}


def test_one_trial_ends_with_the_reason(bench):
    arms = "good = {}\n" + "".join(
        f'{name} = {{ "callback.bad" = {{ use = "python:parts:{name}" }} }}\n' for name in FAILING
    )
    ran = bench.run(study(arms, own="retries = 0"))
    assert ran.status == 1, ran.told
    status = json.loads(bench.call("status", "runs/study", "--json").stdout)
    by_arm = {trial["arm"]: trial for trial in status["trials"]}
    assert by_arm["good"]["status"] == "done"
    for name, (message, line) in FAILING.items():
        told = by_arm[name]["message"]
        assert message in told
        if line is None:
            continue
        assert f"{bench.folder}/parts.py:{line_of(bench, line)} in " in told


def test_a_part_that_hangs_ends_its_trial_with_the_reason(bench):
    arms = 'a = { "callback.bad" = { use = "python:parts:Hangs" } }'
    ran = bench.run(study(arms, own='hang_limit = "5s"\nretries = 0'))
    assert ran.status == 1, ran.told
    told = json.loads(bench.call("status", "runs/study", "--json").stdout)["trials"][0]["message"]
    line = line_of(bench, "time.sleep")
    assert "it hung" in told
    assert any(f"{bench.folder}/parts.py:{number} in " in told for number in (line, line - 1)), told


def all_wrong(bench, parts: list[str]) -> list[str]:
    """What is told of a study with an arm for each, a line each, all with a place."""
    arms = "".join(f"arm{number} = {{ {part} }}\n" for number, part in enumerate(parts))
    lines = bench.check(study(arms)).splitlines()
    return [line for line in lines if re.match(r"study\.toml:\d+:\d+: ", line)]


ABSENT = {
    "python:parts:Nothin": "has no 'Nothin'; did you mean 'Nothing'?",
    "python:prats:Nothing": "no module 'prats' in",
    "python:parts": "isn't of the form python:module:Name",
    "python:parts:Net": "expected a subclass of paribus.part.Callback",
    "python:broken:Nothing": "SyntaxError: ",
    "python:dies:Nothing": "crashed with SIGSEGV",
}


def test_parts_that_there_arent(bench):
    (bench.folder / "broken.py").write_text("def f(:\n    pass\n")
    (bench.folder / "dies.py").write_text("import ctypes\n\nctypes.string_at(8)\n")
    told = all_wrong(bench, [f'"callback.bad" = {{ use = "{use}" }}' for use in ABSENT])
    for use, message in ABSENT.items():
        assert any(f": {use}: " in line and message in line for line in told), (use, told)


UNFIT = [
    ('"callback.n" = { use = "python:parts:Nothing", strenght = 1.0 }', "did you mean 'strength'"),
    ('"callback.n" = { use = "python:parts:Nothing", strength = 2.0 }', "at most 1"),
    ('model = { use = "python:parts:Net", hidden = "many" }', "expected an integer"),
]
UNFIT_WHEN_BUILT = [
    ('model = { use = "python:parts:Needs" }', "missing 1 required positional argument: 'width'"),
    ('optimizer = { use = "python:torch.optim:LBFGS" }', "LBFGS.step() missing"),
]


@pytest.mark.parametrize("unfit", [UNFIT, UNFIT_WHEN_BUILT], ids=["written", "built"])
def test_parameters_that_dont_fit(bench, unfit):
    told = all_wrong(bench, [part for part, _ in unfit])
    for _, message in unfit:
        assert any(message in line for line in told), (message, told)


def test_a_folder_that_others_may_write_is_refused(bench):
    bench.folder.chmod(0o777)
    told = bench.check(study(with_callback("Nothing")))
    assert "may" in told and str(bench.folder) in told
    bench.folder.chmod(0o755)
    (bench.folder / "parts.py").chmod(0o666)
    assert f"{bench.folder}/parts.py" in bench.check(study(with_callback("Nothing")))


def test_signed_plugins_alone_means_no_source(bench):
    told = bench.check(study(with_callback("Nothing"), own="trust = []"))
    assert "carries no signature" in told


@pytest.mark.parametrize("helper", ["helper", "helpers.helper", "helpers.deep.helper"])
def test_the_source_is_part_of_the_trials_id(bench, helper):
    def ids():
        done = bench.call("check", bench.write(study(with_callback("Nothing"))).name, "--json")
        return {trial["arm"]: trial["id"] for trial in json.loads(done.stdout)["trials"]}

    file = bench.folder / f"{helper.replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)  # with no __init__.py
    file.write_text("X = 1\n")
    source = bench.folder / "parts.py"
    source.write_text(
        source.read_text() + f"\n\ndef later():\n    from {helper} import X\n    return X\n"
    )
    before = ids()
    file.write_text("X = 2\n")
    after = ids()
    assert before["good"] == after["good"]
    assert before["bad"] != after["bad"]


def test_a_part_in_a_folder_without_an_init(bench):
    folder = bench.folder / "helpers" / "deep"
    folder.mkdir(parents=True)
    shutil.copy(bench.folder / "parts.py", folder / "own.py")
    text = study('a = { "callback.n" = { use = "python:helpers.deep.own:Nothing" } }')
    done = bench.call("check", bench.write(text).name)
    assert done.returncode == 0, done.stderr
    told = bench.check(text.replace("deep.own", "deep"))
    assert "helpers.deep" in told and "is a folder without __init__.py" in told


def test_studies_without_python_parts_ask_for_no_python(bench):
    done = bench.call("check", bench.write(study("a = {}")).name, PARIBUS_PYTHON="/nowhere/python3")
    assert done.returncode == 0, done.stderr
    told = bench.check(study(with_callback("Nothing")), PARIBUS_PYTHON="/nowhere/python3")
    assert "$PARIBUS_PYTHON names /nowhere/python3, which is no program" in told
