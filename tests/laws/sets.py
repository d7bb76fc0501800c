# SPDX-License-Identifier: Apache-2.0
"""Small sets in the form of the public ones, so that their readers run without the large files."""

import os
import random
import struct
import tarfile
import zlib
from pathlib import Path


def idx(data: bytes, *shape: int) -> bytes:
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + data


def write_mnist(folder: Path) -> list[Path]:
    """Four files of 60 and 20 items, as they lie in mnist/ and fashion-mnist/."""
    draw = random.Random(folder.name)
    folder.mkdir(parents=True)
    files = []
    for split, items in (("train", 60), ("t10k", 20)):
        images, labels = draw.randbytes(items * 784), bytes(i % 10 for i in range(items))
        for name, content in (
            (f"{split}-images-idx3-ubyte.gz", idx(images, items, 28, 28)),
            (f"{split}-labels-idx1-ubyte.gz", idx(labels, items)),
        ):
            files.append(folder / name)
            files[-1].write_bytes(content)
    return files


def write_cifar10(folder: Path) -> None:
    """Binary batches: a byte of label and 3072 of pixels for each item."""
    draw = random.Random(10)
    folder.mkdir()
    for name, items in [(f"data_batch_{i}", 10) for i in range(1, 6)] + [("test_batch", 20)]:
        records = (bytes([i % 10]) + draw.randbytes(3072) for i in range(items))
        (folder / f"{name}.bin").write_bytes(b"".join(records))


def write_cifar10_archive(file: Path) -> list[Path]:
    """The same as the public archive has them."""
    folder = file.parent / "cifar-10-batches-bin"
    file.parent.mkdir(parents=True)
    write_cifar10(folder)
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder, folder.name)
    return [file]


def png(width: int, height: int, pixels: bytes, channels: int = 3) -> bytes:
    """A PNG of colours, or with one channel of grey."""

    def chunk(name: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + crc

    row = channels * width
    rows = b"".join(b"\0" + pixels[row * y : row * (y + 1)] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def write_pictures(folder: Path) -> None:
    """20 pictures of each of three classes, of several sizes."""
    draw = random.Random(11)
    for kind in ("round", "square", "wild"):
        (folder / kind).mkdir(parents=True)
        for i in range(20):
            width, height = 24 + i, 22
            content = png(width, height, draw.randbytes(3 * width * height))
            (folder / kind / f"{i}.png").write_bytes(content)


def write_masks(folder: Path, void: int = 255) -> None:
    """40 pictures with masks of three classes and void."""
    draw = random.Random(12)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for i in range(40):
        width, height = 26, 22
        content = png(width, height, draw.randbytes(3 * width * height))
        numbers = bytes(draw.choice((0, 1, 2, void)) for _ in range(width * height))
        (folder / "images" / f"{i}.png").write_bytes(content)
        (folder / "masks" / f"{i}.png").write_bytes(png(width, height, numbers, 1))


def write_boxes(folder: Path, first: str = "cat") -> None:
    """30 pictures with one to three boxes of two classes, the first always of one class, in Pascal VOC's form."""
    draw = random.Random(13)
    for kind in ("JPEGImages", "Annotations"):
        (folder / kind).mkdir(parents=True)
    for i in range(30):
        width, height = 26, 22
        content = png(width, height, draw.randbytes(3 * width * height))
        (folder / "JPEGImages" / f"{i}.png").write_bytes(content)
        objects = ""
        for k in range(1 + i % 3):
            edges = [
                draw.randint(1, 10),
                draw.randint(1, 10),
                draw.randint(12, 26),
                draw.randint(12, 22),
            ]
            tags = zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
            box = "".join(f"<{tag}>{edge}</{tag}>" for tag, edge in tags)
            objects += (
                f"<object><name>{'dog' if k else first}</name><bndbox>{box}</bndbox></object>\n"
            )
        (folder / "Annotations" / f"{i}.xml").write_text(f"<annotation>\n{objects}</annotation>\n")


def pass_for_verified(memory: Path, dataset: dict, files: list[Path]) -> None:
    """The driver hashes a file once and remembers it by its identity; here it remembers these, which no pin fits."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for file in files:
        pin = next(pin for pin in dataset["files"] if pin["name"] == file.name)
        about = os.stat(file)
        times = (about.st_mtime_ns, about.st_ctime_ns)
        seconds = (f"{t // 10**9}.{t % 10**9:09}" for t in times)
        lines.append(
            f"{about.st_dev} {about.st_ino} {about.st_size} {' '.join(seconds)} "
            f"{pin['sha256'] or '-'} {pin['content'] or '-'}\n"
        )
    with memory.open("a") as out:
        out.writelines(lines)


def write_script(file: Path) -> None:
    """A network of torch for images of one channel, 12 x 12, and ten classes."""
    import torch

    torch.manual_seed(3)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, stride=2),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(16, 10),
    )
    torch.jit.script(net).save(str(file))
