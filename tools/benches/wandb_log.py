# SPDX-License-Identifier: Apache-2.0
"""wandb, offline, as its manual has it: a call of `log` for each step. Its helper process writes the file."""

import struct

import wandb
from logged import NAMES, Tracker, variants
from side import serve
from wandb.proto import wandb_internal_pb2

BLOCK, HEADER = 32768, struct.Struct("<IHB")  # the chunks of LevelDB's log: crc, size, type
WHOLE, FIRST, _, LAST = 1, 2, 3, 4


def records(data):
    """Of a .wandb file, as far as it is whole."""
    at, pieces = 7, []
    while True:
        if BLOCK - at % BLOCK < HEADER.size:
            at += BLOCK - at % BLOCK
        if at + HEADER.size > len(data):
            return
        _, size, kind = HEADER.unpack_from(data, at)
        at += HEADER.size
        if kind == 0 or at + size > len(data):
            return
        if kind in (WHOLE, FIRST):
            pieces = []
        pieces.append(data[at : at + size])
        at += size
        if kind in (WHOLE, LAST):
            yield b"".join(pieces)


class Wandb(Tracker):
    def __init__(self, folder):
        settings = wandb.Settings(console="off", silent=True)  # standard output is the bench's
        self.run = wandb.init(mode="offline", dir=folder, project="bench", settings=settings)

    def row(self, step, values):
        self.run.log(dict(zip(NAMES, values, strict=True)), step=step)

    def close(self):
        self.run.finish()

    @staticmethod
    def left(folder):
        points, last = 0, {}
        for path in folder.rglob("*.wandb"):
            for data in records(path.read_bytes()):
                record = wandb_internal_pb2.Record.FromString(data)
                for item in record.history.item:
                    key = item.key or item.nested_key[0]
                    if not key.startswith("_"):
                        points += 1
                        last[key] = item.value_json
        return points, [float(last.get(name, "nan")) for name in NAMES]


if __name__ == "__main__":
    serve(variants(Wandb))
