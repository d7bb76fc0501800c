# SPDX-License-Identifier: Apache-2.0
"""The installed package serves a project of plugins outside the tree."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from build_folder import BUILD, torch_dir


def run(*command, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PARIBUS_")} | environment
    command = [str(word) for word in command]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    done = run("cmake", "--install", BUILD, "--prefix", prefix)
    assert done.returncode == 0, done.stderr
    return prefix


@pytest.fixture
def project(tmp_path):
    """Outside the tree, and with nothing of it."""
    return shutil.copytree(Path(__file__).parent / "plugin", tmp_path / "project")


def configure(project, prefix, **environment):
    build = project / "build"
    options = ["-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"]
    return run("cmake", "-S", project, "-B", build, *options, **environment)


def test_everything_is_installed(prefix):
    for name in (
        "bin/paribus",
        "bin/paribus-worker",
        "bin/paribus-system",
        "lib/libparibus.so",
        "lib/paribus/plugins/optimizer_sgd.so",
        "include/paribus/optimizer.h",
        "include/paribus/abi.h",
        "lib/cmake/Paribus/ParibusConfig.cmake",
        "lib/cmake/Paribus/ParibusConfigVersion.cmake",
    ):
        assert (prefix / name).is_file(), name


def test_installed_programs_find_their_libraries(prefix):
    for name in ("bin/paribus", "bin/paribus-worker", "bin/paribus-system", "lib/libparibus.so"):
        done = run("ldd", prefix / name, LD_LIBRARY_PATH="")
        assert done.returncode == 0, done.stderr
        assert "not found" not in done.stdout, f"{name}:\n{done.stdout}"
        assert str(BUILD) not in done.stdout, f"{name} uses the build folder:\n{done.stdout}"


def test_programs_are_free_of_torch_where_they_should_be(prefix):
    assert "libtorch" not in run("ldd", prefix / "bin/paribus").stdout


def test_plugins_outside_the_tree(prefix, project):
    done = configure(project, prefix, PARIBUS_TORCH_DIR=torch_dir())
    assert done.returncode == 0, done.stderr
    done = run("cmake", "--build", project / "build")
    assert done.returncode == 0, done.stdout + done.stderr

    paribus = prefix / "bin/paribus"
    environment = {"PARIBUS_PLUGINS": str(project / "build"), "XDG_CACHE_HOME": str(project)}
    listed = run(paribus, "plugins", **environment)
    assert listed.returncode == 0, listed.stderr
    assert "sign_sgd" in listed.stdout
    assert "affine" in listed.stdout
    shown = run(paribus, "plugins", "show", "optimizer/sign_sgd", **environment)
    assert shown.returncode == 0, shown.stderr
    assert str(project / "build" / "optimizer_sign_sgd.so") in shown.stdout
    unseen = run(paribus, "plugins", "show", "optimizer/sign_sgd", XDG_CACHE_HOME=str(project))
    assert unseen.returncode == 2
    assert "optimizer/sign_sgd" in unseen.stderr


def test_without_a_word_it_is_the_torch_that_it_was_built_with(prefix, project):
    done = configure(project, prefix)
    assert done.returncode == 0, done.stderr
    cache = (project / "build" / "CMakeCache.txt").read_text()
    assert f"PARIBUS_TORCH_DIR:PATH={torch_dir()}" in cache


def test_another_version_of_torch_is_refused(prefix, project, tmp_path):
    (tmp_path / "version.py").write_text("__version__ = '2.12.0'\n")
    done = configure(project, prefix, PARIBUS_TORCH_DIR=str(tmp_path))
    assert done.returncode != 0
    message = " ".join(done.stderr.split())
    assert f"LibTorch 2.13.0 is needed, {tmp_path} says: __version__ = '2.12.0'" in message


def test_no_torch_is_refused(prefix, project, tmp_path):
    done = configure(project, prefix, PARIBUS_TORCH_DIR=str(tmp_path / "nowhere"))
    assert done.returncode != 0
    assert "says: no torch there; run tools/quickstart" in " ".join(done.stderr.split())


def test_another_version_of_paribus_is_refused(prefix, project):
    lists = project / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("Paribus 0.1", "Paribus 9.0"))
    done = configure(project, prefix, PARIBUS_TORCH_DIR=torch_dir())
    assert done.returncode != 0
    assert 'compatible with requested version "9.0"' in " ".join(done.stderr.split())
