# SPDX-License-Identifier: Apache-2.0
"""MLflow into SQLite, the store that its manual recommends: log_batch with 1,000 metrics, the most that it takes at once."""

import logging
import sqlite3
import time

from logged import NAMES, SERIES, Tracker, variants
from side import serve

logging.disable(logging.WARNING)  # told while its tables are made

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric  # noqa: E402

MOST = 1000


class MLflow(Tracker):
    def __init__(self, folder):
        self.client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = self.client.create_experiment("bench", artifact_location=str(folder))
        self.run = self.client.create_run(experiment).info.run_id
        self.waiting = []

    def row(self, step, values):
        now = int(1000 * time.time())
        self.waiting += [Metric(NAMES[i], value, now, step) for i, value in enumerate(values)]
        if len(self.waiting) + SERIES > MOST:
            self.send()

    def send(self):
        self.client.log_batch(self.run, metrics=self.waiting)
        self.waiting = []

    def close(self):
        if self.waiting:
            self.send()
        self.client.set_terminated(self.run)

    @staticmethod
    def left(folder):
        file = sqlite3.connect(folder / "mlflow.db")
        (points,) = file.execute("select count(*) from metrics").fetchone()
        last = dict(file.execute("select key, value from latest_metrics"))
        file.close()
        return points, [last.get(name) for name in NAMES]


if __name__ == "__main__":
    serve(variants(MLflow))
