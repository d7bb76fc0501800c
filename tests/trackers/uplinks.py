# SPDX-License-Identifier: Apache-2.0
"""paribus-uplink over made-up journals: no training, no LibTorch, everything known beforehand."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import journals  # noqa: E402

UPLINK = os.environ["PARIBUS_UPLINK"]
PLUGINS = Path(os.environ["PARIBUS_PLUGIN_DIR"])
FIXTURES = Path(os.environ["PARIBUS_TRACKERS"])
CLASSES = {
    "csv": "Csv",
    "log": "Log",
    "mlflow": "Mlflow",
    "tensorboard": "TensorBoard",
    "wandb": "Wandb",
    "wandb_offline": "WandbOffline",
    "webhook": "Webhook",
}


def tagged(value):
    """As specifications hold values: with their type."""
    names = {bool: "bool", int: "int", float: "float", str: "string"}
    return {names[type(value)]: value}


def tracker(use, name=None, only=(), **params):
    """An entry of a request."""
    folder = FIXTURES if use == "log" else PLUGINS
    plugin = folder / f"tracker_{use}.so"
    return {
        "part": {
            "kind": "tracker",
            "use": use,
            "address": f"tracker.{name or use}",
            "params": {key: tagged(value) for key, value in params.items()},
            "slots": {},
        },
        "only": list(only),
        "plugin": str(plugin),
        "symbol": f"paribus_part_{CLASSES[use]}",
        "sha256": hashlib.sha256(plugin.read_bytes()).hexdigest(),
        "sealed": False,
    }


class Uplink:
    """The process, as the driver runs it: alive until `finish`."""

    def __init__(self, folder, *trackers, wait=20.0, again=False, environment=None):
        self.process = subprocess.Popen(
            [UPLINK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
        )
        request = {"dir": str(folder), "wait": wait, "again": again, "trackers": list(trackers)}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def finish(self) -> int:
        """Its exit status."""
        self.output = self.process.communicate(timeout=120)[0].decode()
        return self.process.returncode

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def sync(folder, *trackers, **more) -> int:
    return Uplink(folder, *trackers, **more).finish()


def status(folder, name) -> dict:
    return json.loads((Path(folder) / "uplink" / f"{name}.json").read_text())


def wait_for(what, seconds=30):
    deadline = time.time() + seconds
    while not what():
        assert time.time() < deadline, "it never came"
        time.sleep(0.002)


def written(folder, name) -> int:
    """Bytes that a tracker has in its folder."""
    files = (Path(folder) / "trackers" / name).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def kill_midway(start, amount, growths):
    """Uplinks one after the other, each killed once `amount()` has grown by the next of `growths`: until all is delivered,
    when it grows no more. Fails where not one had anything left to do."""
    killed = 0
    for more in growths:
        uplink = start()
        before = last = amount()
        changed = time.time()
        while amount() < before + more and time.time() < changed + 3:
            if amount() != last:
                last, changed = amount(), time.time()
            time.sleep(0.001)
        uplink.kill()
        if amount() < before + more:
            break
        killed += 1
    assert killed > 0, "all was delivered before the first could be killed"


def rows(folder, name="csv") -> list[dict]:
    """Of all trials, as the csv tracker wrote them."""
    found = []
    for path in sorted((Path(folder) / "trackers" / name).glob("*.csv")):
        with path.open(newline="") as file:
            found += csv.DictReader(file)
    return found


def delivered(folder, name="csv") -> list[tuple]:
    return sorted(
        (row["trial"], row["metric"], int(row["step"]), float(row["value"]))
        for row in rows(folder, name)
    )


def study(folder, trials=3, steps=10) -> list[tuple]:
    """A study that is done; the points of its journals."""
    journals.write_study(folder, {"base": {seed: 0.5 for seed in range(trials)}})
    expected = []
    for seed in range(trials):
        trial = f"00{seed:06x}"
        log = journals.trial_journal(trial, "base", seed, {"valid.accuracy": 0.5}, steps=steps)
        (Path(folder) / "journal" / f"{trial}.log").write_bytes(log)
        expected += [(trial, "train.loss", step, 1 / step) for step in range(1, steps + 1)]
    return sorted(expected)
