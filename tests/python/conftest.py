# SPDX-License-Identifier: Apache-2.0
import os
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python"
sys.path[:0] = [str(Path(__file__).parent), str(PACKAGE)]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder, in which nothing of the user's own is seen."""
    for name in [name for name in os.environ if name.startswith("PARIBUS_")]:
        if name != "PARIBUS_PROGRAM":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
