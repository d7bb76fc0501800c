# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from build_folder import BUILD, ROOT, torch_dir  # noqa: E402


class Workspace:
    """A folder that looks like the root of the tree to commands, with Paribus installed first in PATH."""

    def __init__(self, folder: Path):
        self.folder = folder / "tree"
        self.folder.mkdir()
        names = subprocess.run(
            ["git", "ls-tree", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.split()
        for name in {*names, ".venv"}:
            (self.folder / name).symlink_to(ROOT / name)
        prefix = folder / "prefix"
        install = ["cmake", "--install", str(BUILD), "--prefix", str(prefix)]
        subprocess.run(install, check=True, capture_output=True)
        kept = {
            k: v for k, v in os.environ.items() if k not in ("PARIBUS_PLUGINS", "PARIBUS_WORKER")
        }
        self.environment = kept | {
            "PATH": f"{prefix}/bin:{os.environ['PATH']}",
            "PARIBUS_TORCH_DIR": torch_dir(),
            "PYTHONPATH": str(self.folder / "python"),
            "PARIBUS_PYTHON": str(ROOT / ".venv" / "bin" / "python3"),  # with Optuna
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
            "LC_ALL": "C.UTF-8",
        }
        if shutil.which("ccache"):
            self.environment |= {
                "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
                "CCACHE_BASEDIR": str(folder),
                "CCACHE_NOHASHDIR": "1",
                "CCACHE_DIR": os.environ.get("CCACHE_DIR", str(Path.home() / ".cache" / "ccache")),
            }

    def run(self, command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=120,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("docs"))


@pytest.fixture(scope="session")
def workspace(installed):
    """With the first study run, which every document speaks of."""
    workspace = installed
    done = workspace.run("paribus run experiments/quickstart/study.toml -q")
    assert done.returncode == 0, done.stdout
    return workspace
