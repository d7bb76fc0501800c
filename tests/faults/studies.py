# SPDX-License-Identifier: Apache-2.0
"""Studies with a plugin that goes wrong, run through the real programs."""

import json
import os
import re
from pathlib import Path

from lab import Lab
from processes import MARK

BASE = """\
study = {{ threads = {threads}, seeds = {seeds}, retries = 0, share = false{study} }}
data = {{ use = "rows", batch = 16, workers = {workers}{data} }}
model = {{ use = "mlp", hidden = [4] }}
loss = "mse"
metric = []
optimizer = {{ use = "sgd", lr = 0.01 }}
train = {{ epochs = {epochs}, checkpoint_seconds = 0 }}
[arms]
"""


class Study:
    """A study of its own folder whose processes can be told from all others."""

    def __init__(self, folder: Path, arms: dict[str, str], **settings):
        values = dict(threads=1, seeds="[1]", workers=0, epochs=2, study="", data="") | settings
        self.lab = Lab(folder, "fail", "rows")
        self.mark = f"{folder.name}-{os.getpid()}"
        self.lab.environment[MARK] = self.mark
        text = BASE.format(**values)
        for name, arm in arms.items():
            text += f"{name} = {{ {arm} }}\n"
        self.file = self.lab.write("study.toml", text)
        self.directory = folder / "run"

    def run(self, *words, **environment):
        return self.lab.command("run", self.file, "--dir", self.directory, *words, **environment)

    def start(self, *words):
        return self.lab.start("run", self.file, "--dir", self.directory, *words)

    def status(self) -> dict[str, dict]:
        """By arm; each has one trial."""
        answer = json.loads(self.lab.answer("status", self.directory, "--json"))
        return {trial["arm"]: trial for trial in answer["trials"]}

    def reasons(self) -> dict[str, str]:
        """Of each trial's last exit, from the journal of the study, by id."""
        text = (self.directory / "journal" / "study.log").read_bytes().decode(errors="replace")
        last = {}
        for match in re.finditer(r'\{"code":', text):
            event, _ = json.JSONDecoder().raw_decode(text, match.start())
            last[event["trial"]] = event
        for trial, event in last.items():
            assert bool(event.get("stack")) == self.stack_file(trial).exists()
        return {trial: event["reason"] for trial, event in last.items()}

    def stack_file(self, trial: str) -> Path:
        return self.directory / "logs" / f"{trial}.stack.txt"

    def stack(self, trial: dict) -> str:
        return self.stack_file(trial["id"]).read_text()

    def log(self, trial: dict) -> str:
        return (self.directory / "logs" / f"{trial['id']}.txt").read_text()


def fail(how: str, step: int = 5) -> str:
    """An arm in which it goes wrong."""
    return f'"callback.fail" = {{ use = "fail", how = "{how}", step = {step} }}'
