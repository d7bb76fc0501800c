# SPDX-License-Identifier: Apache-2.0
"""Writes search_golden.json: points of Sobol's sequence from scipy.stats.qmc.

.venv/bin/python tests/plugins/search_golden.py            write it
.venv/bin/python tests/plugins/search_golden.py --check    exit status 1 if this SciPy gives others
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import qmc

FILE = Path(__file__).with_name("search_golden.json")
DIMENSIONS, FIRST, LATER = 64, 40, [1023, 1024, 65535, 131_071]


def sobol():
    """The first points and some later ones, exactly: multiples of 2^-32."""
    points = qmc.Sobol(DIMENSIONS, scramble=False, bits=32).random(2**17) * 2**32
    numbers = [*range(FIRST), *LATER]
    return [{"number": n, "digits": points[n].astype(np.int64).tolist()} for n in numbers]


def discrepancy():
    """Centred discrepancy of points that any program can make."""
    count, dimensions = 50, 3
    points = [[(i * (2 * d + 3) % 53 + 0.25) / 53 for d in range(dimensions)] for i in range(count)]
    return {"points": points, "centred": float(qmc.discrepancy(points, method="CD"))}


def main():
    golden = {"sobol": sobol(), "discrepancy": discrepancy()}
    text = json.dumps(golden, separators=(",", ":")).replace('{"number"', '\n{"number"') + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(text)
        return 0
    if FILE.read_text() == text:
        return 0
    print(f"{FILE.name} differs from SciPy {scipy.__version__}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
