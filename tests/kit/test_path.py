# SPDX-License-Identifier: Apache-2.0
"""A new user's path: what docs/writing_plugins.md says under "From nothing", to the letter, in an empty folder, with
nothing compiled before. It has to take less than five minutes."""

import subprocess
import sys
import time
from pathlib import Path

from build_folder import ROOT

sys.path.append(str(Path(__file__).parents[1] / "docs"))
import documents  # noqa: E402

MOST = 300  # seconds


def commands() -> list[documents.Command]:
    text = (ROOT / "docs" / "writing_plugins.md").read_text("utf-8")
    section = text.split("## From nothing\n", 1)[1].split("\n## ", 1)[0]
    blocks = documents.blocks("writing_plugins.md", section)
    return [
        one for block in blocks if block.language == "console" for one in documents.commands(block)
    ]


def test_from_nothing_to_a_part_in_a_study(bench, capsys):
    folder = bench.folder / "empty"
    folder.mkdir()
    environment = bench.environment | {"CCACHE_DISABLE": "1"}
    seconds = {}
    for command in commands():
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", command.text],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=environment,
            timeout=MOST,
        )
        seconds[command.text] = time.monotonic() - begun
        assert done.returncode == 0, f"{command.text}\n{done.stdout}"
        missing = documents.missing_output(command.output, done.stdout)
        assert not missing, f"{command.text}\nlacks {missing}\n{done.stdout}"
    assert [word for text in seconds for word in ("new", "build", "watch", "check") if f"plugins {word} " in text] == [
        "new", "build", "watch", "check",
    ]  # fmt: skip
    with capsys.disabled():
        print()
        for text, took in seconds.items():
            print(f"{took:6.1f} s  {text}")
        print(f"{sum(seconds.values()):6.1f} s  from nothing to a part in a study")
    assert sum(seconds.values()) < MOST
