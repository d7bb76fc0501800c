# SPDX-License-Identifier: Apache-2.0
"""Markdown as far as the tests need it: fenced blocks with the notes above them, links, names of files.

A note is an HTML comment on a line of its own above a block:
    <!-- file: NAME -->      the block is that file, for the commands below it
    <!-- status: 2 -->       what its last command, or checking it, must end with (else 0)
    <!-- same as: FILE -->   the block is that file of the tree, without its licence line
    <!-- not run: REASON --> it isn't run; tests/docs/test_examples.py lists all that have it
"""

import re
from dataclasses import dataclass, field

NOTE = re.compile(r"<!-- (file|status|same as|not run): (.+?) -->")
FENCE = re.compile(r"```(\S*)")


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    language: str
    text: str
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Command:
    text: str
    output: list[str]


def blocks(document: str, text: str) -> list[Block]:
    found, notes, inside, start = [], {}, None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if inside is not None:
            if line.rstrip() == "```":
                body = "".join(f"{one}\n" for one in inside[1])
                found.append(Block(document, start, inside[0], body, notes))
                inside, notes = None, {}
            else:
                inside[1].append(line)
        elif match := FENCE.match(line):
            inside, start = (match[1], []), number
        elif match := NOTE.fullmatch(line.strip()):
            notes[match[1]] = match[2]
        elif line.strip():
            notes = {}
    if inside is not None:
        raise ValueError(f"{document}:{start}: this block has no end")
    return found


def prose(text: str) -> str:
    """The text without its blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def commands(block: Block) -> list[Command]:
    """Lines behind `$ `, each with the output that is shown below it."""
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif found:
            found[-1].output.append(line)
        else:
            raise ValueError(f"{block.place}: output without a command: {line}")
    return found


def links(text: str) -> list[str]:
    """Targets of links that lead to files, without what stands behind #."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(text)))
    return [t.split("#")[0] for t in targets if not re.match(r"[a-z]+:|#", t)]


def _braces(name: str) -> list[str]:
    """a.{h,cpp} is a.h and a.cpp."""
    match = re.search(r"\{([^{}]*)\}", name)
    if match is None:
        return [name]
    head, tail = name[: match.start()], name[match.end() :]
    return [whole for one in match[1].split(",") for whole in _braces(head + one + tail)]


def named_files(text: str) -> list[str]:
    """What stands in backquotes and looks like a file of a tree of sources."""
    spans = re.findall(r"`([^`\n]+)`", prose(text))
    names = [name for span in spans for name in _braces(span)]
    return [n for n in names if re.fullmatch(r"[\w.][\w./-]*\.(cpp|h|md|py|sh|cmake|txt)", n)]


NUMBER = r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?"
DURATION = r"\d[\d.]* (?:ms|s|min \d+ s|h \d+ min)\b"
HASH = r"\b[0-9a-f]{12,}\b"


def like(line: str) -> re.Pattern:
    """Lines of this form: numbers, hashes and the width of columns may differ."""
    pattern = ""
    for index, part in enumerate(re.split(rf"({HASH}|{DURATION}|{NUMBER}|\s+)", line.strip())):
        if index % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += next(
                kind for kind in (HASH, DURATION, NUMBER, r"\s+") if re.fullmatch(kind, part)
            )
    return re.compile(pattern)


def missing_output(shown: list[str], real: str) -> list[str]:
    """Shown lines that the real output lacks, in this order; `...` stands for any lines."""
    lines = iter(real.splitlines())
    wanted = [line for line in shown if line.strip() not in ("", "...")]
    for index, line in enumerate(wanted):
        pattern = like(line)
        if not any(pattern.fullmatch(one.strip()) for one in lines):
            return wanted[index:]
    return []
