# SPDX-License-Identifier: Apache-2.0
"""The READMEs of the studies that ship, and the table of them. That they are studies, laws.shipped_studies tells."""

from pathlib import Path

import pytest
from documents import links

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted({path.parent.name for path in (ROOT / "experiments").glob("*/*.toml")})


def test_the_table_names_every_study():
    named = links((ROOT / "experiments" / "README.md").read_text("utf-8"))
    assert [name for name in FOLDERS if f"{name}/README.md" not in named] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_readme_says_what_was_expected_and_measured(folder):
    text = (ROOT / "experiments" / folder / "README.md").read_text("utf-8")
    assert "\n## Expected\n" in text
    assert "\n## Measured\n" in text
