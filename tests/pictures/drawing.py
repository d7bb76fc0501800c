# SPDX-License-Identifier: Apache-2.0
"""Commands that draw, and what there is to read in their pictures."""

import base64
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

sys.path.append(str(Path(__file__).parents[1]))

from build_folder import BUILD, ROOT  # noqa: E402

sys.path += [str(ROOT / "tests" / "tools"), str(ROOT / "tests" / "report")]
import journals  # noqa: E402, F401
import made  # noqa: E402, F401

PARIBUS = BUILD / "bin" / "paribus"
PLAIN = {"TERM": "dumb", "TERM_PROGRAM": "", "KITTY_WINDOW_ID": "", "TMUX": ""}


def paribus(*words, status=0, cwd=None, **settings) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [PARIBUS, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env=os.environ | PLAIN | settings,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def at_terminal(*words, cwd=None, **settings) -> bytes:
    """All that a command writes to a terminal."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [PARIBUS, *map(str, words)],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=os.environ | PLAIN | settings,
    )
    os.close(slave)
    text, deadline = b"", time.monotonic() + 300
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            text += os.read(master, 65536)
        except OSError:  # it has closed the terminal
            break
    os.close(master)
    assert running.wait(60) == 0
    return text


def kitty_image(text: bytes) -> bytes:
    """The picture in kitty's orders, as a terminal puts it together."""
    chunks = re.findall(rb"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", text)
    assert [keys.split(b"m=")[1] for keys, _ in chunks] == [b"1"] * (len(chunks) - 1) + [b"0"]
    assert chunks[0][0].startswith(b"f=100,a=T,") and all(len(c) <= 4096 for _, c in chunks)
    return base64.b64decode(b"".join(chunk for _, chunk in chunks), validate=True)


def texts(svg: Path) -> list[str]:
    tree = ElementTree.fromstring(svg.read_bytes())
    return ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")]


def tags(svg: Path) -> set[str]:
    return {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(svg.read_bytes()).iter()}
