# SPDX-License-Identifier: Apache-2.0
"""Poisoned plugins: each gives one clear sentence that names the file, the reason and what to do; the driver lives on, and
where reading was enough nothing of the file ran."""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "laws"))
sys.path.insert(0, str(HERE.parent / "tools"))

from lab import Lab  # noqa: E402

BUILT = Path(os.environ["PARIBUS_POISON"])
GOOD = (BUILT / "good.so").read_bytes()
LOADED = (BUILT / "segv.so").read_bytes()  # what would show that it ran, if it did
SECTION = re.compile(rb'\{"paribus":1.*?\n', re.S)
LONGEST = 600  # characters of a sentence that people read

STUDY = """\
study = { plugins = ["poison"], metric = "valid.loss", threads = 1, seeds = 1, retries = 0 }
data = { use = "glyphs", items = 64, valid_items = 32, batch = 16, transforms = ["normalize"] }
model = { use = "mlp", hidden = [4] }
train = { epochs = 1 }
[arms]
fine = { optimizer = { use = "sgd" } }
sick = { optimizer = { use = "sick" } }
"""


def swapped(old: bytes, new: bytes) -> bytes:
    """In the manifest, whose length stays."""
    assert len(old) == len(new) and old in LOADED
    return LOADED.replace(old, new)


def with_section(text: bytes) -> bytes:
    """The whole library with another manifest: its section is moved to the end of the file."""
    file = bytearray(LOADED)
    header, entry = section_header(file)
    file[entry + 24 : entry + 40] = struct.pack("<QQ", len(file), len(text))
    return bytes(file) + text


def section_header(file: bytes) -> tuple[int, int]:
    """Where the table of sections is, and the entry of `.paribus` in it."""
    table = struct.unpack_from("<Q", file, 40)[0]
    count, names = struct.unpack_from("<HH", file, 60)
    texts = struct.unpack_from("<Q", file, table + 64 * names + 24)[0]
    for number in range(count):
        entry = table + 64 * number
        name = texts + struct.unpack_from("<I", file, entry)[0]
        if file[name : file.index(b"\0", name)] == b".paribus":
            return table, entry
    raise AssertionError("no section .paribus")


def manifest() -> dict:
    _, entry = section_header(LOADED)
    offset, size = struct.unpack_from("<QQ", LOADED, entry + 24)
    return json.loads(LOADED[offset : offset + size].strip(b"\0\n").split(b"\n")[0])


def changed(**keys) -> bytes:
    return with_section(json.dumps(manifest() | keys).encode() + b"\n")


def lying() -> bytes:
    file = bytearray(LOADED)
    _, entry = section_header(file)
    file[entry + 32 : entry + 40] = struct.pack("<Q", 1 << 40)
    return bytes(file)


def poked(at: int, value: bytes) -> bytes:
    return LOADED[:at] + value + LOADED[at + len(value) :]


def laughs() -> bytes:
    """A billion of them, if every list were followed."""
    one = {"name": "p", "doc": "d", "type": "list", "of": "int", "default": [0] * 2000}
    return changed(params=[one | {"name": f"p{i}"} for i in range(200)])


def deep() -> bytes:
    return with_section(b'{"paribus":1,"params":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n")


# What is read of it is wrong: nothing of it may run.
READ = {
    "wrong_abi": (lambda: changed(abi="0" * 16), "other kernel headers|ABI"),
    "wrong_libtorch": (lambda: changed(libtorch="2.12.0"), r"2\.12\.0"),
    "wrong_cpu": (lambda: changed(cpu="x86-64-v9"), "x86-64-v9"),
    "other_compiler": (lambda: changed(compiler="msvc 19"), "msvc"),
    "truncated": (lambda: LOADED[: len(LOADED) // 2], "cut short"),
    "cut_header": (lambda: LOADED[:20], "ends within the ELF header"),
    "empty": (lambda: b"", "is empty"),
    "not_elf": (lambda: b"#!/bin/sh\ntouch $POISON_MARK\n", "ELF|shared library"),
    "32_bit": (lambda: poked(4, b"\x01"), "32-bit|64-bit"),
    "big_endian": (lambda: poked(5, b"\x02"), "endian"),
    "other_machine": (lambda: poked(18, struct.pack("<H", 243)), "x86-64"),
    "executable": (lambda: poked(16, struct.pack("<H", 2)), "shared library"),
    "malformed": (lambda: with_section(b'{"paribus":1,"kind":"optimizer",\n'), "JSON"),
    "no_utf8": (lambda: with_section(b'{"paribus":1,"kind":"\xff\xfe"}\n'), "JSON"),
    "oversized": (lambda: with_section(b" " * (2 << 20)), "MiB|bytes"),
    "lies_about_length": (lying, "bytes"),
    "laughs": (laughs, "bytes"),
    "deep": (deep, "deep"),
    "no_section": (lambda: swapped(b".paribus\0", b".haribus\0"), "section|manifest"),
    "bad_default": (
        lambda: changed(params=[manifest()["params"][0] | {"default": "x"}]),
        "default",
    ),
    "unknown_kind": (lambda: changed(kind="spell"), "spell"),
}

# It can only be known by loading it, which is tried where it hurts nobody.
RUN = {
    "segv": "crashed while it was tried: Segmentation fault",
    "exit": "ended the process that tried it",
    "loop": "did not come to an end in",
    "throw": "crashed while it was tried: Aborted",
    "missing": "paribus_test_no_such_function",
}


class Poisoned:
    def __init__(self, folder: Path):
        self.lab = Lab(folder)
        self.mark = folder / "it-ran"
        self.lab.environment["POISON_MARK"] = str(self.mark)
        (folder / "poison").mkdir()
        self.study = self.lab.write("study.toml", STUDY)
        self.directory = folder / "run"

    def put(self, data: bytes, name: str = "sick.so") -> Path:
        file = self.lab.folder / "poison" / name
        file.write_bytes(data)
        return file

    def command(self, *words) -> subprocess.CompletedProcess:
        return self.lab.command(*words)

    def told(self, done, file: Path) -> str:
        """The one line about the file."""
        lines = [line for line in done.stderr.splitlines() if file.name in line]
        assert len(lines) == 1, done.stderr
        assert str(file) in lines[0] and len(lines[0]) < LONGEST, lines[0]
        assert "Traceback" not in done.stderr and "terminate called" not in done.stderr
        return lines[0]


@pytest.fixture
def poisoned(tmp_path):
    return Poisoned(tmp_path)


@pytest.mark.parametrize("name", READ)
def test_what_reading_finds_runs_nothing(poisoned, name):
    make, reason = READ[name]
    file = poisoned.put(make())
    for words in (
        ("check", poisoned.study),
        ("run", poisoned.study, "--dir", poisoned.directory),
    ):
        done = poisoned.command(*words)
        assert done.returncode == 2, done.stderr
        line = poisoned.told(done, file)
        assert re.search(reason, line), line
        assert re.search(r"; .*|expected|rebuild|use ", line), f"what to do? {line}"
    listed = poisoned.lab.command("plugins", PARIBUS_PLUGINS=str(file.parent))
    assert listed.returncode in (0, 2) and "  sgd  " in listed.stdout, listed.stderr
    assert not poisoned.mark.exists(), "it ran"
    assert not poisoned.directory.exists(), "something was written"


@pytest.mark.parametrize("name", RUN)
def test_what_loading_finds_hurts_nobody(poisoned, name):
    file = poisoned.put((BUILT / f"{name}.so").read_bytes())
    done = poisoned.command("check", poisoned.study)
    assert done.returncode == 2, done.stderr
    assert RUN[name] in poisoned.told(done, file)
    assert poisoned.mark.exists() == (name != "missing")
    done = poisoned.command("run", poisoned.study, "--dir", poisoned.directory)
    assert done.returncode == 2 and not poisoned.directory.exists(), done.stderr


def test_a_study_without_it_is_not_harmed(poisoned):
    """It lies there, and nobody asks for it."""
    poisoned.put((BUILT / "segv.so").read_bytes())
    without = STUDY[: STUDY.index("sick =")]
    done = poisoned.command("check", poisoned.lab.write("without.toml", without))
    assert done.returncode == 0, done.stderr
    assert not poisoned.mark.exists()


def test_two_parts_of_one_name(poisoned):
    one = poisoned.put(GOOD)
    other = poisoned.put(GOOD, "other.so")
    done = poisoned.command("check", poisoned.study)
    assert done.returncode == 2
    assert str(one) in done.stderr and str(other) in done.stderr, done.stderr
    assert "optimizer/sick" in done.stderr


def test_a_thread_started_as_it_is_loaded(poisoned):
    """Trials become fresh processes, and give what they give without the thread."""
    poisoned.put(GOOD)
    good = poisoned.lab.run(poisoned.study, "good").all()
    poisoned.put((BUILT / "thread.so").read_bytes())
    done = poisoned.command("run", poisoned.study, "--dir", poisoned.directory)
    assert done.returncode == 0, done.stderr
    threaded = poisoned.lab.results(poisoned.directory).all()
    weights = {place: row["weights_sha256"] for place, row in good.items()}
    assert weights == {place: row["weights_sha256"] for place, row in threaded.items()}


@pytest.mark.parametrize(
    "how, reason", [("stack_overflow", "its stack overflowed in"), ("write_after_free", "SIG")]
)
def test_what_goes_wrong_in_a_step_ends_one_trial(poisoned, how, reason):
    poisoned.put(GOOD)
    run = (
        "run",
        poisoned.study,
        "--dir",
        poisoned.directory,
        "-s",
        f"arms.sick.optimizer.how={how}",
    )
    done = poisoned.command(*run, "-s", "arms.sick.optimizer.at=3")
    assert done.returncode == 1, done.stderr
    rows = json.loads(poisoned.lab.answer("status", poisoned.directory, "--json"))["trials"]
    status = {row["arm"]: row for row in rows}
    assert status["fine"]["status"] == "done" and status["sick"]["status"] == "failed"
    assert reason in status["sick"]["message"]
    stack = Path(status["sick"]["stack"]).read_text()
    if how == "stack_overflow":
        assert "sick.cpp" in stack and "go_deeper" in stack
    else:  # the allocator may notice it first in another thread of the process
        assert "Sick::step" in stack or "malloc" in stack


@pytest.mark.parametrize("how", ["stack_overflow", "write_after_free"])
def test_what_goes_wrong_in_the_first_step_is_found_by_the_check(poisoned, how):
    file = poisoned.put(GOOD)
    done = poisoned.command("check", poisoned.study, "-s", f"arms.sick.optimizer.how={how}")
    assert done.returncode == 2, done.stderr
    assert "crashed while it was tried" in poisoned.told(done, file)
