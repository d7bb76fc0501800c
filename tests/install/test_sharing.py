# SPDX-License-Identifier: Apache-2.0
"""docs/example_plugin, copied: built, packed as a Debian package and as a wheel, installed, found and used."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from build_folder import BUILD, ROOT, torch_dir

NAME = "callback_gradient_noise.so"


class Machine:
    """Paribus in /usr of a root of its own, and a copy of the example elsewhere."""

    def __init__(self, folder: Path):
        self.root = folder / "root"
        self.prefix = self.root / "usr"
        self.project = folder / "gradient_noise"
        self.folder = folder
        install = ["cmake", "--install", str(BUILD), "--prefix", str(self.prefix)]
        subprocess.run(install, check=True, capture_output=True)
        shutil.copytree(ROOT / "docs" / "example_plugin", self.project)
        left_out = ("PARIBUS_", "VIRTUAL_ENV", "CONDA_PREFIX")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        self.environment = kept | {
            "PATH": f"{self.prefix}/bin:{os.environ['PATH']}",
            "PARIBUS_TORCH_DIR": torch_dir(),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *words, status=0, **environment) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=self.project,
            env=self.environment | environment,
            timeout=400,
        )
        assert done.returncode == status, f"{words}\n{done.stdout}"
        return done.stdout

    def origin(self, **environment) -> str:
        return self.run("paribus", "plugins", "show", "callback/gradient_noise", **environment)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Machine(tmp_path_factory.mktemp("sharing"))


def test_it_is_built_and_holds_to_the_laws(machine):
    said = machine.run("paribus", "plugins", "build", ".")
    assert "callback/gradient_noise" in said
    assert "0 broken, 0 not known" in said
    machine.run("paribus", "plugins", "show", "callback/gradient_noise", status=2)
    table = machine.run("paribus", "run", "study.toml", PARIBUS_PLUGINS="build")
    assert "noise" in table


def test_a_debian_package(machine):
    machine.run("paribus", "plugins", "build", ".")
    machine.run("cpack", "--config", "build/CPackConfig.cmake", "-B", "dist")
    (package,) = (machine.project / "dist").glob("*.deb")
    about = machine.run("dpkg-deb", "--info", package)
    assert "Package: paribus-plugin-gradient-noise" in about
    assert "Version: 0.1.0" in about
    assert "Maintainer: Ada Author <ada@example.org>" in about
    machine.run("dpkg-deb", "--extract", package, machine.root)
    place = machine.prefix / "lib/paribus/site-plugins" / NAME
    assert place.is_file()
    assert str(place) in machine.origin()
    assert "noise" in machine.run("paribus", "run", "study.toml", "--dir", "runs/packaged")
    place.unlink()


def test_a_wheel(machine):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    machine.run(
        *pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "dist", "."
    )
    (wheel,) = (machine.project / "dist").glob("*.whl")
    assert wheel.name.startswith("paribus_gradient_noise-0.1.0-py3-none-linux_")
    environment = machine.folder / "environment"
    venv.create(environment)
    into = [*pip, "--python", environment / "bin" / "python"]
    machine.run(*into, "install", "--no-deps", "--no-index", wheel)
    place = environment / "lib/paribus/site-plugins" / NAME
    assert str(place) in machine.origin(VIRTUAL_ENV=str(environment))
    run = ["paribus", "run", "study.toml", "--dir", "runs/wheel"]
    assert "noise" in machine.run(*run, VIRTUAL_ENV=str(environment))
    machine.run(*into, "uninstall", "--yes", "paribus-gradient-noise")
    assert not place.exists()


def test_a_package_without_a_maintainer_is_refused(machine, tmp_path):
    project = shutil.copytree(ROOT / "docs" / "example_plugin", tmp_path / "nameless")
    lists = project / "CMakeLists.txt"
    text = lists.read_text()
    lists.write_text(text.replace('MAINTAINER "Ada Author <ada@example.org>" ', ""))
    said = machine.run("cmake", "-S", project, "-B", tmp_path / "build", status=1)
    assert "paribus_package: no MAINTAINER" in said
