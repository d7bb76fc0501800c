# SPDX-License-Identifier: Apache-2.0
"""`paribus plugins watch`: what is saved is built and trained, what is broken is shown, Ctrl-C ends it."""

import re
import signal
import subprocess
import time

import pytest


class Watch:
    def __init__(self, bench, folder):
        self.said = bench.folder / "watch.txt"
        with self.said.open("w") as out:
            self.process = subprocess.Popen(
                ["paribus", "plugins", "watch", folder],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=bench.folder,
                env=bench.environment,
            )

    def wait_for(self, pattern: str, count: int) -> list[str]:
        """Until it has been said so often."""
        end = time.monotonic() + 120
        while True:
            text = self.said.read_text()
            found = re.findall(pattern, text, re.MULTILINE)
            if len(found) >= count:
                return found
            assert self.process.poll() is None and time.monotonic() < end, text
            time.sleep(0.05)


READY = "^watching .*; Ctrl-C ends it$"
TRAINED = r"^trained +[\d.]+ s  my_line, seed 0: done, (.*valid.loss .*)$"


@pytest.fixture
def folder(bench):
    done = bench.paribus("plugins", "new", "schedule", "my_line")
    assert done.returncode == 0, done.stderr
    return bench.folder / "my_line"


def test_each_save_is_built_and_trained(bench, folder):
    source = folder / "my_line.cpp"
    good = source.read_text()
    watch = Watch(bench, folder)
    try:
        watch.wait_for(READY, 1)
        source.write_text(good.replace("1 - p.fraction", "0.1 - 0.1 * p.fraction"))
        watch.wait_for(READY, 2)
        first, second = watch.wait_for(TRAINED, 2)
        assert first != second, "it trains with what was saved"
        source.write_text(good.replace("p.base", "p.bse"))
        watch.wait_for("error: .*bse", 1)
        watch.wait_for(READY, 3)
        (folder / ".my_line.cpp.swp").write_text("what an editor keeps")
        replaced = folder / "new.txt"  # as many editors save
        replaced.write_text(good)
        replaced.rename(source)
        watch.wait_for(READY, 4)
        assert watch.wait_for(TRAINED, 3)[2] == first
        assert len(watch.wait_for("^my_line.cpp was saved$", 3)) == 3
    finally:
        watch.process.send_signal(signal.SIGINT)
        status = watch.process.wait(timeout=60)
    assert status == 0


@pytest.mark.parametrize(
    "name, message", [("nowhere", "nowhere holds no study.toml"), ("prefix", "holds no study.toml")]
)
def test_what_holds_no_study_is_refused(bench, name, message):
    done = bench.paribus("plugins", "watch", name)
    assert done.returncode == 2
    assert message in done.stderr
