# SPDX-License-Identifier: Apache-2.0
"""paribus(1), by those who read such pages."""

import json
import re
import subprocess

import pytest
from build_folder import BUILD, ROOT


def text_of(*command, page) -> str:
    done = subprocess.run([*command, page], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def page(place, tmp_path):
    path = tmp_path / "paribus.1"
    path.write_text(place.run("man-page", "2026-01-02").stdout)
    return path


@pytest.fixture
def shown(page):
    plain = re.sub(".\b", "", text_of("mandoc", "-T", "ascii", page=page))
    return re.sub(r"\s+", " ", plain)


def commands(table):
    yield table
    for inner in table["commands"]:
        yield from commands(inner)


def test_mandoc_finds_nothing_to_say(page):
    assert text_of("mandoc", "-T", "lint", page=page) == ""


def test_man_warns_of_nothing(page):
    done = subprocess.run(
        ["man", "--warnings=w", "-Tutf8", "-l", page],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == ""
    assert "PARIBUS(1)" in done.stdout and "2026-01-02" in done.stdout


def test_it_has_every_command_and_option(place, shown):
    count = 0
    for command in commands(json.loads(place.run("help", "--json").stdout)):
        assert command["command"] in shown
        for option in command["options"] + command["positionals"]:
            for name in option["names"] or [option["value"]]:
                assert name in shown, (command["command"], name)
            about = re.sub(r"\s+", " ", option["about"])
            assert about in shown, (command["command"], option)
            count += 1
    assert count > 50


def test_its_environment_is_that_of_the_documentation(shown):
    document = (ROOT / "docs" / "command_line.md").read_text("utf-8")
    table = document.split("## Environment")[1]
    documented = set(re.findall(r"`([A-Z_]{5,})`", table))
    listed = shown.split(" ENVIRONMENT ")[1].split(" FILES ")[0]
    assert documented == set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bNETRC\b", listed))


def test_nothing_in_a_text_is_a_request(place, page):
    lines = page.read_text().splitlines()
    requests = {line.split(" ")[0] for line in lines if line.startswith((".", "'"))}
    assert requests == {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"}


def test_it_is_built_and_installed(tmp_path):
    (tmp_path / "bin").mkdir()
    install = ["cmake", "--install", BUILD / "tools" / "shell", "--prefix", tmp_path]
    subprocess.run(install, check=True, capture_output=True)
    places = {
        "share/man/man1/paribus.1",
        "share/bash-completion/completions/paribus",
        "share/zsh/site-functions/_paribus",
        "share/fish/vendor_completions.d/paribus.fish",
    }
    for place in places:
        assert (tmp_path / place).is_file(), place
    done = subprocess.run(
        ["man", "-w", "paribus"], capture_output=True, text=True,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path / "share/man/man1/paribus.1")
