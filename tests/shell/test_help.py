# SPDX-License-Identifier: Apache-2.0
"""`paribus help`: commands, parts, and studies that may be copied."""

import json
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tomli_w
from build_folder import BUILD, ROOT
from conftest import PARIBUS

sys.path.append(str(Path(__file__).parents[1] / "laws"))
import sets  # noqa: E402


def test_all_commands(place):
    assert place.run("help").stdout == place.run("--help").stdout
    assert "  help " in place.run("help").stdout


@pytest.mark.parametrize("command", ["run", "plugins", "plugins show", "plugins keys add", "help"])
def test_a_command(place, command):
    assert (
        place.run("help", *command.split()).stdout == place.run(*command.split(), "--help").stdout
    )


def test_a_part(place):
    said = place.run("help", "optimizer/lookahead").stdout
    head, example = said.split("A study with it:\n\n")
    assert head.startswith(
        "optimizer/lookahead: k steps forward, one step back (Zhang et al. 2019)"
    )
    assert re.search(r"^alpha +float +0\.5 +> 0, <= 1 +live +share of the way", head, re.MULTILINE)
    assert re.search(r"^plugin +/.*/optimizer_lookahead\.so$", head, re.MULTILINE)
    assert example.startswith(
        '[data]\nuse = "glyphs"\n\n[model]\nuse = "convnet"\n\n[optimizer]\nuse = "lookahead"\n'
    )
    assert place.run("help", "lookahead").stdout == said


def test_a_part_as_json(place):
    said = json.loads(place.run("help", "optimizer/lookahead", "--json").stdout)
    (field,) = [one for one in said["params"] if one["name"] == "alpha"]
    assert (said["kind"], said["name"], field["default"], field["max"]) == (
        "optimizer",
        "lookahead",
        0.5,
        1,
    )
    assert said["example"] in place.run("help", "lookahead").stdout


def test_a_kind(place):
    assert place.run("help", "metric").stdout == place.run("plugins", "--kind", "metric").stdout


def test_a_command_as_json(place):
    said = json.loads(place.run("help", "run", "--json").stdout)
    assert said["command"] == "paribus run" and said["positionals"][0]["value"] == "STUDY.toml"
    (isolate,) = [one for one in said["options"] if "--isolate" in one["names"]]
    assert isolate["choices"] == ["fork", "exec"] and isolate["value"] == "HOW"


@pytest.mark.parametrize(
    "words, message",
    [
        ("optimizer/lokahead", "there is no part 'optimizer/lokahead', expected KIND/NAME; did you mean 'optimizer/lookahead'?"),
        ("lokahead", "there is no command, kind or part 'lokahead'; did you mean 'lookahead'"),
        ("compair", "there is no command, kind or part 'compair'; did you mean 'compare'?"),
        ("optimiser", "there is no command, kind or part 'optimiser'; did you mean 'optimizer'"),
        ("plugins shwo", "paribus plugins has no command 'shwo'; did you mean 'show'?"),
        ("plugin show", "there is no command 'plugin'; did you mean 'plugins'?"),
        ("dice", "several parts are named 'dice': loss/dice, metric/dice; name one with its kind"),
        ("qqqqqq", "`paribus help` lists commands, `paribus plugins` parts"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_told(place, words, message):
    done = place.run("help", *words.split(), status=2)
    assert message in done.stderr and done.stdout == ""


# What an example names and only its reader can have.
REAL = 'use = "yours"  # a data set with real-valued targets'


class Examples:
    """What they ask for lies in their folder: small sets in the form of the public ones."""

    def __init__(self, folder: Path, parts: list[dict]):
        self.folder = folder
        sets.write_cifar10(folder / "cifar")
        sets.write_pictures(folder / "pictures")
        sets.write_masks(folder / "masks", void=3)  # a class like others
        sets.write_boxes(folder / "boxes")
        sets.write_script(folder / "net.pt")
        by_name = {f"{part['kind']}_{part['name']}": part for part in parts}
        for name in ("mnist", "fashion_mnist"):
            files = sets.write_mnist(folder / "data" / name.replace("_", "-"))
            memory = folder / "cache" / "paribus" / "verified.txt"
            sets.pass_for_verified(memory, by_name[f"dataset_{name}"], files)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PARIBUS_")}
        self.environment = kept | {
            "PARIBUS_DATA": str(folder / "data"),
            "PARIBUS_PLUGINS": str(BUILD / "tests" / "laws" / "line"),
            "PARIBUS_PYTHON": str(ROOT / ".venv" / "bin" / "python3"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "LC_ALL": "C.UTF-8",
        }
        self.texts = {}
        for part in parts:
            name = f"{part['kind']}/{part['name']}"
            example = json.loads(self.run("help", name, "--json").stdout)["example"]
            self.texts[name] = example.replace(REAL, 'use = "line"')

    def run(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PARIBUS, *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def check(self, name: str, text: str) -> subprocess.CompletedProcess:
        study = self.folder / (name.replace("/", "_") + ".toml")
        study.write_text(text)
        return self.run("check", study.name)


@pytest.fixture(scope="module")
def examples(tmp_path_factory, parts):
    return Examples(tmp_path_factory.mktemp("examples"), parts)


def is_whole_studys(name: str) -> bool:
    return name.startswith(("tracker/", "search/"))


def test_every_example_passes_check(examples):
    """Each as an arm of one study, which takes seconds where one check after another takes minutes."""
    arms = {
        name: tomllib.loads(text)
        for name, text in examples.texts.items()
        if not is_whole_studys(name)
    }
    arms["dataset/cifar10"]["data"]["dir"] = "cifar"  # the real one has 160 MB
    study = {
        "study": {"metric": "valid.loss", "seeds": 1},
        "data": "glyphs",
        "model": "convnet",
        "arms": {"plain": {}} | arms,
    }
    done = examples.check("all", tomli_w.dumps(study))
    assert done.returncode == 0, done.stderr
    assert len(arms) > 70


def test_every_example_of_a_whole_study_passes_check(examples):
    one_of_each = {"optimizer/lookahead", "transform/hue", "dataset/mnist", "model/resnet18"}
    names = [name for name in examples.texts if is_whole_studys(name) or name in one_of_each]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        checked = dict(zip(names, pool.map(lambda n: examples.check(n, examples.texts[n]), names)))
    refused = {name: done.stderr for name, done in checked.items() if done.returncode != 0}
    assert not refused, refused
    assert len(names) > 15


def test_every_part_has_its_page(examples):
    for name, text in examples.texts.items():
        assert f'use = "{name.split("/")[1]}"' in text
