# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from served import Served  # noqa: E402
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


@pytest.fixture
def serve():
    """serve(folder, ...) starts `paribus watch --web`; it is ended afterwards."""
    all_of_them = []

    def start(folder, *words) -> Served:
        all_of_them.append(Served(folder, *words))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.close()
