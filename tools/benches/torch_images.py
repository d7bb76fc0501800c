# SPDX-License-Identifier: Apache-2.0
"""What images.cpp does, as one writes it: a Dataset that crops, mirrors and normalizes each item with NumPy (twice as
fast as with tensor operations), and a DataLoader. `torch_images.py ITEMS`."""

import sys
import time

import numpy as np
import torch
from side import serve
from torch.utils.data import DataLoader, Dataset

MEAN, STD = np.float32(72.94), np.float32(90.02)


class Pictures(Dataset):
    def __init__(self, items):
        self.draws = np.random.default_rng(0)
        self.images = self.draws.integers(0, 256, (items, 28, 28), dtype=np.uint8)
        self.classes = torch.randint(0, 10, (items,))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, item):
        padded = np.zeros((32, 32), np.float32)
        padded[2:30, 2:30] = (self.images[item] - MEAN) / STD
        top, left = self.draws.integers(0, 5), self.draws.integers(0, 5)
        image = padded[top : top + 28, left : left + 28]
        if self.draws.random() < 0.5:
            image = image[:, ::-1]
        return torch.from_numpy(np.ascontiguousarray(image))[None], self.classes[item]


def variant(data, workers):
    def run(count):
        seen = 0
        start = time.perf_counter()
        for _ in range(count):
            for images, _ in DataLoader(data, 128, shuffle=True, num_workers=workers):
                seen += len(images)
        return {"seconds": (time.perf_counter() - start) / seen, "items": seen}

    return run


if __name__ == "__main__":
    torch.set_num_threads(1)
    data = Pictures(int(sys.argv[1]))
    serve(
        {
            "in_line": variant(data, 0),
            "one_worker": variant(data, 1),
            "two_workers": variant(data, 2),
        }
    )
