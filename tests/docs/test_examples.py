# SPDX-License-Identifier: Apache-2.0
"""What the documents show is run, checked or compiled, in its order, in one workspace."""

import re
import tomllib
from pathlib import Path

import pytest
from documents import blocks, commands, missing_output

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL = {path.name if path.parent == ROOT else f"docs/{path.name}": path for path in DOCUMENTS}
BLOCKS = [block for name, path in ALL.items() for block in blocks(name, path.read_text("utf-8"))]

# All that is shown and not run.
NOT_RUN = {"README.md": "installs packages and runs every test"}


def check_study(workspace, block):
    """A part of a study is checked with the shortest of what it leaves out."""
    name = block.notes.get("file", f"shown-{block.line}.toml")
    path = workspace.write(name, block.text)
    study = tomllib.loads(block.text)
    command = f"paribus check {name}"
    data = study.get("data", {})
    if "extends" not in study:
        command += "" if "model" in study else " -s model=mlp"
        if isinstance(data, dict) and "use" not in data:
            command += """ -s 'data={ use = "glyphs", transforms = ["normalize"] }'"""
    done = workspace.run(command)
    assert done.returncode == int(block.notes.get("status", 0)), f"{block.place}: {done.stdout}"
    if "file" not in block.notes:
        path.unlink()


def run_commands(workspace, block):
    all_of_it = commands(block)
    for command in all_of_it:
        done = workspace.run(command.text)
        wanted = int(block.notes.get("status", 0)) if command is all_of_it[-1] else 0
        assert done.returncode == wanted, f"{block.place}: {command.text}\n{done.stdout}"
        missing = missing_output(command.output, done.stdout)
        assert not missing, f"{block.place}: {command.text}\nlacks {missing}\n{done.stdout}"


def test_no_file_is_shown_twice():
    names = [block.notes["file"] for block in BLOCKS if "file" in block.notes]
    assert len(names) == len(set(names)), sorted(names)


@pytest.fixture(scope="session")
def tree(workspace):
    for block in BLOCKS:
        if "file" in block.notes:
            workspace.write(block.notes["file"], block.text)
    return workspace


@pytest.mark.parametrize("document", ALL)
def test_what_is_shown_works(tree, document):
    studies = []  # checked when what they need, such as plugins, has been built
    for block in [b for b in BLOCKS if b.document == document and "not run" not in b.notes]:
        if "same as" in block.notes:
            file = (ROOT / block.notes["same as"]).read_text("utf-8")
            assert block.text == file.split("\n", 1)[1], f"{block.place}: no longer the file"
        elif block.language == "toml":
            studies.append(block)
        elif block.language == "console":
            run_commands(tree, block)
        elif block.language == "python":
            path = tree.write(f"shown-{block.line}.py", block.text)
            done = tree.run(f".venv/bin/python {path}")
            assert done.returncode == 0, f"{block.place}: {done.stdout}"
    for block in studies:
        check_study(tree, block)


def test_every_whole_plugin_is_built():
    """A .cpp with PARIBUS_PART is a file of a project whose CMakeLists.txt names it."""
    whole = [b for b in BLOCKS if b.language == "cpp" and "PARIBUS_PART(" in b.text]
    assert len(whole) >= 6
    for block in whole:
        file = Path(block.notes["file"])
        lists = [b for b in BLOCKS if b.notes.get("file") == str(file.parent / "CMakeLists.txt")]
        part = re.search(r'PARIBUS_PART\(\w+, "(\w+)"', block.text)[1]
        kind = re.search(r": paribus::(?:Generic)?(\w+) \{", block.text)[1].lower()
        assert [len(lists), file.stem] == [1, part], block.place
        assert f"paribus_add_plugin({kind} {part})" in lists[0].text, block.place


def test_all_cpp_is_whole():
    for block in [b for b in BLOCKS if b.language == "cpp"]:
        assert "PARIBUS_PART(" in block.text, f"{block.place}: compile it: make it a whole plugin"


def test_every_block_says_what_it_is():
    known = {"console", "toml", "cpp", "cmake", "python", "text"}
    assert [b.place for b in BLOCKS if b.language not in known] == []
    for name, path in ALL.items():
        prose = re.sub(r"(?ms)^```.*?^```", "", path.read_text("utf-8"))
        indented = re.search(r"\n\n {4}\S", prose)
        assert indented is None, f"{name}: code stands in fenced blocks, so that it is checked"


def test_little_is_not_run():
    assert {b.document: b.notes["not run"] for b in BLOCKS if "not run" in b.notes} == NOT_RUN
    assert sum(len(commands(b)) for b in BLOCKS if b.language == "console") > 30


def closing_commands():
    """What tools/quickstart suggests at its end: lines indented by two, a comment two spaces behind."""
    script = (ROOT / "tools" / "quickstart").read_text("utf-8")
    study = re.search(r"^study=(\S+)$", script, re.MULTILINE)[1]
    text = re.search(r"What to try next:\n((?:  .*\n)+)", script)[1]
    lines = [line.strip().replace("$study", study) for line in text.splitlines()]
    return [re.split(r"\s{2,}", line)[0] for line in lines]


def test_what_quickstart_suggests_works(workspace):
    suggested = closing_commands()
    assert len(suggested) >= 5
    for command in suggested:
        done = workspace.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
