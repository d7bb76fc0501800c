# SPDX-License-Identifier: Apache-2.0
import json

import torch


def weights_in(file):
    """Tensors of a safetensors file, by name."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    held = {}
    for name, about in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + at for at in about["data_offsets"])
        kind = {"F32": torch.float32, "I64": torch.int64}[about["dtype"]]
        held[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kind).reshape(
            about["shape"]
        )
    return held
