# SPDX-License-Identifier: Apache-2.0
"""Writes plugins that are nothing but their manifest: an ELF file whose one section is `.paribus` (docs/manifest.md)."""

import json
import re
import struct
from pathlib import Path


def elf(section):
    names = b"\0.paribus\0.shstrtab\0"
    start = 64
    after = start + len(section)
    table = (after + len(names) + 7) & ~7
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 1, 1, 2, 0, start, len(section), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 10, 3, 0, 0, after, len(names), 0, 0, 1, 0)
    return (header + section + names).ljust(table, b"\0") + sections


def field(name, kind, default, **more):
    return {"name": name, "type": kind, "default": default, "doc": name, **more}


def write_plugin(folder, kind, name, abi, params=(), **more):
    manifest = {
        "paribus": 1,
        "kind": kind,
        "name": name,
        "doc": f"the {name}",
        "symbol": f"paribus_part_{name}",
        "abi": abi,
        "libtorch": "2.13.0",
        "compiler": "gcc 12.2.0",
        "cpu": "x86-64",
        **more,
        "params": list(params),
    }
    Path(folder, f"{kind}_{name}.so").write_bytes(elf(json.dumps(manifest).encode() + b"\n"))


def abi_of(header):
    return re.search(r'PARIBUS_ABI "([0-9a-f]+)"', Path(header).read_text()).group(1)
