# SPDX-License-Identifier: Apache-2.0
"""Writes corpus/: for each target a few small good inputs, from which the search begins."""

import gzip
import io
import json
import struct
import sys
import tarfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from manifests import elf  # noqa: E402

CORPUS = HERE / "corpus"


def crc32c(data: bytes) -> int:
    sum_ = 0xFFFFFFFF
    for byte in data:
        sum_ ^= byte
        for _ in range(8):
            sum_ = (sum_ >> 1) ^ (0x82F63B78 if sum_ & 1 else 0)
    return sum_ ^ 0xFFFFFFFF


def record(kind: int, payload: bytes) -> bytes:
    whole = struct.pack("<IB", len(payload), kind) + payload
    return whole + struct.pack("<I", crc32c(whole))


def event(**what) -> bytes:
    return record(1, json.dumps(what).encode())


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def journals() -> dict[str, bytes]:
    magic = b"paribus\x01"
    series = record(2, struct.pack("<H", 10) + b"train.lossnat")
    points = b"".join(
        varint(1) + varint(2) + struct.pack("<f", 0.5 / step) for step in range(1, 9)
    ) + b"".join(varint(0) + varint(2) + struct.pack("<d", 0.1 * step) for step in range(3))
    trial = magic + event(event="start", id="a1", seed=3) + series + record(3, points)
    chain = record(4, struct.pack("<qIII", 1, 7, 8, 9))
    tensors = record(5, struct.pack("<H", 1) + b"w" + struct.pack("<H", 1) + b"b")
    full = record(6, struct.pack("<qII", 3, 11, 12))
    name = struct.pack("<H", 1) + b"w" + struct.pack("<q", 2)
    shown = record(7, name + struct.pack("<4d3Q", -1, 2, 0.5, 1, 0, 3, 4)) + record(
        8, name + b"PNG"
    )
    end = event(event="end", status="done", final={"valid.loss": None}, steps=8)
    plan = event(event="plan", study={"name": "s"}, arms=["a"], variants=[], trials=[[0, 1, "a1"]])
    return {
        "empty": magic,
        "trial": trial + end,
        "resumed": trial + event(event="resume", step=3) + record(3, points) + end,
        "fingerprints": trial + chain + tensors + full + end,
        "shown": trial + shown + event(event="resume", step=1) + shown + end,
        "study": magic + plan + event(event="exit", trial="a1", code=0, signal=0),
        "torn": (trial + end)[:-5],
    }


def studies() -> dict[str, str]:
    base = 'model = "mlp"\ndata = "digits"\n'
    return {
        "shortest": base,
        "arms": base
        + '[study]\nquestion = "?"\nseeds = [1, 2]\nmetric = "valid.loss"\n'
        + '[optimizer]\nuse = "lookahead"\nk = 3\ninner = { use = "adam", lr = 0.1 }\n'
        + '[arms]\na = {}\nb = { optimizer = "@a", "callback.ema" = { use = "ema" } }\n',
        "sweep": base
        + '[schedule]\n"optimizer.lr" = { use = "one_cycle", max = 0.1 }\n[sweep]\n'
        + '"optimizer.momentum" = [0.1, 0.2]\n"optimizer.lr" = { log = [0.1, 1.0], n = 3 }\n'
        + '"data.items" = { range = [1, 9], step = 4 }\n[sweep.zip]\n"train.epochs" = [1, 2]\n',
        "ablate": base
        + '[study]\nseeds = "until decided"\nmargin = 0.1\n[[callback]]\nuse = "ema"\n'
        + '[data]\nuse = "digits"\ntransforms = ["crop", { use = "flip", p = 0.1 }]\n'
        + '[ablate]\nleave_one_out = ["callback.ema", "data.transforms.crop"]\n',
    }


def manifest(**more) -> bytes:
    """As `consteval` code writes it: docs/manifest.md."""
    rate = {
        "name": "lr",
        "doc": "the rate",
        "type": "float",
        "default": 0.1,
        "above": 0,
        "max": 9.5,
    }
    rate |= {"unit": "1", "live": True}
    widths = {"name": "widths", "doc": "of layers", "type": "list", "of": "int", "default": [8, 16]}
    mode = {"name": "mode", "doc": "how", "type": "string", "default": "a", "choices": ["a", "b"]}
    inner = {"name": "inner", "doc": "wrapped", "type": "part", "of": "optimizer", "default": "sgd"}
    cap = {"name": "cap", "doc": "at most", "type": "int", "optional": True, "default": None}
    part = {
        "paribus": 1,
        "kind": "optimizer",
        "name": "sample",
        "doc": "a sample",
        "symbol": "paribus_part_Sample",
        "abi": "0123456789abcdef",
        "libtorch": "2.13.0",
        "compiler": "gcc 12.2.0",
        "cpu": "x86-64",
        "params": [rate, widths, mode, inner, cap],
    }
    return json.dumps(part | more).encode()


def safetensors(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def idx(dims: list[int], data: bytes) -> bytes:
    head = bytes([0, 0, 8, len(dims)]) + struct.pack(f">{len(dims)}I", *dims)
    return head + data


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes((x + y) % 256 for x in range(96)) for y in range(32))
    head = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg() -> bytes:
    """Grey throughout: of each block, a difference of zero and an end, one bit each."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 255, marker, len(data) + 2) + data

    lengths = bytes([1] + 15 * [0])  # one code of one bit
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + bytes([1] * 64))
        + segment(0xC0, struct.pack(">BHHB", 8, 32, 32, 1) + bytes([1, 0x11, 0]))
        + segment(0xC4, b"\x00" + lengths + b"\0")
        + segment(0xC4, b"\x10" + lengths + b"\0")
        + segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
        + bytes(4)
        + b"\xff\xd9"
    )


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def corpora() -> dict[str, dict[str, bytes]]:
    tensors = {
        "__metadata__": {"step": "3"},
        "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "n": {"dtype": "I64", "shape": [], "data_offsets": [16, 24]},
    }
    item = bytes([3]) + bytes(range(256)) * 12
    batches = {"cifar/data_batch_1.bin": item, "cifar/test_batch.bin": item}
    splits = ("train", "test")
    return {
        "manifest": {
            "part": manifest(),
            "two": manifest()
            + b"\n\0\0"
            + manifest(kind="metric", name="m", goal="maximize", unit="1"),
            "callback": manifest(kind="callback", reads=["loss"], writes=["gradients"]),
        },
        "elf": {"part.so": elf(manifest()), "empty.so": elf(b"")},
        "journal": journals(),
        "study": {name: text.encode() for name, text in studies().items()},
        "safetensors": {
            "two": safetensors(tensors, bytes(24)),
            "none": safetensors({}, b""),
        },
        "signature": {name: text.encode() for name, text in signatures().items()},
        "idx": {
            "images": b"\0" + idx([2, 3, 4], bytes(range(24))),
            "labels": b"\1" + idx([3], bytes([1, 2, 3])),
            "packed": b"\1" + packed(idx([3], bytes([1, 2, 3]))),
        },
        "cifar": {
            "batches.tar.gz": packed(tar(batches)),
            "jpeg.tar": tar({f"{split}/cat/1.jpg": jpeg() for split in splits}),
            "png.tar": tar({f"{split}/cat/1.png": png() for split in splits}),
        },
    }


def signatures() -> dict[str, str]:
    """Of "hello" and a line's end, by minisign itself; a key that signs nothing else."""
    begin = "untrusted comment: signature from minisign secret key\nRWQpjZ2qLOpif"
    middle = "\ntrusted comment: made\n"
    return {
        "prehashed": f"{begin.replace('RWQ', 'RUQ')}K8dG1HQJ7jVboXOEtRl2ov9HcFav9NxbZcrBidG6UXgnSkGZPKg8vR2"
        f"T1pE/Tj/POKgYFQSLx3aCcuB/sdq3QM={middle}"
        "XW/aQsFWW8VP/yr9renlkMTwXExz5KcaExR5utY/DNGSVA8ekkU2JPse48Dvy/pVSmhpmHzGI7Vz6N/e46zrDw==\n",
        "legacy": f"{begin}Bc/T0KTzRShX4BHXNWSZNh5jZmbhFvwKzvlU85OVXl82WMRbjgwcJ5Ldre/IdsCb3/LBLnx9Z7gm+qs"
        f"754xSg8={middle}"
        "yg56Gv3uuulRtelEn0wTghQbkPNVSIngU+QPQTbNcBiXWiJRYDo2OGRHeo4uC9lEB5ZccXzeYNor9oxXbwlmAg==\n",
        "nothing": "untrusted comment: x\n\ntrusted comment: y\n\n",
        "key": "RWQpjZ2qLOpifNjhYHRl7Tb1HqU6EIlGWpPNWpmoRj7BXmvfvZ6D/DBm\n",
    }


if __name__ == "__main__":
    for target, files in corpora().items():
        for name, data in files.items():
            path = CORPUS / target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
