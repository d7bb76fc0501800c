# SPDX-License-Identifier: Apache-2.0
"""What may happen to the files of a stopped study, and a small disk to run out of."""

import contextlib
import ctypes
import os
import random
import subprocess
from pathlib import Path

NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # of unshare(2)


def cut_journals(directory: Path, draw: random.Random) -> list[str]:
    """Tails of one to three journals are gone, as after loss of power; half of the cuts fall near the end."""
    journals = sorted((directory / "journal").glob("*.log"))
    said = []
    for journal in draw.sample(journals, min(len(journals), draw.randint(1, 3))):
        size = journal.stat().st_size
        most = min(size, 300) if draw.random() < 0.5 else size
        kept = size - draw.randint(0, most)
        os.truncate(journal, kept)
        said.append(f"{journal.name} cut from {size} to {kept} bytes")
    return said


def is_temporary(file: Path) -> bool:
    name = file.name
    return name.endswith((".part", ".partial", ".tmp")) or name.startswith(".")


def drop_temporaries(directory: Path, draw: random.Random) -> list[str]:
    said = []
    for file in sorted(directory.rglob("*")):
        if file.is_file() and is_temporary(file) and draw.random() < 0.5:
            file.unlink()
            said.append(f"{file.name} removed")
    return said


def half_write(directory: Path, draw: random.Random) -> list[str]:
    """What a program leaves that is killed while it writes; of trials only those that have not ended."""
    trials = (directory / "checkpoints").iterdir()
    begun = sorted(trial for trial in trials if not (trial / "final.safetensors").exists())
    names = [
        directory / "study.toml.part",
        directory / "paribus.lock.part",
        directory / f".results.h5.{draw.randint(100, 99999)}",
    ]
    if begun:
        names += [
            draw.choice(begun) / f"step-{draw.randint(1, 99)}.safetensors.partial",
            draw.choice(begun) / "final.safetensors.partial",
        ]
    files = draw.sample(names, draw.randint(1, 2))
    for file in files:
        file.write_bytes(draw.randbytes(draw.randint(0, 5000)))
    return [f"{file.name} half written" for file in files]


def own_mounts() -> bool:
    """Lets this process mount what no other sees and what ends with it; whether that is allowed here."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_MOUNTS) != 0:
        if libc.unshare(NEW_MOUNTS | NEW_USER) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0


class SmallDisk:
    """A folder that is a disk of its own, if that is allowed."""

    def __init__(self, folder: Path, mebibytes: int):
        folder.mkdir()
        self.filler = folder / "filler"
        words = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "chaos", str(folder)]
        self.is_small = own_mounts() and subprocess.run(words, capture_output=True).returncode == 0

    def fill(self, left: int):
        """All but some bytes."""
        assert self.is_small, "a disk that others use, too, is not to be filled"
        free = os.statvfs(self.filler.parent)
        wanted = free.f_bavail * free.f_frsize - left
        with open(self.filler, "wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(1, wanted))

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def remove(self):
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.filler.parent)], capture_output=True)
