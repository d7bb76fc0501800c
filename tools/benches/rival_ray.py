# SPDX-License-Identifier: Apache-2.0
"""COUNT trials of Ray Tune on two CPUs, each in a process of its own, one report each: COUNT FOLDER.

Each trial's result is a line of JSON in its folder, the experiment's state is written now and then; nothing is synced."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray  # noqa: E402
from marks import Marks  # noqa: E402
from ray import tune  # noqa: E402

COUNT, FOLDER = int(sys.argv[1]), sys.argv[2]


def trial(config):
    tune.report({"x": config["x"]})


class Counting(tune.Callback):
    def __init__(self, marks):
        self.marks, self.ended = marks, 0

    def on_trial_complete(self, iteration, trials, trial, **_):
        self.ended += 1
        self.marks.ended(self.ended)


def main():
    marks = Marks(COUNT)
    out, sys.stdout = sys.stdout, sys.stderr
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=f"{FOLDER}/ray")
    tuner = tune.Tuner(
        trial,
        param_space={"x": tune.grid_search(list(range(COUNT)))},
        run_config=tune.RunConfig(
            storage_path=f"{FOLDER}/results", verbose=0, callbacks=[Counting(marks)]
        ),
    )
    results = tuner.fit()
    ray.shutdown()
    sys.stdout = out
    marks.print(len(results) == COUNT and results.num_errors == 0)


if __name__ == "__main__":
    main()
