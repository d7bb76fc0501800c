# SPDX-License-Identifier: Apache-2.0
"""docs/reference is what the manifests say."""

import importlib.util
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "reference.py"
PARIBUS = Path(os.environ.get("PARIBUS_BUILD", ROOT / "build" / "release")) / "bin" / "paribus"


def test_the_reference_is_fresh():
    command = [SCRIPT, "--check", "--paribus", PARIBUS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_page_is_told(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
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
