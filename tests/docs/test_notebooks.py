# SPDX-License-Identifier: Apache-2.0
"""The notebooks run from top to bottom in a kernel, and show what their text says."""

import re
import shutil
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))

# What a reader sees: the kind of output and words of it, in this order.
SHOWN = {
    "first_study": [
        ("text/html", "Does momentum help?"),
        ("text/plain", "12 trials"),
        ("image/png", ""),
        ("text/plain", "did you mean 'momentum'?"),
        ("text/html", "<table>"),
        ("text/html", "<b>.*momentum.*</b>"),
        ("image/png", ""),
        ("image/png", ""),
        ("text/html", "identical"),
    ],
    "new_optimizer": [
        ("text/plain", "Writing signs.py"),
        ("text/html", "<b>.*signum.*</b>"),
        ("text/plain", "0.9000, -0.9000"),
        ("text/plain", "optimizer/signum"),
        ("text/plain", "cpp"),
    ],
    "sweep_with_optuna": [
        ("text/html", "optimizer.lr"),
        ("image/png", ""),
        ("text/html", "<b>.*found.*</b>"),
        ("text/html", "params_optimizer"),
        ("text/html", "<table>.*valid.accuracy"),
    ],
    "results_with_xarray": [
        ("text/plain", "best.valid.accuracy"),
        ("text/html", "<table"),
        ("text/html", "xarray.Dataset"),
        ("image/png", ""),
        ("text/plain", "'series'"),
    ],
    "coming_from_lightning_or_fastai": [
        ("text/plain", "12 trials"),
        ("image/png", ""),
        ("text/plain", r"RateSweep\(suggestion="),
        ("image/png", ""),
        ("text/html", "<b>.*dropout.*</b>"),
        ("image/png", ""),
        ("image/png", ""),
        ("image/png", ""),
        ("text/plain", "True"),
    ],
}


def read(name: str):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return notebook


def outputs(notebook) -> list[tuple[str, str]]:
    """All that cells have shown, in order, as pairs of kind and text."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                shown.append(("text/plain", output.text))
            shown += output.get("data", {}).items()
    return shown


def missing(wanted, shown):
    """What is wanted and not shown, in this order."""
    left = iter(shown)
    for number, (kind, words) in enumerate(wanted):
        if not any(kind == one and re.search(words, str(text)) for one, text in left):
            return wanted[number:]
    return []


def test_each_notebook_has_its_promises():
    assert sorted(SHOWN) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_clean(name):
    notebook = read(name)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert notebook.cells[0].source.startswith("# "), "a title comes first"
    assert len(code) < len(notebook.cells) * 0.7, "a stranger needs text between the cells"
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(installed, name, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    kernels = Path(sys.prefix) / "share" / "jupyter"
    monkeypatch.setenv("JUPYTER_PATH", str(kernels))  # the kernel is this interpreter
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(FOLDER / f"{name}.ipynb", folder)
    notebook = read(name)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=installed.environment | {"IPYTHONDIR": str(tmp_path / "ipython")})
    shown = outputs(notebook)
    lacks = missing(SHOWN[name], shown)
    assert lacks == [], [(kind, str(text)[:200]) for kind, text in shown]


def test_what_is_missing_is_told():
    shown = [("text/plain", "12 trials"), ("image/png", "iVBOR"), ("text/html", "<b>x")]
    assert missing([("text/plain", "trials"), ("text/html", "<b>")], shown) == []
    assert missing([("image/png", ""), ("text/plain", "")], shown) == [("text/plain", "")]
    assert missing([("text/plain", "13")], shown) == [("text/plain", "13")]
