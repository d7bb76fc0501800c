# SPDX-License-Identifier: Apache-2.0
"""docs/reference is what the manifests say."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "reference.py"
PARIBUS = Path(os.environ.get("PARIBUS_BUILD", ROOT / "build" / "release")) / "bin" / "paribus"


def test_the_reference_is_fresh():
    command = [SCRIPT, "--check", "--paribus", PARIBUS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def reference():
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bounds_are_those_of_the_author(reference):
    assert reference.allowed_of({"min": 1.0, "max": 2147483647.0}) == "`>= 1`"
    assert reference.allowed_of({"min": -2147483648.0, "max": 2147483647.0}) == ""
    assert reference.allowed_of({"above": 0.0, "below": 1.0}) == "`> 0`, `< 1`"


def test_a_changed_page_is_told(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(reference, "PAGES", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    page, gone = tmp_path / "docs" / "loss.md", tmp_path / "docs" / "gone.md"
    assert reference.stale({page: "text"}) == ["docs/loss.md"]
    page.write_text("text")
    assert reference.stale({page: "text"}) == []
    gone.write_text("of a kind that is no more")
    assert reference.stale({page: "new"}) == ["docs/gone.md", "docs/loss.md"]


def test_every_shipped_part_has_a_section():
    for source in (ROOT / "plugins").glob("*/*.cpp"):
        page = ROOT / "docs" / "reference" / f"{source.parent.name}.md"
        assert f"\n## {source.stem}\n" in page.read_text("utf-8"), source
