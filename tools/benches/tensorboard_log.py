# SPDX-License-Identifier: Apache-2.0
"""TensorBoard's SummaryWriter, the one in torch.utils: a call for each scalar, which it keeps as a float32."""

import struct

import numpy as np
from logged import NAMES, Tracker, variants
from side import serve
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter


def events(data):
    """Of an event file, as far as it is whole: size, its crc, the event, its crc."""
    at = 0
    while at + 12 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        if at + 16 + size > len(data):
            return
        yield Event.FromString(data[at + 12 : at + 12 + size])
        at += 16 + size


class TensorBoard(Tracker):
    def __init__(self, folder):
        self.writer = SummaryWriter(folder)

    def point(self, i, step, value):
        self.writer.add_scalar(NAMES[i], value, step)

    def close(self):
        self.writer.close()

    @staticmethod
    def kept(value):
        return float(np.float32(value))

    @staticmethod
    def left(folder):
        points, last = 0, {}
        for path in folder.rglob("events.out.tfevents.*"):
            for event in events(path.read_bytes()):
                for value in event.summary.value:
                    points += 1
                    last[value.tag] = value.simple_value
        return points, [last.get(name) for name in NAMES]


if __name__ == "__main__":
    serve(variants(TensorBoard))
