# SPDX-License-Identifier: Apache-2.0
"""The kernel in this process: when it is loaded, and beside which torch."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import paribus
import pytest
import torch
from paribus import native


def told_by(program: str) -> str:
    """What a new interpreter prints."""
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_loaded_before_it_is_needed():
    told = told_by("""
import json, sys, paribus
paribus.Study, paribus.ParibusError
before = "torch" in sys.modules
part = paribus.optimizer.Lion(lr=0.1), paribus.loss.Focal(), paribus.metric.F1(), paribus.schedule.Cosine()
between = "torch" in sys.modules
paribus.loss.Focal()._native
print(json.dumps([before, between, "torch" in sys.modules]))
""")
    assert json.loads(told) == [False, False, True]


def test_there_is_one_libtorch_in_the_process():
    paribus.native.load()
    maps = Path("/proc/self/maps").read_text().split()
    for library in ("libtorch_cpu.so", "libc10.so", "libtorch_python.so", "libparibus.so"):
        found = {path for path in maps if path.endswith("/" + library)}
        assert len(found) == 1, found
        if library != "libparibus.so":
            assert found == {os.path.realpath(os.path.join(torch.__path__[0], "lib", library))}


@pytest.mark.parametrize(
    "name, value", [("__version__", "2.12.0+cu130"), ("git_version", "0123456789abcdef")]
)
def test_another_build_of_torch_is_refused(monkeypatch, name, value):
    monkeypatch.setattr(torch if name == "__version__" else torch.version, name, value)
    with pytest.raises(
        paribus.ParibusError, match=f"{re.escape(value[:10])}.*one process can't hold both"
    ):
        native.load.__wrapped__()


def test_a_kernel_of_another_python_is_not_there(monkeypatch):
    monkeypatch.setattr("importlib.machinery.EXTENSION_SUFFIXES", [".cpython-399.so"])
    with pytest.raises(paribus.ParibusError, match="no .*_native.cpython-399.so: build Paribus"):
        native.load.__wrapped__()


def test_other_threads_run_while_it_computes():
    """A step that takes a while; the lock is free for another thread meanwhile."""
    import threading

    weight = torch.zeros(512, 512, requires_grad=True)
    optimizer = paribus.optimizer.Muon().on([weight])
    weight.grad = torch.randn(512, 512)
    counted, on = [0], threading.Event()

    def count():
        on.set()
        while on.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(
        1
    )  # nobody is asked to let go of the lock while a step takes milliseconds
    try:
        thread.start()
        on.wait()
        before = counted[0]
        for _ in range(20):  # it may not be its turn at a processor in the first
            optimizer.step()
            if counted[0] > before:
                break
        assert counted[0] > before
    finally:
        on.clear()
        sys.setswitchinterval(interval)
        thread.join()
