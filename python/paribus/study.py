# SPDX-License-Identifier: Apache-2.0
"""A study: a file, or parts and settings put together here."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ParibusError
from .own import folders
from .parts import plain
from .program import answer
from .run import Run, start
from .shown import RateSweep, ShownBatch

if TYPE_CHECKING:
    from .objective import Objective

_PATHS = (("study", "plugins", "python"), ("extends",))  # relative to the study's file


@dataclass(frozen=True)
class Check:
    """What `run` would do."""

    trials: list[dict[str, Any]]  # id, arm, seed, values, steps and facts of each
    arms: list[str]
    metric: str
    steps_asked: int
    steps_run: int  # fewer where trials share their beginnings

    def __str__(self) -> str:
        count = len(self.trials)
        return f"{count} trial{'' if count == 1 else 's'}, {self.steps_run} steps in all; metric {self.metric}"


class Study:
    """What is trained, what is varied, what is asked.

    Keywords are the tables of a study's file (docs/study.md): `data`, `model`, `optimizer`, `loss`,
    `schedule`, `metric`, `callback`, `train`, `arms`, `sweep`, `ablate`, `study`, ... Parts are
    objects (`paribus.optimizer.Adam(lr=1e-3)`), names, tables, or classes of your own
    (docs/python_parts.md); nothing is checked before `check`
    or `run`.
    """

    def __init__(self, *, name: str = "study", **tables: Any):
        self.name = name
        self._config: dict[str, Any] = plain(tables)
        modules = folders(self._config)
        if modules and isinstance(settings := self._config.setdefault("study", {}), dict):
            settings.setdefault("python", modules)
        self._path: Path | None = None
        self._overrides: list[str] = []
        self._folder: str | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Of a file. Places in errors are the file's own."""
        file = Path(path)
        if not file.is_file():
            raise ParibusError(f"{file}: there is no such study")
        study = cls(name=file.parent.resolve().name if file.name == "study.toml" else file.stem)
        study._path = file
        return study

    def override(self, values: Mapping[str, Any] | None = None, **more: Any) -> Study:
        """A copy with single keys set, by address: `study.override({"optimizer.lr": 0.1})`."""
        other = Study(name=self.name)
        other._config, other._path = self._config, self._path
        given = {**(values or {}), **more}
        other._overrides = self._overrides + [
            f"{address}={_inline(plain(value))}" for address, value in given.items()
        ]
        return other

    def to_toml(self) -> str:
        """The study's file."""
        if self._path is not None:
            if self._overrides:
                raise ParibusError("a study of a file with overrides is no file of its own")
            return self._path.read_text("utf-8")
        if self._overrides:
            raise ParibusError("set the keys in the study itself, not by override, to save it")
        import tomli_w

        return tomli_w.dumps(self._config)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the study's file; `paribus run` makes the same trials of it."""
        file = Path(path)
        file.write_text(self.to_toml(), encoding="utf-8")
        return file

    def check(self, *, locked: bool = False) -> Check:
        """Checks the study with all its shapes and runs nothing. Raises StudyError with everything
        that is wrong."""
        told = answer("check", self._file(), *self._words(locked), "--json")
        steps = told["steps"]
        return Check(told["trials"], told["arms"], told["metric"], steps["asked"], steps["run"])

    def start(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        jobs: int | None = None,
        fresh: bool = False,
        isolate: str = "fork",
        locked: bool = False,
        progress: bool = False,
    ) -> Run:
        """Begins to run the trials that are missing and returns at once. `progress`: the program's
        own lines go to stderr. `directory`: runs/NAME if not given."""
        into = Path(directory) if directory is not None else Path("runs") / self.name
        words = [*self._words(locked), "--dir", into, "--isolate", isolate]
        words += ["--fresh"] if fresh else []
        words += ["--jobs", jobs] if jobs is not None else []
        begun = start("run", self._file(), words, into, progress)
        begun.study = self  # its file has to last
        return begun

    def run(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        jobs: int | None = None,
        fresh: bool = False,
        isolate: str = "fork",
        locked: bool = False,
        progress: bool = False,
        strict: bool = True,
    ) -> Run:
        """`start`, and waits. Raises StudyError if the study is wrong and, if `strict`, TrialsFailed
        if a trial has no result. Ctrl-C stops at the next step; `Run.resume` goes on."""
        begun = self.start(
            directory, jobs=jobs, fresh=fresh, isolate=isolate, locked=locked, progress=progress
        )
        begun.wait(strict=strict)
        return begun

    def lr_find(self, *, low: float = 1e-7, high: float = 10.0, steps: int = 100) -> RateSweep:
        """Trains the first trial with learning rates that grow from `low` to `high` over so many
        steps, and suggests one (fastai's `valley`). Writes nothing. Raises StudyError."""
        words = [*self._words(False), "--low", low, "--high", high, "--steps", steps]
        return RateSweep(answer("lr-find", self._file(), *words, "--json"))

    def show_data(self, *, items: int = 24, epoch: int = 0, valid: bool = False) -> ShownBatch:
        """At most `items` of a batch as the model of the first trial gets them, with their targets.
        Raises StudyError."""
        words = [*self._words(False), "--items", items, "--epoch", epoch]
        words += ["--valid"] if valid else []
        return ShownBatch(answer("show-data", self._file(), *words, "--json"))

    def objective(
        self,
        values: Callable[[Any], Mapping[str, Any]],
        directory: str | os.PathLike[str] | None = None,
        *,
        jobs: int | None = None,
    ) -> Objective:
        """For `optimize` of a study of Optuna's. `values` gets Optuna's trial and returns what to set, by address:
        `lambda trial: {"optimizer.lr": trial.suggest_float("lr", 1e-3, 1, log=True)}`. `directory`: runs/NAME if not given."""
        from .objective import Objective

        into = Path(directory) if directory is not None else Path("runs") / self.name
        return Objective(self, values, into, jobs)

    def _words(self, locked: bool) -> list[Any]:
        sets = [word for override in self._overrides for word in ("--set", override)]
        return [*sets, *(["--locked"] if locked else [])]

    def _file(self) -> Path:
        """Its own, or one that lasts as long as the study does."""
        if self._path is not None:
            return self._path
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="paribus-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        import tomli_w

        file = Path(self._folder) / f"{self.name}.toml"
        file.write_text(tomli_w.dumps(_absolute(self._config)), encoding="utf-8")
        return file

    def __repr__(self) -> str:
        if self._path is not None:
            return f"Study.load({str(self._path)!r})"
        return f"Study(name={self.name!r}, {', '.join(self._config)})"

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(self.to_toml())}</pre>" if not self._overrides else repr(self)


def _absolute(config: dict[str, Any]) -> dict[str, Any]:
    """Its paths, which are meant from here, for a file that lies elsewhere."""
    result = dict(config)
    for table, *keys in _PATHS:
        if table not in result:
            continue
        if not keys:
            result[table] = _each(result[table])
        elif isinstance(result[table], dict):
            result[table] = {
                key: _each(value) if key in keys else value for key, value in result[table].items()
            }
    return result


def _each(paths: Any) -> Any:
    if isinstance(paths, str):
        return os.path.abspath(paths)
    return [os.path.abspath(path) for path in paths] if isinstance(paths, Sequence) else paths


def _inline(value: Any) -> str:
    """A value as it stands in a line of TOML."""
    import tomli_w

    if isinstance(value, dict):
        entries = (
            f"{tomli_w.dumps({key: 0}).split(' = ')[0]} = {_inline(v)}" for key, v in value.items()
        )
        return "{ " + ", ".join(entries) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")
