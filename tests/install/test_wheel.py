# SPDX-License-Identifier: Apache-2.0
"""`pip wheel .`, installed into a fresh environment, is all of Paribus: programs, package, plugins, headers."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from build_folder import ROOT, torch_dir

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
OFFLINE = ["--no-index", "--no-build-isolation"]

STUDY = """\
import paribus
import torch

study = paribus.Study(
    name="small",
    data=paribus.dataset.Glyphs(items=200, valid_items=64, transforms=[paribus.transform.Normalize()]),
    model=paribus.model.Mlp(hidden=[8]),
    optimizer=torch.optim.AdamW,
    train={"epochs": 1},
    study={"seeds": 1},
    arms={"one": {}, "two": {"optimizer": {"lr": 0.01}}},
)
run = study.run()
print(paribus.__file__, len(run.results().frame()), run.results().xarray().sizes["arm"])
study.show_data(items=4).figure().savefig("batch.png")
net = torch.nn.Linear(2, 1)
opt = paribus.optimizer.Lion(lr=0.5).on(net.parameters())
before = net.weight.detach().clone()
net(torch.ones(1, 2)).sum().backward()
opt.step()
print([round(step, 6) for step in (before - net.weight).flatten().tolist()])
"""


class Environment:
    """A fresh environment. What the wheel asks for is seen from ours, where it need not be installed again; torch lies
    beside the package as it does after `pip install`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.prefix = folder / "environment"
        venv.create(self.prefix)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = self.prefix / "lib" / version / "site-packages"
        (self.site / "ours.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        (self.site / "torch").symlink_to(torch_dir())
        left_out = ("PARIBUS_", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "LD_LIBRARY_PATH")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)} | {
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "home"),
        }

    def bin(self, name: str) -> str:
        return str(self.prefix / "bin" / name)

    def run(self, *words, cwd=None, status=0, **environment) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=cwd or self.folder,
            env=self.environment | environment,
            timeout=600,
        )
        assert done.returncode == status, f"{words}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built in build/wheel, out of what ccache has of other folders."""
    jobs = os.environ.get("PARIBUS_JOBS", str(os.cpu_count() or 1))
    caching = {
        "CCACHE_BASEDIR": str(ROOT),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_SLOPPINESS": "pch_defines,time_macros",
    }
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [*PIP, "wheel", *OFFLINE, "--no-deps", "--wheel-dir", folder, ROOT],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=caching | {"CMAKE_BUILD_PARALLEL_LEVEL": jobs} | os.environ,
    )
    assert done.returncode == 0, done.stdout
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, wheel):
    fresh = Environment(tmp_path_factory.mktemp("fresh"))
    fresh.run(
        fresh.bin("python"), "-c", "import importlib.util as u; assert not u.find_spec('paribus')"
    )
    fresh.run(*PIP, "--python", fresh.bin("python"), "install", "--no-index", wheel)
    return fresh


def test_its_name_says_for_which_python_and_version(wheel):
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    (line,) = [one for one in (ROOT / "CMakeLists.txt").open() if one.startswith("project(")]
    version = line.split()[2]
    assert wheel.name.startswith(f"paribus-{version}-{python}-{python}-linux_")


def test_versions_agree(fresh):
    told = (
        "import importlib.metadata as m, paribus; print(m.version('paribus'), paribus.__version__)"
    )
    first, second = fresh.run(fresh.bin("python"), "-c", told).split()
    assert first == second
    assert first in fresh.run(fresh.bin("paribus"), "--version")


def test_nothing_of_the_build_is_needed(fresh):
    install = fresh.site / "paribus" / "install"
    torch = f"{fresh.site}/torch/lib/libtorch_cpu.so"
    (native,) = (install / "lib/paribus/native").glob("*.so")
    bridge = install / "lib/paribus/bridge/python_bridge.so"
    for file in (install / "bin/paribus-worker", install / "lib/libparibus.so", native, bridge):
        said = fresh.run("ldd", file)
        resolved = {
            os.path.normpath(line.split()[2]) for line in said.splitlines() if "=> /" in line
        }
        assert torch in resolved, f"{file}\n{said}"
        assert "not found" not in said, f"{file}\n{said}"
        assert str(ROOT / "build") not in said, f"{file}\n{said}"


def test_the_quickstart(fresh, tmp_path):
    study = ROOT / "experiments" / "quickstart" / "study.toml"
    small = ["-s", "study.seeds=1", "-s", "train.epochs=1", "-s", "data.limit=300"]
    said = fresh.run(fresh.bin("paribus"), "run", study, *small, "--dir", "runs", cwd=tmp_path)
    assert "lookahead" in said
    fresh.run(fresh.bin("paribus"), "verify", "runs", "--sample", "1", cwd=tmp_path)


def test_from_python_with_a_part_in_python(fresh, tmp_path):
    (tmp_path / "small.py").write_text(STUDY)
    seen, steps = fresh.run(fresh.bin("python"), "small.py", cwd=tmp_path).splitlines()
    assert seen == f"{fresh.site}/paribus/__init__.py 2 2"
    assert steps == "[0.5, 0.5]"  # Lion steps by its rate, whatever the gradient
    assert (tmp_path / "batch.png").is_file()


def test_the_tests_of_the_package(fresh, tmp_path):
    """In a copy, beside which there are no sources."""
    copy = shutil.copytree(ROOT / "tests" / "python", tmp_path / "tests" / "python")
    program = fresh.site / "paribus" / "install" / "bin" / "paribus"
    pytest_ = [fresh.bin("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    native = ["native/test_optimizers.py", "native/test_data.py", "native/test_trainer.py"]
    for files in (["test_parts.py"], native, ["parts/test_tables.py"]):
        said = fresh.run(*pytest_, *files, cwd=copy, PARIBUS_PROGRAM=str(program))
        assert " passed" in said and "skipped" not in said, said


def test_a_plugin_is_built_with_it_and_found(fresh, tmp_path):
    """scikit-build-core finds Paribus by the wheel's word, without a path."""
    project = shutil.copytree(ROOT / "docs" / "example_plugin", tmp_path / "plugin")
    pip = [fresh.bin("python"), "-m", "pip", "--disable-pip-version-check"]
    fresh.run(*pip, "install", *OFFLINE, "--no-deps", project, cwd=tmp_path)
    shown = fresh.run(fresh.bin("paribus"), "plugins", "show", "callback/gradient_noise")
    assert f"{fresh.prefix}/lib/paribus/site-plugins/callback_gradient_noise.so" in shown
