# SPDX-License-Identifier: Apache-2.0
"""What `paribus complete` answers, without a shell."""

import json
import os
import sys
import time
from pathlib import Path

import pytest
from build_folder import BUILD

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import manifests  # noqa: E402

# Values that nobody can count.
FREE = {"N", "FLOAT", "INT", "SECONDS", "SUM", "CONDITION", "PRICE"}


def test_commands_with_what_they_do(place):
    form, commands = place.answer("")
    assert form == "words"
    assert {"run", "check", "compare", "plugins", "help"} <= commands.keys()
    assert commands["check"] == "check a study with all its shapes, and run nothing"
    assert place.offered("re") == ["resume", "results", "report"]
    assert "complete" not in commands and "man-page" not in commands


def test_commands_of_a_command(place):
    assert {"show", "new", "build", "lock", "keys"} <= set(place.offered("plugins", ""))
    assert place.offered("plugins", "keys", "") == ["add", "list", "remove"]


def test_options(place):
    options = place.answer("run", "--")[1]
    assert {"--jobs", "--set", "--dir", "--fresh"} <= options.keys()
    assert options["--fresh"] == "run again what is done already"
    assert "--fresh" not in place.offered("run", "--fresh", "--")
    assert "--set" in place.offered("run", "--set", "a=1", "--")
    assert place.offered("run", "--isolate", "") == ["fork", "exec"]
    assert place.offered("run", "--isolate=e") == ["--isolate=exec"]
    assert place.offered("report", "runs/digits", "--format", "l") == ["latex"]


def test_after_two_dashes_there_is_no_option(place):
    assert place.offered("check", "--", "-") == []
    assert place.offered("check", "--", "st") == ["study.toml"]


def test_studies_and_folders(place):
    (place.folder / "notes.txt").touch()
    (place.folder / ".hidden.toml").touch()
    assert place.answer("check", "") == ("paths", {"runs/": "", "study.toml": ""})
    assert place.offered("check", ".h") == [".hidden.toml"]
    assert place.offered("run", "-q", f"{place.folder}/s") == [f"{place.folder}/study.toml"]


def test_a_home_stays_a_tilde(place):
    Path(place.environment["HOME"], "mine.toml").touch()
    assert place.offered("check", "~/m") == ["~/mine.toml"]


def test_directories_of_studies_one_folder_further(place):
    (place.folder / "other" / "deeper").mkdir(parents=True)
    assert place.answer("status", "") == ("paths", {"other/": "", "runs/digits": "a study"})
    assert place.answer("watch", "") == place.answer("status", "")
    assert {"--once", "--json"} <= set(place.offered("watch", "--"))
    assert place.offered("compare", "runs/d") == ["runs/digits"]
    assert place.offered("run", "study.toml", "--dir=ru") == ["--dir=runs/digits"]


def test_parts_and_kinds(place, parts):
    shown = place.answer("plugins", "show", "optimizer/l")[1]
    assert shown["optimizer/lion"].startswith("sign") or shown["optimizer/lion"]
    assert set(place.offered("plugins", "show", "")) == {f"{p['kind']}/{p['name']}" for p in parts}
    assert "optimizer" in place.offered("plugins", "--kind", "o")
    assert "optimizer" in place.offered("plugins", "new", "")
    assert {"optimizer/sgd", "optimizer", "status"} <= set(place.offered("help", ""))
    assert place.offered("help", "plugins", "keys", "r") == ["remove"]


def test_keys_of_the_study_step_by_step(place):
    def keys(word, *more):
        return place.offered("run", "study.toml", *more, "-s", word)

    assert {"data.", "train.", "optimizer.", "optimizer=", "arms."} <= set(keys(""))
    assert keys("optimizer.in") == ["optimizer.inner.", "optimizer.inner="]
    assert "optimizer.inner.momentum=" in keys("optimizer.inner.")
    assert "schedule.optimizer.lr.max=" in keys("schedule.optimizer.lr.")
    assert "callback.ema.decay=" in keys("callback.ema.")
    assert "data.transforms.crop.padding=" in keys("data.transforms.crop.")
    assert "tracker.files=" in keys("tracker.")
    assert {"arms.plain.", "arms.quick."} == set(keys("arms."))
    assert "arms.quick.optimizer.beta1=" in keys("arms.quick.optimizer.")
    assert "arms.plain.optimizer.inner." in keys("arms.plain.optimizer.")
    # What another -s sets counts.
    assert "optimizer.beta1=" in keys("optimizer.", "-s", "optimizer=adam")


def test_a_key_says_what_it_holds(place):
    said = place.answer("check", "study.toml", "--set", "optimizer.inner.mo")[1]
    assert said["optimizer.inner.momentum="].startswith("float >= 0 < 1, 0")
    said = place.answer("check", "study.toml", "--set=data.transforms.crop.p")[1]
    assert said["--set=data.transforms.crop.padding="].startswith("int >= 0 <= 1024, 2: ")


def test_values_of_keys(place, parts):
    def values(word):
        return place.offered("check", "study.toml", "-s", word)

    losses = {p["name"] for p in parts if p["kind"] == "loss"}
    assert set(values("loss=")) == {f"loss={name}" for name in losses}
    assert "data.use=glyphs" in values("data.use=")
    assert values("train.device=") == ["train.device=auto", "train.device=cpu", "train.device=cuda"]
    assert values("data.shuffle=") == ["data.shuffle=false", "data.shuffle=true"]
    assert values("callback.ema=") == ["callback.ema=false"]
    assert values("train.epochs=") == [] and values("train.epoch=") == []


def test_keys_where_the_study_is_missing_or_broken(place):
    assert "train.epochs=" in place.offered("run", "nowhere.toml", "-s", "train.e")
    (place.folder / "broken.toml").write_text("[data\n")
    assert "train.epochs=" in place.offered("run", "broken.toml", "-s", "train.e")
    (place.folder / "wrong.toml").write_text("[data]\nuse = 'nothing'\n[optimizer]\nlr = 'a'\n")
    assert "optimizer.momentum=" in place.offered("run", "wrong.toml", "-s", "optimizer.m")


def test_what_a_record_knows(place):
    trials = place.offered("verify", "runs/digits", "")
    files = {path.stem for path in (place.folder / "runs/digits/journal").glob("*.log")}
    assert set(trials) == files - {"study", "system"} and trials
    assert "valid.accuracy" in place.offered("compare", "runs/digits", "--metric", "")
    assert place.offered("sync", "runs/digits", "--tracker", "") == ["files"]
    assert place.offered("compare", "nowhere", "--metric", "") == []


def test_keys_of_a_plugin(place):
    plugin = BUILD / "lib" / "paribus" / "plugins" / "optimizer_sgd.so"
    keys = place.offered("plugins", "check", plugin, "--off", "")
    assert {"lr=", "momentum=", "nesterov="} <= set(keys)
    assert place.offered("plugins", "check", "no.so", "--off", "") == []


def test_any_file(place):
    for words in (
        ("report", "runs/digits", "--out", ""),
        ("plugins", "install", ""),
        ("plugins", "check", ""),
        ("plugins", "keys", "add", "me", ""),
    ):
        assert place.answer(*words) == ("files", {}), words


def test_nothing_after_nonsense(place):
    assert place.offered("nonsense", "") == []
    assert place.offered("run", "study.toml", "more", "") == []
    assert place.run("complete").stdout == ""
    assert place.run("complete", "tcsh", "x").stdout == ""


def every_command(command):
    yield command
    for inner in command["commands"]:
        yield from every_command(inner)


def test_every_value_of_every_command_is_known(place):
    """So that a new option isn't forgotten: a name of a value says what completes it."""
    keys = Path(place.environment["HOME"], ".config", "paribus", "keys")
    asked = 0
    for command in every_command(json.loads(place.run("help", "--json").stdout)):
        words = command["command"].split()[1:]
        given = {"DIR": "runs/digits", "STUDY.toml": "study.toml"}
        for option in command["positionals"] + command["options"]:
            value = option["value"]
            free = value in FREE or (
                value == "NAME" and words[-1:] in (["new"], ["add"], ["remove"])
            )
            if not value or free:
                continue
            before = [] if not option["names"] else [
                *(given[p["value"]] for p in command["positionals"] if p["value"] in given),
                option["names"][-1],
            ]  # fmt: skip
            if not option["names"]:
                for positional in command["positionals"]:
                    if positional["value"] == value:
                        break
                    before.append(given.get(positional["value"], "x"))
            if value == "KEY=VALUE" and words[:1] == ["plugins"]:
                before.insert(0, str(BUILD / "lib/paribus/plugins/optimizer_sgd.so"))
            form, found = place.answer(*words, *before, "")
            assert form == "files" or found, (command["command"], option, before)
            asked += 1
    assert asked > 30 and not keys.exists()


HOSTILE = [
    "$(touch x)",
    "`touch x`",
    ";touch x;",
    "a b",
    "it's",
    '"',
    "\\",
    "~",
    "-q",
    "*",
    "!!",
    "#",
]


def test_hostile_names_are_offered_as_they_are(place):
    for name in HOSTILE:
        (place.folder / "many" / name / "journal").mkdir(parents=True)
    assert set(place.offered("status", "many/")) == {f"many/{name}" for name in HOSTILE}


def test_what_could_speak_to_a_terminal_is_never_offered(place):
    for name in ("\x1b]0;owned\x07", "line\nfeed", "\x9bcsi", "tab\there"):
        (place.folder / "many" / name).mkdir(parents=True)
        (place.folder / "many" / f"{name}.toml").touch()
    arms = '[arms]\n"\\u001b[31m" = {}\n"fine" = {}\n'
    (place.folder / "hostile.toml").write_text(
        arms + '[data]\nuse = "glyphs"\n[model]\nuse="mlp"\n'
    )
    assert place.offered("status", "many/") == []
    assert place.offered("check", "many/") == []
    assert place.offered("check", "hostile.toml", "-s", "arms.") == ["arms.fine."]


def test_a_manifest_that_is_hostile_offers_nothing(place, parts):
    folder = place.folder / "plugins"
    folder.mkdir()
    abi = next(p["abi"] for p in parts)
    manifests.write_plugin(folder, "optimizer", "$(touch x)", abi)
    manifests.write_plugin(folder, "optimizer", "fine", abi, doc="$(touch x) `touch x`\n%F{red}")
    place.environment["PARIBUS_PLUGINS"] = str(folder)
    shown = place.answer("plugins", "show", "optimizer/")[1]
    assert "optimizer/fine" in shown and not any("$" in name for name in shown)
    assert shown["optimizer/fine"] == "$(touch x) `touch x`"


def test_a_pipe_instead_of_a_study_ends(place):
    os.mkfifo(place.folder / "pipe.toml")
    (place.folder / "into.toml").write_text('extends = "pipe.toml"\n')
    assert "train.epochs=" in place.offered("check", "pipe.toml", "-s", "train.e")
    start = time.monotonic()
    place.run("complete", "words", "check", "into.toml", "-s", "train.e", status=-14)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    "line, wanted",
    [
        ("paribus che", ["check"]),
        ("paribus check stu", ["study.toml"]),
        ("paribus check 'stu", ["study.toml"]),
        ('paribus check study.toml -s "train.ep', ["train.epochs="]),
        ("paribus check study.toml -s train.device=cu", ["cuda"]),
        ("paribus run study.toml --isolate=e", ["exec"]),
        ("paribus run study.toml --dir=ru", ["runs/digits"]),
        ("paribus check my\\ s", ["my study.toml"]),
        ("A=1; paribus che", []),  # bash itself cuts the line
    ],
)
def test_lines_of_bash(place, line, wanted):
    (place.folder / "my study.toml").touch()
    breaks = " \t\n\"'@><=;|&(:"
    form, *found = place.run("complete", "bash", breaks, line).stdout.splitlines()
    if not line.startswith("A=1"):
        assert found == wanted


@pytest.mark.parametrize(
    "line", ["paribus check $H", 'paribus check "$(touch x)', "paribus check `touch x", "paribus check 'a'b", "paribus results runs/digits > x"]
)  # fmt: skip
def test_lines_that_bash_alone_understands(place, line):
    assert place.run("complete", "bash", " =:", line).stdout == "files\n"
    assert not (place.folder / "x").exists()


def test_what_bash_inserts_is_escaped(place):
    arms = "\n".join(f'"{name}" = {{}}' for name in ("$(touch x)", "it's"))
    (place.folder / "h.toml").write_text(f'data="glyphs"\nmodel="mlp"\n[arms]\n{arms}\n')

    def inserted(line):
        return place.run("complete", "bash", " =", line).stdout.splitlines()[1:]

    assert inserted("paribus check h.toml -s arms.") == ["arms.\\$\\(touch\\ x\\).", "arms.it\\'s."]
    assert inserted('paribus check h.toml -s "arms.') == ["arms.\\$(touch x).", "arms.it's."]
    assert inserted("paribus check h.toml -s 'arms.i") == ["arms.it'\\''s."]
