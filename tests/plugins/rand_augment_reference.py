# SPDX-License-Identifier: Apache-2.0
"""Writes rand_augment_golden.json: the operations of RandAugment in NumPy, by torchvision's formulas in floats.

    .venv/bin/python tests/plugins/rand_augment_reference.py            write it
    .venv/bin/python tests/plugins/rand_augment_reference.py --check    compare; exit status 1 if it differs

Places turn and lean about the image's middle and take the nearest of the edge pixels' colours outside it.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("rand_augment_golden.json")
HEIGHT, WIDTH = 16, 20
MAGNITUDES = (9, 30)


def image():
    """Three channels; the first does not reach 0 and 255, the second repeats a few values."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.int64)
    red = 40 + (7 * x + 3 * y) % 150
    green = 60 * ((x // 5 + y // 4) % 4)
    blue = (x * x + 5 * x * y + 11 * y * y) % 256
    return np.stack([red, green, blue]).astype(np.float64)


def grey(pixels):
    return 0.2989 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]


def blended(pixels, other, ratio):
    return np.clip(ratio * pixels + (1 - ratio) * other, 0, 255)


def smoothed(pixels):
    """By (1 1 1; 1 5 1; 1 1 1) / 13; the edge as it is."""
    result = pixels.copy()
    middle = 4 * pixels[:, 1:-1, 1:-1]
    for dy in range(3):
        for dx in range(3):
            middle = middle + pixels[:, dy : dy + HEIGHT - 2, dx : dx + WIDTH - 2]
    result[:, 1:-1, 1:-1] = middle / 13
    return result


def equalized(plane):
    counts = np.bincount(plane.astype(np.int64).ravel(), minlength=256)
    step = counts[counts > 0][:-1].sum() // 255
    if step == 0:
        return plane
    table = (np.cumsum(counts) + step // 2) // step
    table = np.clip(np.concatenate([[0], table[:-1]]), 0, 255)
    return table[plane.astype(np.int64)]


def stretched(plane):
    least, most = plane.min(), plane.max()
    return plane if least == most else (plane - least) * 255 / (most - least)


def placed(pixels, matrix, across=0, down=0):
    """Pixel (u, v) from the middle comes from matrix (u, v) - (across, down), between four pixels."""
    middle_y, middle_x = (HEIGHT - 1) / 2, (WIDTH - 1) / 2
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    u, v = u - middle_x, v - middle_y
    x = np.clip(matrix[0][0] * u + matrix[0][1] * v - across + middle_x, 0, WIDTH - 1)
    y = np.clip(matrix[1][0] * u + matrix[1][1] * v - down + middle_y, 0, HEIGHT - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, WIDTH - 1), np.minimum(top + 1, HEIGHT - 1)
    a, b = x - left, y - top
    upper = pixels[:, top, left] * (1 - a) + pixels[:, top, right] * a
    lower = pixels[:, bottom, left] * (1 - a) + pixels[:, bottom, right] * a
    return upper * (1 - b) + lower * b


ONE = ((1, 0), (0, 1))


def turned(pixels, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return placed(pixels, ((c, -s), (s, c)))


# By strength, 0 to 1 and of both signs: torchvision's ranges for magnitudes 0 to 30.
SIGNED = {
    "shear_x": lambda p, m: placed(p, ((1, -0.3 * m), (0, 1))),
    "shear_y": lambda p, m: placed(p, ((1, 0), (-0.3 * m, 1))),
    "translate_x": lambda p, m: placed(p, ONE, across=int(150 / 331 * WIDTH * m)),
    "translate_y": lambda p, m: placed(p, ONE, down=int(150 / 331 * HEIGHT * m)),
    "rotate": lambda p, m: turned(p, 30 * m),
    "brightness": lambda p, m: blended(p, 0 * p, 1 + 0.9 * m),
    "saturation": lambda p, m: blended(p, grey(p), 1 + 0.9 * m),
    "contrast": lambda p, m: blended(p, grey(p).mean(), 1 + 0.9 * m),
    "sharpness": lambda p, m: blended(p, smoothed(p), 1 + 0.9 * m),
}
PLAIN = {
    "identity": lambda p, m: p,
    "posterize": lambda p, m: p.astype(np.int64) & -(2 ** round(m * 30 / (30 / 4))),
    "solarize": lambda p, m: np.where(p >= 255 - 255 * m, 255 - p, p),
    "auto_contrast": lambda p, m: np.stack([stretched(plane) for plane in p]),
    "equalize": lambda p, m: np.stack([equalized(plane) for plane in p]),
}


def made():
    pixels = image()
    cases = []
    for name, change in (SIGNED | PLAIN).items():
        for magnitude in MAGNITUDES:
            signs = (1, -1) if name in SIGNED else (1,)
            results = [change(pixels, sign * magnitude / 30) for sign in signs]
            rounded = [[round(float(x)) for x in result.ravel()] for result in results]
            cases.append({"only": name, "magnitude": magnitude, "results": rounded})
    size = {"height": HEIGHT, "width": WIDTH, "image": [int(x) for x in pixels.ravel()]}
    return size | {"cases": cases}


def main():
    text = json.dumps(made(), separators=(",", ":")).replace('{"only"', '\n{"only"') + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(text)
        return 0
    same = FILE.exists() and FILE.read_text() == text
    if not same:
        print(f"{FILE.name} differs from NumPy {np.__version__}", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
