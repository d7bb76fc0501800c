# SPDX-License-Identifier: Apache-2.0
"""Logs a run by wandb's own client, as the JSON on stdin says; WANDB_BASE_URL says where to."""

import json
import sys

import wandb

asked = json.load(sys.stdin)
settings = wandb.Settings(
    console="off",
    disable_code=True,
    disable_git=True,
    x_disable_machine_info=True,
    x_disable_meta=True,
    x_disable_stats=True,
    x_save_requirements=False,
)
run = wandb.init(settings=settings, **asked["init"])
for step, values in asked["rows"]:
    run.log({name: float(value) for name, value in values.items()}, step=step)
for name, value in asked["summary"].items():
    run.summary[name] = value
for name in asked["files"]:
    run.save(name, policy="end")
run.finish(exit_code=asked["exit"])
