# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from build_folder import BUILD, ROOT  # noqa: E402

sys.path.append(str(ROOT / "tests" / "tools"))
import journals  # noqa: E402

PARIBUS = BUILD / "bin" / "paribus"

STUDY = """\
[data]
use = "glyphs"
transforms = [{ use = "crop", padding = 2 }, "flip"]

[model]
use = "mlp"

[optimizer]
use = "lookahead"

[schedule]
"optimizer.lr" = { use = "one_cycle", max = 0.4 }

[[callback]]
use = "ema"

[[tracker]]
use = "csv"
name = "files"

[arms]
plain = {}
quick = { optimizer = { use = "adam" } }
"""


@dataclass
class Place:
    """A folder with studies and their directories, and nothing of the user's."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words, status=0) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [PARIBUS, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=60,
        )
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def answer(self, *words) -> tuple[str, dict[str, str]]:
        """The form, and what is said of each candidate."""
        form, *lines = self.run("complete", "words", *words).stdout.splitlines()
        return form, {line.split("\t")[0]: line.partition("\t")[2] for line in lines}

    def offered(self, *words) -> list[str]:
        return list(self.answer(*words)[1])


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    arms = {"sgd": {0: 0.9, 1: 0.91}, "adam": {0: 0.92, 1: 0.93}}
    (folder / "runs").mkdir()
    record = folder / "runs" / "digits"
    record.mkdir()
    journals.write_study(record, arms)
    (record / "study.toml").write_text(STUDY)
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PARIBUS_", "XDG_", "VIRTUAL_ENV", "CONDA"))
    }
    home = tmp_path / "home"
    home.mkdir()
    environment = kept | {
        "HOME": str(home),
        "PATH": f"{PARIBUS.parent}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }
    return Place(folder, environment)


@pytest.fixture(scope="session")
def parts():
    done = subprocess.run([PARIBUS, "plugins", "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)["parts"]
