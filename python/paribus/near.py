# SPDX-License-Identifier: Apache-2.0
"""What a person may have meant."""

from __future__ import annotations

import difflib


def suggestion(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are {', '.join(known[:20])}" if known else ""
