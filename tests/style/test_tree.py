# SPDX-License-Identifier: Apache-2.0
"""The tree keeps the rules of the house."""

import rules
from tree import CPP, ROOT, files, shown

SOURCES = CPP | {".py", ".sh", ".cmake", ".js", ".css"}
SCRIPTS = ("tools/bench", "tools/quickstart", "tools/test", ".ci/run")


def complaints(check, paths) -> str:
    problems = []
    for path in paths:
        problems += check(shown(path), path.read_text(encoding="utf-8"))
    return "\n".join(problems)


def all_sources():
    named = [p for p in files(suffixes=SOURCES) if p.name != "CMakeLists.txt"]
    lists = [p for p in files() if p.name == "CMakeLists.txt"]
    return named + lists + [ROOT / script for script in SCRIPTS]


def test_there_is_something_to_check():
    assert len(files("kernel", suffixes=CPP)) > 20
    assert len(files("plugins", suffixes=CPP)) > 5


def test_arrows_point_downwards():
    paths = files("kernel", "registry", "experiments", "tools", suffixes=CPP)
    assert complaints(rules.check_arrows, paths) == ""


def test_plugins_include_only_the_contract():
    assert complaints(rules.check_plugin_includes, files("plugins", suffixes=CPP)) == ""


def test_headers_of_plugins_are_shared():
    """A part is one file; what several of a kind need lies beside them."""
    for header in files("plugins", suffixes={".h"}):
        line = f'#include "{header.name}"'
        users = [p for p in header.parent.glob("*.*") if line in p.read_text(encoding="utf-8")]
        assert len(users) > 1, f"{shown(header)} serves {len(users)} parts: put it into the part"


def test_no_heavy_header_in_plugins_and_contract():
    assert complaints(rules.check_light, files("plugins", "kernel/include", suffixes=CPP)) == ""


def test_plugin_files_bear_the_name_of_their_part():
    assert complaints(rules.check_plugin_name, files("plugins", suffixes={".cpp"})) == ""


def test_licence_comes_first():
    assert complaints(rules.check_licence, all_sources()) == ""


def test_files_are_short():
    assert complaints(rules.check_length, all_sources()) == ""


def test_longer_files_exist_and_have_a_reason():
    for name, reason in rules.LONGER.items():
        assert (ROOT / name).is_file(), f"{name} is gone: take it out of LONGER"
        assert len(reason) > 10, f"{name}: say why it is longer"
