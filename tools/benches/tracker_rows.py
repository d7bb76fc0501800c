# SPDX-License-Identifier: Apache-2.0
"""The row `trackers`: what a study's trackers cost its training, and how much later it ends."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

from figure import Figure
from rows import ROOT, over, take_turns

# A trial for each core, so that whatever the uplink takes is taken from training.
STUDY = """
model = "mlp"
[study]
seeds = {seeds}
threads = 1
tracker_wait = "{wait}s"
[data]
use = "glyphs"
items = 6400
valid_items = 64
batch = 64
[train]
epochs = 80
"""
WAIT = 3  # s that the end may come later
KEYS = {"wandb": "base_url", "mlflow": "uri", "webhook": "url"}


def entries(**urls):
    return "".join(
        f'[[tracker]]\nuse = "{use}"\n{KEYS[use]} = "{url}"\n' for use, url in urls.items()
    )


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def mlflow_server(folder):
    """Its address: a real one, on SQLite. Elsewhere it would take nothing from training: it comes last here."""
    url = f"http://127.0.0.1:{free_port()}"
    words = ["--host", "127.0.0.1", "--workers", "1", "--port", url.rsplit(":", 1)[1]]
    words += ["--backend-store-uri", f"sqlite:///{folder}/m.db"]
    words += ["--serve-artifacts", "--artifacts-destination", f"{folder}/artifacts"]
    with (folder / "mlflow.txt").open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words],
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
            start_new_session=True,
        )
    try:
        for _ in range(2400):
            try:
                with urllib.request.urlopen(url + "/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("no MLflow: " + (folder / "mlflow.txt").read_text()[-500:])
        with suppress(OSError):  # niceness counts within a session, this one among them
            Path(f"/proc/{server.pid}/autogroup").write_text("19")
        os.setpriority(os.PRIO_PGRP, server.pid, 19)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # a session of its own
        server.wait()


def trained(setting, folder, trackers, directory=None, seeds=None):
    """A turn: the study from its start to the end of the program."""
    study = folder / "study.toml"
    study.write_text(STUDY.format(seeds=seeds or os.cpu_count(), wait=WAIT) + trackers)
    directory = directory or Path(tempfile.mkdtemp(dir=folder)) / "runs"
    paribus = setting.build / "bin" / "paribus"
    environment = {**os.environ, "WANDB_API_KEY": "0" * 40, "HOME": str(folder)}

    def run(*words):
        return subprocess.run(
            [paribus, *words], check=True, capture_output=True, text=True, env=environment
        ).stdout

    start = time.perf_counter()
    run("run", study, "--dir", directory, "-q", "--no-report")
    wall = time.perf_counter() - start
    rows = json.loads(run("results", directory, "--json"))["rows"]
    told = json.loads(run("status", directory, "--json"))["trackers"]
    return {
        "end": wall - max(row["seconds"] for row in rows),
        "step": sum(row["seconds"] / row["steps"] for row in rows) / len(rows),
        "weights": [row["weights_sha256"] for row in rows],
        "points": sum(one["points"] for one in told),
    }


def trackers(setting):
    """an MLP's steps, each of them logged, a trial for each core: with trackers over without, and how much later it ends"""
    sys.path.append(str(ROOT / "tests" / "trackers"))
    from faulty import Proxy
    from recorder import Recorder

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, server, slow = Path(name), Recorder(), Proxy(1, ["endless"] * 1_000_000)
        nobody = f"http://127.0.0.1:{free_port()}"
        sides = {"none": "", "wandb, a server of it": entries(wandb=server.url)}
        late = {
            "all three, nobody there": entries(wandb=nobody, mlflow=nobody, webhook=nobody),
            "all three, a byte now and then": entries(
                wandb=slow.url, mlflow=slow.url, webhook=slow.url
            ),
        }

        def turns():
            return take_turns(
                setting.turns(5),
                *(
                    lambda trackers=trackers: trained(setting, folder, trackers)
                    for trackers in sides.values()
                ),
            )

        if importlib.util.find_spec("mlflow"):
            with mlflow_server(folder) as url:
                sides |= {"mlflow, its server": entries(mlflow=url)} | late
                got = turns()
        else:
            sides |= late
            got = turns()
        slow.close()
        server.close()
    return figures_of(dict(zip(sides, got, strict=True)))


def figures_of(sides):
    without, figures = sides.pop("none"), []
    for name, turns in sides.items():
        figure = over(
            f"a step with {name}", [one["step"] for one in turns], [one["step"] for one in without]
        )
        figure.equal = all(
            one["weights"] == other["weights"] for one, other in zip(turns, without, strict=True)
        )
        later = [one["end"] - other["end"] for one, other in zip(turns, without, strict=True)]
        points = f"{turns[-1]['points']:,} points delivered by then; it may take {WAIT} s"
        figures += [figure, Figure(f"its end with {name}, later by", "s", later, ours=points)]
    return figures


ROWS = {row.__name__: row for row in (trackers,)}
