# SPDX-License-Identifier: Apache-2.0
"""COUNT trials of Hydra's multirun with its basic launcher, which calls them in one process: COUNT FOLDER.

Each returns one number and writes it into the folder that Hydra gives it, as its users do; nothing is synced."""

import json
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from marks import Marks

COUNT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
ended = 0
marks = Marks(COUNT)


@hydra.main(version_base=None, config_path=None)
def trial(config):
    global ended
    with open(f"{HydraConfig.get().runtime.output_dir}/metric.json", "w") as file:
        json.dump({"x": config.x}, file)
    ended += 1
    marks.ended(ended)
    return float(config.x)


if __name__ == "__main__":
    sys.argv[1:] = ["--multirun", f"hydra.sweep.dir={FOLDER}/multirun", f"+x=range(0,{COUNT})"]
    sys.stdout, out = sys.stderr, sys.stdout  # it prints a line for each trial
    trial()
    sys.stdout = out
    marks.print(len(list(FOLDER.glob("multirun/*/metric.json"))) == COUNT)
