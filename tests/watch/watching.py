# SPDX-License-Identifier: Apache-2.0
"""Studies that grow while they are watched, and terminals to watch them at."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

sys.path.append(str(Path(__file__).parents[1]))

from build_folder import BUILD, ROOT  # noqa: E402

sys.path += [str(ROOT / "tests" / "tools"), str(ROOT / "tests" / "report")]
import journals  # noqa: E402
import made  # noqa: E402, F401

PARIBUS = BUILD / "bin" / "paribus"
ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "NO_COLOR": ""}


def paribus(*words, status=0, **settings) -> subprocess.CompletedProcess:
    run = subprocess.run(
        [PARIBUS, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env=ENVIRONMENT | settings,
    )
    assert run.returncode == status, run.stderr
    return run


class Growing:
    """A file that a writer holds, as a trial or a driver does."""

    def __init__(self, path: Path, content: bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.file = path.open("r+b")
        fcntl.lockf(self.file, fcntl.LOCK_EX)
        self.file.seek(0, os.SEEK_END)

    def add(self, data: bytes) -> None:
        self.file.write(data)
        self.file.flush()

    def close(self) -> None:
        self.file.close()


class Running:
    """A made-up study of four trials, whose first one runs: this process is its driver and its trial."""

    def __init__(self, folder: Path):
        self.folder = folder
        journals.write_study(folder, {"sgd": {0: 0.5, 1: 0.6}, "adam": {0: None, 1: 0.7}})
        (folder / "journal" / "01000001.log").unlink()  # waits
        log = folder / "journal" / "study.log"
        self.driver = Growing(log, log.read_bytes())
        self.trial = Growing(folder / "journal" / "00000000.log", self.begun())

    @staticmethod
    def begun(event="start", **more) -> bytes:
        facts = {"steps_per_epoch": 500}
        start = journals.event(event=event, facts=facts, time=time.time() - 10, **more)
        return (
            journals.MAGIC
            + start
            + journals.series("train.batch_loss", "nat")
            + journals.series("valid.accuracy")
        )

    def make(self, first: int, last: int) -> None:
        steps = range(first, last + 1)
        self.trial.add(journals.points(0, steps, [1 / step for step in steps]))

    def end(self, value: float) -> None:
        metrics = {"valid.accuracy": value}
        end = dict(event="end", status="done", message="", steps=1000, seconds=12.25)
        end |= {"final": metrics, "best": metrics, "weights_sha256": "00"}
        self.trial.add(journals.points(1, [1000], [value]) + journals.event(**end))
        self.trial.close()
        self.driver.add(journals.event(event="exit", trial="00000000", code=0, signal=0, end=end))


class Screen:
    """A command at a terminal of its own, and what stands on it."""

    def __init__(self, *words, columns=100, rows=30):
        self.master, self.slave = pty.openpty()
        self._size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.picture = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.picture)
        self.raw = b""
        self.process = subprocess.Popen(
            [PARIBUS, *map(str, words)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=ENVIRONMENT,
            preexec_fn=self._own_terminal,
        )

    def _own_terminal(self):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def _size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.picture.resize(rows, columns)
        self._size(columns, rows)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.picture.display)

    def read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            data = os.read(self.master, 65536)
            self.raw += data
            self.stream.feed(data)

    def wait_for(self, what, seconds=60.0, told="nothing of it") -> None:
        """Reads until `what()` holds."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"{told} in:\n{self.text()}"
            self.read(0.1)

    def until(self, *wanted: str, seconds=60.0) -> str:
        """Waits until all of it stands on the screen."""
        self.wait_for(lambda: all(one in self.text() for one in wanted), seconds, f"no {wanted}")
        return self.text()

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        """Its exit status, once the terminal is as it was."""
        deadline = time.monotonic() + 15
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it goes on"
            self.read(0.1)
        while select.select([self.master], [], [], 0.1)[0]:
            self.read(0)
        assert self.raw.rstrip().endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")
        assert termios.tcgetattr(self.slave) == self.before
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)
