# SPDX-License-Identifier: Apache-2.0
"""Keys and signatures by the real program."""

import subprocess
from pathlib import Path


class Signer:
    """Who has a key pair."""

    def __init__(self, folder: Path, name: str):
        self.secret, self.public = folder / f"{name}.key", folder / f"{name}.pub"
        self.minisign("-G", "-W", "-p", self.public, "-s", self.secret)
        self.text = self.public.read_text().splitlines()[1]
        self.id = self.public.read_text().splitlines()[0].split()[-1].zfill(16)

    def sign(self, file: Path, *words, comment="made with care") -> Path:
        self.minisign("-S", "-s", self.secret, "-m", file, "-t", comment, *words)
        return Path(f"{file}.minisig")

    @staticmethod
    def minisign(*words):
        subprocess.run(["minisign", *map(str, words)], check=True, capture_output=True, text=True)
