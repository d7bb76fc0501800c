# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from build_folder import BUILD, torch_dir  # noqa: E402


class Bench:
    """An installed Paribus and an empty folder, far from the tree."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.prefix = folder / "prefix"
        install = ["cmake", "--install", str(BUILD), "--prefix", str(self.prefix)]
        subprocess.run(install, check=True, capture_output=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PARIBUS_")}
        self.environment = kept | {
            "PATH": f"{self.prefix}/bin:{os.environ['PATH']}",
            "PARIBUS_TORCH_DIR": torch_dir(),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
        }
        if shutil.which("ccache"):
            self.environment |= {
                "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
                "CCACHE_BASEDIR": str(folder),
                "CCACHE_NOHASHDIR": "1",
                "CCACHE_SLOPPINESS": "pch_defines,time_macros",
            }

    def paribus(self, *words, **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["paribus", *map(str, words)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environment | environment,
            timeout=300,
        )


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("kit"))
