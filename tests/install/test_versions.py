# SPDX-License-Identifier: Apache-2.0
"""What docs/versions.md promises of the last release: parts of every kind, built with its headers from its sources."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from build_folder import BUILD, ROOT, torch_dir

KIND_NAME = "old_{}"


class Release:
    def __init__(self, folder: Path):
        with tarfile.open(Path(__file__).with_name("release.tar.xz")) as kept:
            kept.extractall(folder, filter="data")
        (self.root,) = folder.glob("v*")
        self.include = self.root / "kernel" / "include"
        self.templates = self.root / "tools" / "templates"
        self.kinds = sorted(
            file.parent.name for file in self.templates.glob("*/my_part.cpp")
        )  # all but the folder of what they share
        self.abi = abi_of(self.include)
        text = (ROOT / "kernel" / "abi.h.in").read_text().replace("@PARIBUS_ABI_HASH@", self.abi)
        (self.include / "paribus" / "abi.h").write_text(text)


def abi_of(include: Path) -> str:
    words = ["cmake", f"-DINCLUDE={include}", "-P", ROOT / "kernel" / "abi.cmake"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def write_project(release: Release, folder: Path):
    """One project of all kinds."""
    folder.mkdir()
    lists = "cmake_minimum_required(VERSION 3.25)\nproject(old LANGUAGES CXX)\n"
    lists += "find_package(Paribus 0.1 REQUIRED)\n"
    for kind in release.kinds:
        name = KIND_NAME.format(kind)
        text = (release.templates / kind / "my_part.cpp").read_text()
        (folder / f"{name}.cpp").write_text(text.replace("my_part", name))
        lists += f"paribus_add_plugin({kind} {name})\n"
    (folder / "CMakeLists.txt").write_text(lists)


def run(*words, **environment):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PARIBUS_")}
    words = [str(word) for word in words]
    return subprocess.run(words, capture_output=True, text=True, env=kept | environment)


def build(project: Path, prefix: Path, flags: str):
    options = ["-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_FLAGS={flags}"]
    options += ["-DCMAKE_BUILD_TYPE=Release"]
    environment = {"PARIBUS_TORCH_DIR": torch_dir()}
    done = run("cmake", "-S", project, "-B", project / "build", *options, **environment)
    assert done.returncode == 0, done.stderr
    done = run("cmake", "--build", project / "build")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("versions")
    prefix = folder / "prefix"
    install = ["cmake", "--install", str(BUILD), "--prefix", str(prefix)]
    subprocess.run(install, check=True, capture_output=True)
    release = Release(folder)
    write_project(release, folder / "binary")
    build(folder / "binary", prefix, f"-I{release.include}")
    return folder, prefix, release


def listed(folder, prefix, build):
    place = {"PARIBUS_PLUGINS": str(build), "XDG_CACHE_HOME": str(folder / "cache")}
    done = run(prefix / "bin" / "paribus", "plugins", "--json", **place)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def taken(folder, prefix, build, release):
    parts = {(part["kind"], part["name"]) for part in listed(folder, prefix, build)["parts"]}
    return [kind for kind in release.kinds if (kind, KIND_NAME.format(kind)) in parts]


def test_binaries_are_taken_while_the_headers_are_the_same_and_else_refused(machine):
    folder, prefix, release = machine
    built = folder / "binary" / "build"
    if release.abi == abi_of(ROOT / "kernel" / "include"):
        assert taken(folder, prefix, built, release) == release.kinds
        return
    refused = {
        Path(one["file"]).name: one["reason"] for one in listed(folder, prefix, built)["refused"]
    }
    for kind in release.kinds:
        assert (
            f"was built against kernel ABI {release.abi}"
            in refused[f"{kind}_{KIND_NAME.format(kind)}.so"]
        )


def test_sources_compile(machine):
    folder, prefix, release = machine
    if release.abi == abi_of(ROOT / "kernel" / "include"):
        project = folder / "binary"  # of the same sources, with the same headers
    else:
        project = folder / "source"
        write_project(release, project)
        build(project, prefix, "")
        assert taken(folder, prefix, project / "build", release) == release.kinds
    study = folder / "study.toml"
    study.write_text(
        f"""
        optimizer = "{KIND_NAME.format("optimizer")}"
        model = "mlp"
        callback = ["{KIND_NAME.format("callback")}"]
        metric = ["accuracy", "{KIND_NAME.format("metric")}"]
        study = {{ plugins = ["{project / "build"}"] }}
        data = {{ use = "glyphs", limit = 500, transforms = ["normalize"] }}
        train.epochs = 1
        """
    )
    done = run(prefix / "bin" / "paribus", "run", study, "--dir", folder / "run")
    assert done.returncode == 0, done.stderr
