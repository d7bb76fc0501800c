# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from watching import Running, Screen  # noqa: E402


@pytest.fixture
def running(tmp_path):
    study = Running(tmp_path / "study")
    yield study
    study.trial.close()
    study.driver.close()


@pytest.fixture
def screen():
    """screen("watch", folder, ...) starts it; it is ended afterwards."""
    screens = []

    def start(*words, **settings) -> Screen:
        screens.append(Screen(*words, **settings))
        return screens[-1]

    yield start
    for one in screens:
        one.close()
