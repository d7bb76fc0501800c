# SPDX-License-Identifier: Apache-2.0
"""keep_release.py TAG: release.tar.xz becomes what plugins of that release were built with, its headers and templates, for
test_versions.py. Part of making a release (docs/versions.md)."""

import lzma
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tag = sys.argv[1]
    words = ["git", "archive", f"--prefix={tag}/", tag, "kernel/include", "tools/templates"]
    done = subprocess.run(words, cwd=HERE.parents[1], capture_output=True)
    if done.returncode != 0:
        print(f"keep_release.py: {done.stderr.decode().strip()}", file=sys.stderr)
        return 1
    kept = HERE / "release.tar.xz"
    kept.write_bytes(lzma.compress(done.stdout, preset=9))
    print(f"{kept}: {tag}, {kept.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
