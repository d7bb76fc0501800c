# SPDX-License-Identifier: Apache-2.0
"""What tests of the whole tree must know of the folder it was built in: $PARIBUS_BUILD, or build/release."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("PARIBUS_BUILD", ROOT / "build" / "release"))


def torch_dir() -> str:
    """The LibTorch that it was configured with."""
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("PARIBUS_TORCH_DIR:"):
            return line.split("=", 1)[1]
    raise AssertionError(f"{BUILD} is not configured; run tools/test")
