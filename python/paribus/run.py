# SPDX-License-Identifier: Apache-2.0
"""A study's directory: its run while it lasts, its results after."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import ParibusError, StudyError, TrialsFailed
from .program import WRONG_REQUEST, answer, environment, program
from .results import Comparison, Results, Verification
from .shown import ShownResults

TICK = 0.2  # seconds between two looks at a study that runs
INTERRUPTED = 130


@dataclass(frozen=True)
class TrialState:
    """Where a trial stands: `status` is planned, running, done, stopped, failed or pruned."""

    id: str
    arm: str
    seed: int
    status: str
    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None
    message: str = ""


class Run:
    """A study's directory. Iterating over it gives each change of a trial's state until it ends."""

    def __init__(self, directory: str | os.PathLike[str]):
        self.directory = Path(directory)
        self.study: object = None  # that it was begun with
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None  # what it writes, if not to our stderr

    # While it lasts

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self, *, strict: bool = True) -> Run:
        """Until it ends. Raises StudyError, TrialsFailed (if `strict`), or KeyboardInterrupt after
        the trials have stopped, which can be resumed."""
        process = self._process
        if process is None:
            return self
        try:
            status = process.wait()
        except KeyboardInterrupt:
            self.stop()
            raise
        self._judge(status, strict)
        return self

    def stop(self, at_once: bool = False) -> None:
        """Trials end at their next step with a checkpoint, or at once; waits for that."""
        if self._process is None or self._process.poll() is not None:
            return
        for _ in range(2 if at_once else 1):
            self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def resume(
        self,
        *,
        jobs: int | None = None,
        isolate: str = "fork",
        locked: bool = False,
        progress: bool = False,
        strict: bool = True,
    ) -> Run:
        """Goes on with what was stopped, killed or has failed, and waits."""
        words: list[Any] = ["--isolate", isolate, *(["--locked"] if locked else [])]
        words += ["--jobs", jobs] if jobs is not None else []
        begun = start("resume", self.directory, words, self.directory, progress)
        begun.wait(strict=strict)
        return self

    def __iter__(self) -> Iterator[TrialState]:
        told: dict[str, TrialState] = {}
        while True:
            running = self.running
            for state in self.status() if self._is_begun() else []:
                if told.get(state.id) != state:
                    told[state.id] = state
                    yield state
            if not running:
                break
            time.sleep(TICK)
        if not self._was_stopped():
            self.wait(strict=False)

    # What there is

    def status(self) -> list[TrialState]:
        """Every trial."""
        told = answer("status", self.directory, "--json")
        names = TrialState.__dataclass_fields__
        return [
            TrialState(**{key: value for key, value in trial.items() if key in names})
            for trial in told["trials"]
        ]

    def results(self, where: str | None = None) -> Results:
        """A row for each trial; `where`: such as "arm = sgd and valid.accuracy > 0.9"."""
        words = ["--where", where] if where else []
        return Results(self.directory, answer("results", self.directory, "--json", *words))

    def compare(self, metric: str | None = None) -> Comparison:
        """Arms against the baseline: difference, interval, p and verdict."""
        words = ["--metric", metric] if metric else []
        return Comparison(answer("compare", self.directory, "--json", *words))

    def verify(self, *trials: str, sample: int | None = None, bisect: bool = False) -> Verification:
        """Runs trials again and compares every bit with the record."""
        words: list[Any] = [*trials, "--quiet", "--json", *(["--bisect"] if bisect else [])]
        words += ["--sample", sample] if sample is not None else []
        return Verification(answer("verify", self.directory, *words, fine=(0, 1)))

    def show_results(
        self, trial: str | None = None, *, items: int = 24, what: str = "items"
    ) -> ShownResults:
        """What a trained model (by default that of the first trial that is done) makes of validation
        items. `what`: "items", "worst" by their loss, or "confusion" for the picture of classes."""
        words = [*([trial] if trial else []), "--items", items, "--what", what]
        return ShownResults(answer("show-results", self.directory, *words, "--json"))

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"

    def _repr_html_(self) -> str:
        return self.results()._repr_html_()

    def _is_begun(self) -> bool:
        return (self.directory / "journal" / "study.log").exists()

    def _was_stopped(self) -> bool:
        return self._process is not None and self._process.returncode == INTERRUPTED

    def _said(self) -> str:
        if self._errors is None:
            return "it can't be run; what is wrong stands on stderr"
        self._errors.seek(0)
        return self._errors.read()

    def _judge(self, status: int, strict: bool) -> None:
        if status == WRONG_REQUEST:
            raise StudyError.from_text(self._said())
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        if status not in (0, 1):
            raise ParibusError(self._said().strip() or f"paribus ended with status {status}")
        if status == 1 and strict:
            lost = {
                row["id"]: row["message"] or row["status"]
                for row in self.results().rows
                if row["status"] not in ("done", "pruned")
            }
            raise TrialsFailed(self, lost)


def start(command: str, subject: Path, words: list[Any], directory: Path, progress: bool) -> Run:
    """In a session of its own: a Ctrl-C reaches it through `Run.wait` alone, and once."""
    begun = Run(directory)
    if not progress:
        begun._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    quiet = [] if progress else ["--quiet"]
    begun._process = subprocess.Popen(
        [program(), command, str(subject), *map(str, words), *quiet],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=begun._errors,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    return begun
