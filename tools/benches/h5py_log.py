# SPDX-License-Identifier: Apache-2.0
"""What journal.cpp does, with h5py as it is fastest: a buffer of 100 rows, then resize, write and flush; fsync last."""

import os
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from side import serve

SERIES, ROWS = 10, 100


def throughput(steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.h5"
        with h5py.File(path, "w", libver="latest") as file:
            data = file.create_dataset(
                "log", (0, SERIES), "f8", maxshape=(None, SERIES), chunks=(1024, SERIES)
            )
            buffer, used, written = np.empty((ROWS, SERIES)), 0, 0
            start = time.perf_counter()
            for step in range(1, steps + 1):
                buffer[used] = [(step * SERIES + i) * 0.1 for i in range(SERIES)]
                used += 1
                if used == ROWS or step == steps:
                    data.resize(written + used, axis=0)
                    data[written:] = buffer[:used]
                    file.flush()
                    written, used = written + used, 0
            with open(path, "rb") as whole:
                os.fsync(whole.fileno())
            seconds = time.perf_counter() - start
        with h5py.File(path) as file:
            equal = bool(
                file["log"].shape == (steps, SERIES)
                and file["log"][-1, -1] == (steps * SERIES + 9) * 0.1
            )
    return {"seconds": seconds / (steps * SERIES), "equal": equal}


if __name__ == "__main__":
    serve({"throughput": throughput})
