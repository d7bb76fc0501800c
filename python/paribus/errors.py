# SPDX-License-Identifier: Apache-2.0
"""What can be wrong, with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .run import Run


class ParibusError(Exception):
    """Something can't be done; the message says what was expected."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a study. `line` and `column` count from 1; 0 where there is none."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.file + (f":{self.line}:{self.column}" if self.line else "")
        return f"{place}: {self.message}" if place else self.message


class StudyError(ParibusError):
    """A study that can't be run; `problems` has all that is wrong with it, at once."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))

    @staticmethod
    def from_json(answer: dict[str, Any]) -> StudyError:
        return StudyError([Problem(**problem) for problem in answer["problems"]])

    @staticmethod
    def from_text(text: str) -> StudyError:
        """Of what a command writes on stderr."""
        found = []
        for line in filter(None, text.splitlines()):
            place = re.match(r"(.+?):(\d+):(\d+): (.*)", line)
            if place is None:
                found.append(Problem(line.removeprefix("paribus: ")))
            else:
                file, row, column, message = place.groups()
                found.append(Problem(message, file, int(row), int(column)))
        return StudyError(found)


class TrialsFailed(ParibusError):
    """Trials of a study ended without a result; the others' are in `run`."""

    def __init__(self, run: Run, failed: dict[str, str]):
        self.run, self.failed = run, failed
        lines = [f"{trial}: {message}" for trial, message in failed.items()]
        super().__init__(f"{len(failed)} trials have no result\n" + "\n".join(lines))
