# SPDX-License-Identifier: Apache-2.0
"""What journal.cpp does, with h5py as it is fastest: a buffer of 100 rows, then resize, write and flush; fsync last.
And what logged.py does."""

import os
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from logged import SERIES, Tracker, values_at, variants
from side import serve

ROWS = 100


class H5py(Tracker):
    def __init__(self, folder):
        self.path = folder / "log.h5"
        self.file = h5py.File(self.path, "w", libver="latest")
        self.data = self.file.create_dataset(
            "log", (0, SERIES), "f8", maxshape=(None, SERIES), chunks=(1024, SERIES)
        )
        self.buffer, self.used, self.written = np.empty((ROWS, SERIES)), 0, 0

    def row(self, step, values):
        self.buffer[self.used] = values
        self.used += 1
        if self.used == ROWS:
            self.write()

    def write(self):
        self.data.resize(self.written + self.used, axis=0)
        self.data[self.written :] = self.buffer[: self.used]
        self.file.flush()
        self.written, self.used = self.written + self.used, 0

    def close(self):
        if self.used:
            self.write()
        with open(self.path, "rb") as whole:
            os.fsync(whole.fileno())

    @staticmethod
    def left(folder):
        try:
            file = h5py.File(folder / "log.h5")
        except OSError:  # marked as open to write: whoever knows of h5clear can clear that
            return 0, []
        with file:
            return file["log"].size, list(map(float, file["log"][-1]))


def throughput(steps):
    with tempfile.TemporaryDirectory() as folder:
        log = H5py(Path(folder))
        start = time.perf_counter()
        for step in range(1, steps + 1):
            log.row(step, values_at(step))
        log.close()
        seconds = time.perf_counter() - start
        log.file.close()
        points, last = H5py.left(Path(folder))
    equal = points == steps * SERIES and last == values_at(steps)
    return {"seconds": seconds / (steps * SERIES), "equal": equal}


if __name__ == "__main__":
    serve({"throughput": throughput, **variants(H5py)})
