# SPDX-License-Identifier: Apache-2.0
"""The studies that ship are still studies, and their READMEs and the table of them speak of each."""

from pathlib import Path

import pytest
from documents import links

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted((ROOT / "experiments").glob("*/*.toml"))
OWN_DATA = {"segmentation", "transfer_vs_scratch"}  # masks and colours, which glyphs have not
FOLDERS = sorted({path.parent.name for path in STUDIES})


@pytest.mark.parametrize(
    "study", [str(path.relative_to(ROOT)) for path in STUDIES if path.parent.name not in OWN_DATA]
)
def test_a_shipped_study_is_fine(workspace, study):
    """With data that need no file, whatever its own."""
    done = workspace.run(f"paribus check {study} -s data.use=glyphs")
    assert done.returncode == 0, done.stdout


def test_the_table_names_every_study():
    named = links((ROOT / "experiments" / "README.md").read_text("utf-8"))
    assert [name for name in FOLDERS if f"{name}/README.md" not in named] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_readme_says_what_was_expected_and_measured(folder):
    text = (ROOT / "experiments" / folder / "README.md").read_text("utf-8")
    assert "\n## Expected\n" in text
    assert "\n## Measured\n" in text
