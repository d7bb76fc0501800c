# SPDX-License-Identifier: Apache-2.0
"""--locked: what paribus.lock pins is loaded, bit for bit, and nothing else."""

import json
import os
import shutil
from pathlib import Path

import pytest
from lab import FIXTURES, PARIBUS, Lab, differences

STUDY = """\
study = { seeds = [1], threads = 1, plugins = ["mine"] }
model = { use = "mlp", hidden = [4] }
data = { use = "glyphs", items = 40, valid_items = 10, transforms = ["normalize"] }
train.epochs = 2
[schedule]
"optimizer.lr" = { use = "witness" }
"""
SEARCH = """\
study = { seeds = [1], threads = 1 }
model = { use = "mlp", hidden = [4] }
data = { use = "glyphs", items = 40, valid_items = 10, transforms = ["normalize"] }
train.epochs = 1
[sweep]
"optimizer.lr" = { log = [0.01, 0.1] }
search = { use = "random", trials = 2 }
"""


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    lab.environment["PARIBUS_LAWS_WITNESS"] = str(tmp_path / "loaded")
    (tmp_path / "mine").mkdir()
    lab.plugin = Path(shutil.copy(FIXTURES / "witness" / "witness.so", tmp_path / "mine"))
    lab.study = lab.write("study.toml", STUDY)
    lab.lock = tmp_path / "paribus.lock"
    lab.directory = tmp_path / "run"
    return lab


def spoil(plugin: Path):
    """It would still load, and do the same."""
    with plugin.open("ab") as file:
        file.write(b"\0")


def refused(lab, command, *words, **environment) -> str:
    """What it says; nothing is loaded, nothing is written."""
    (lab.folder / "loaded").unlink(missing_ok=True)
    before = sorted(lab.folder.rglob("*"))
    done = lab.command(command, *words, **environment)
    print(done.stderr)
    assert done.returncode == 2, done.stderr
    assert not (lab.folder / "loaded").exists()
    after = [path for path in sorted(lab.folder.rglob("*")) if path.suffix != ".met"]
    assert [p for p in after if "cache" not in p.parts] == [
        p for p in before if "cache" not in p.parts
    ]
    return done.stderr


def test_what_is_pinned_runs_with_the_same_bits(lab):
    plain = lab.run(lab.study, "plain")
    said = lab.answer("plugins", "lock", lab.study)
    assert f"{lab.lock}: " in said
    assert "paribus run --locked" in said
    for words in [], ["--isolate", "exec"]:
        locked = lab.run(lab.study, "locked" + str(len(words)), "--locked", *words)
        assert differences(plain.all(), locked.all()) == []
    assert lab.command("check", lab.study, "--locked").returncode == 0


def test_locking_loads_nothing(lab):
    lab.answer("plugins", "lock", lab.study)
    assert not (lab.folder / "loaded").exists()


def test_a_lock_says_nothing_of_the_machine(lab):
    lock = json.loads(lab.answer("plugins", "lock", lab.study, "--json"))
    assert lock == json.loads(lab.lock.read_text())
    assert sorted(lock) == ["libparibus", "libtorch", "plugins"]
    assert "witness.so" in [plugin["file"] for plugin in lock["plugins"]]


def test_another_plugin_is_refused_by_name(lab):
    lab.answer("plugins", "lock", lab.study)
    spoil(lab.plugin)
    for command in ["check", lab.study], ["run", lab.study, "--dir", lab.directory]:
        said = refused(lab, *command, "--locked")
        assert f"{lab.plugin}: schedule/witness has sha256 " in said
        assert f"{lab.lock} pins " in said
        assert "paribus plugins lock STUDY.toml" in said
    assert lab.command("check", lab.study).returncode == 0  # it was not asked


def test_what_is_not_pinned_is_refused(lab):
    lab.answer("plugins", "lock", lab.study)
    said = refused(lab, "check", lab.study, "--locked", "-s", "optimizer=adam")
    assert f"optimizer/adam is not pinned by {lab.lock}" in said
    assert "optimizer_adam.so" in said


def test_all_that_is_wrong_is_said_at_once(lab):
    lab.answer("plugins", "lock", lab.study)
    spoil(lab.plugin)
    said = refused(lab, "check", lab.study, "--locked", "-s", "optimizer=adam")
    assert "schedule/witness has" in said
    assert "optimizer/adam is not" in said


def test_another_libparibus_is_refused(lab):
    lab.answer("plugins", "lock", lab.study)
    lock = json.loads(lab.lock.read_text())
    lock["libparibus"]["sha256"] = "0" * 64
    lab.lock.write_text(json.dumps(lock))
    said = refused(lab, "check", lab.study, "--locked")
    assert "libparibus: the installed one has sha256" in said


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"plugins": 3, "libparibus": 4}', "not JSON"])
def test_what_is_no_lock(lab, text):
    lab.lock.write_text(text)
    assert f"{lab.lock}: is no lock of plugins; write one with" in refused(
        lab, "check", lab.study, "--locked"
    )


def test_no_lock_and_one_that_others_may_write(lab):
    assert f"there is no lock at {lab.lock}" in refused(lab, "check", lab.study, "--locked")
    lab.answer("plugins", "lock", lab.study)
    lab.lock.chmod(0o666)
    assert f"{lab.lock}: may be written by everyone" in refused(lab, "check", lab.study, "--locked")


def test_resume_goes_on_with_what_the_run_had(lab):
    lab.run(lab.study, "run")
    directory = lab.folder / "runs" / "run"
    assert lab.command("resume", directory, "--locked").returncode == 0
    spoil(lab.plugin)
    said = refused(lab, "resume", directory, "--locked")
    assert f"{directory}/paribus.lock pins" in said


def test_a_search_is_pinned_too(lab):
    study = lab.write("search.toml", SEARCH)
    lab.answer("plugins", "lock", study)
    assert lab.command("check", study, "--locked").returncode == 0
    lock = json.loads(lab.lock.read_text())
    lock["plugins"] = [p for p in lock["plugins"] if "search/random" not in p["parts"]]
    lab.lock.write_text(json.dumps(lock))
    assert "search/random is not pinned" in refused(lab, "check", study, "--locked")


def test_studies_of_one_folder_share_a_lock(lab):
    other = lab.write("search.toml", SEARCH)
    lab.answer("plugins", "lock", lab.study, other)
    for study in lab.study, other:
        assert lab.command("check", study, "--locked").returncode == 0
    (lab.folder / "deeper").mkdir()
    third = lab.write("deeper/third.toml", SEARCH)
    done = lab.command("plugins", "lock", lab.study, third)
    assert done.returncode == 2
    assert "are in different folders" in done.stderr


def meddling(lab, request: str) -> dict:
    return {
        "PARIBUS_WORKER": str(Path(__file__).with_name("meddler.py")),
        "REAL_WORKER": str(Path(os.path.realpath(PARIBUS)).with_name("paribus-worker")),
        "MEDDLE_AT": request,
        "MEDDLE_WITH": str(lab.plugin),
    }


@pytest.mark.parametrize("locked", [[], ["--locked"]])
def test_a_plugin_that_changes_once_it_was_checked_is_not_loaded(lab, locked):
    lab.answer("plugins", "lock", lab.study)
    said = refused(lab, "check", lab.study, *locked, **meddling(lab, "load"))
    assert f"{lab.plugin}: has changed since it was checked: its sha256 is " in said


def test_a_plugin_that_changes_once_it_was_loaded_changes_nothing(lab):
    """What is mapped is a copy; a change of the mapped file itself would show in its code."""
    plain = lab.run(lab.study, "plain")
    lab.answer("plugins", "lock", lab.study)
    lab.environment |= meddling(lab, "start")
    assert differences(plain.all(), lab.run(lab.study, "locked", "--locked").all()) == []
    assert lab.plugin.read_bytes().startswith(b"no more an ELF file")


def test_a_fresh_process_checks_for_itself(lab):
    lab.answer("plugins", "lock", lab.study)
    words = ["--locked", "--isolate", "exec", "--dir", lab.directory]
    done = lab.command("run", lab.study, *words, **meddling(lab, "start"))
    print(done.stderr)
    assert done.returncode == 1
    logs = [path.read_text() for path in (lab.directory / "logs").glob("*.txt")]
    assert len(logs) == 1
    assert "has changed since it was checked" in logs[0]


def test_nothing_comes_from_the_current_folder(lab):
    """Where it isn't named."""
    (lab.folder / "witness.so").write_bytes(lab.plugin.read_bytes())
    study = lab.write("unnamed.toml", STUDY.replace(', plugins = ["mine"]', ""))
    assert "no schedule is named 'witness'" in refused(lab, "check", study)
    for listed in ":", "::":
        assert refused(lab, "check", study, PARIBUS_PLUGINS=listed)
    assert lab.command("check", study, PARIBUS_PLUGINS=".").returncode == 0


def test_no_library_comes_from_the_current_folder_either(lab):
    """An empty entry would mean it."""
    (lab.folder / "libparibus.so").write_text("not what anyone wants")
    for listed in ":/nowhere", "/nowhere:", ".", "":
        assert lab.command("check", lab.study, LD_LIBRARY_PATH=listed).returncode == 0
    done = lab.command("check", lab.study, LD_LIBRARY_PATH=str(lab.folder))
    assert done.returncode == 2  # by name it is taken
    assert "libparibus.so" in done.stderr


def test_what_others_may_write_is_not_taken(lab):
    for path, mode in (lab.plugin, 0o666), (lab.plugin.parent, 0o777), (lab.folder, 0o777):
        before = path.stat().st_mode
        path.chmod(mode)
        said = refused(lab, "check", lab.study)
        assert f"may be written by everyone (mode {mode:04o})" in said
        assert f"chmod go-w {path}" in said
        vouched = {"PARIBUS_TRUSTED_FOLDERS": str(lab.folder)}
        assert lab.command("check", lab.study, **vouched).returncode == 0
        path.chmod(before)
    assert lab.command("check", lab.study).returncode == 0
