# SPDX-License-Identifier: Apache-2.0
"""The rules of the house as functions from text to complaints, so that each can be tested on bad text."""

import re

from tree import ROOT, includes

MAX_LINES = 400

# Files that may be longer, with the reason.
LONGER: dict[str, str] = {
    "plugins/dataset/box_folder.cpp": "a part is one file: the data set, and the reader of its annotations",
    "tests/experiments/journal_test.cpp": "damage, resumes, kills and repair share one fixture",
}

# What must not be included, by folder; the arrows of the design point only downwards.
OUTSIDE_LIBRARIES = ("toml++/", "hdf5", "H5", "boost/", "curl/", "nlohmann/", "CLI/", "CLI11")
TORCH = ("torch/", "ATen/", "c10/", "caffe2/")
FORBIDDEN = {
    "kernel/": (*OUTSIDE_LIBRARIES, "registry/", "experiments/", "tools/", "plugins/"),
    "registry/": ("experiments/", "tools/", "plugins/", "toml++/", "hdf5", "H5", "curl/", "CLI/"),
    "experiments/": ("tools/", "plugins/", "CLI/", *TORCH),
    "tools/paribus/": ("plugins/", *TORCH),
}

# What a plugin may include beside standard headers, which have neither folder nor suffix.
PLUGIN_FOLDERS = ("paribus/", "ATen/", "torch/nn", "torch/csrc/api/include/torch/nn", "c10/")
PLUGIN_CODECS = {
    "zlib.h",
    "png.h",
    "jpeglib.h",
    "pugixml.hpp",
    "setjmp.h",
    "torch/types.h",
    "nlohmann/json.hpp",
}
# For a part whose work is done by another program.
PLUGIN_PROCESSES = {
    *("dlfcn.h", "poll.h", "signal.h", "unistd.h"),
    *("sys/prctl.h", "sys/socket.h", "sys/wait.h"),
}

# For a network of torch.jit, and the switches of its interpreter.
PLUGIN_SCRIPTS = {
    "torch/script.h",
    "torch/csrc/jit/python/update_graph_executor_opt.h",
    "torch/csrc/jit/runtime/graph_executor.h",
}


def check_arrows(name: str, text: str) -> list[str]:
    problems = []
    for folder, forbidden in FORBIDDEN.items():
        if name.startswith(folder):
            problems += [
                f"{name}:{line}: {folder} must not include {header}"
                for line, header in includes(text)
                if header.startswith(forbidden)
            ]
    return problems


def check_plugin_includes(name: str, text: str) -> list[str]:
    def allowed(header: str) -> bool:
        beside = "/" not in header and (ROOT / name).with_name(header).is_file()
        standard = re.fullmatch(r"[a-z_0-9]+", header) is not None
        named = header in PLUGIN_CODECS | PLUGIN_PROCESSES | PLUGIN_SCRIPTS
        return beside or standard or named or header.startswith(PLUGIN_FOLDERS)

    return [
        f"{name}:{line}: a plugin must not include {header}"
        for line, header in includes(text)
        if not allowed(header)
    ]


def check_light(name: str, text: str) -> list[str]:
    """torch/torch.h takes 19 s to parse."""
    return [
        f"{name}:{line}: include the single headers that are needed, not {header}"
        for line, header in includes(text)
        if header in ("torch/torch.h", "torch/extension.h", "torch/all.h", "ATen/ATen.h")
    ]


def check_licence(name: str, text: str) -> list[str]:
    lines = text.splitlines()
    first = (
        lines[1] if lines and lines[0].startswith("#!") and len(lines) > 1 else "".join(lines[:1])
    )
    if re.fullmatch(r"(//|#|<!--|/\*) SPDX-License-Identifier: Apache-2\.0( -->| \*/)?", first):
        return []
    return [f"{name}:1: the first line must be `SPDX-License-Identifier: Apache-2.0` in a comment"]


def check_length(name: str, text: str) -> list[str]:
    count = text.count("\n")
    if count <= MAX_LINES or name in LONGER:
        return []
    return [
        f"{name}: {count} lines, at most {MAX_LINES}; split it, or name it in LONGER with a reason"
    ]


def check_plugin_name(name: str, text: str) -> list[str]:
    """plugins/optimizer/sgd.cpp offers the part `sgd` of the kind `optimizer`, and nothing else."""
    parts = re.findall(r'^PARIBUS_PART\(\s*(\w+)\s*,\s*"([^"]*)"', text, re.MULTILINE)
    stem = name.rsplit("/", 1)[-1].removesuffix(".cpp")
    if [part for _, part in parts] == [stem]:
        return []
    offered = ", ".join(part for _, part in parts) or "none"
    return [f"{name}: a plugin's file bears the name of its one part, got {offered}"]
