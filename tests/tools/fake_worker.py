#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks the worker's protocol (docs/internals.md) and misbehaves on demand: what the driver must bear."""

import json
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time

import journals

SLOT = 616  # bytes of driver/progress.h
stopped = {}
wire = socket.socket(fileno=3)
lock = threading.Lock()


def send(message):
    with lock:
        wire.sendall((json.dumps(message) + "\n").encode())


def reply(request, **extra):
    send({"id": request["id"], "ok": True, **extra})


def refuse(request, *problems):
    send(
        {
            "id": request["id"],
            "ok": False,
            "problems": [{"address": a, "message": m} for a, m in problems],
        }
    )


def set_step(slot, step, steps):
    size = os.fstat(4).st_size
    if size >= (slot + 1) * SLOT:
        with mmap.mmap(4, size) as board:
            board[slot * SLOT : slot * SLOT + 16] = struct.pack("QQ", step, steps)


def value_of(part, name, default=0):
    """A parameter of a part of the spec, whatever its type."""
    tagged = part.get("params", {}).get(name)
    return next(iter(tagged.values())) if tagged else default


def write_journal(request, end, steps, message=""):
    """What a trial would have measured, made of its seed and the optimizer's k."""
    spec = request["spec"]
    if "model" not in spec:
        return
    accuracy = (
        0.8 + spec["seed"] / 100 + value_of(spec["optimizer"], "k") / 50 + spec["seed"] ** 2 / 1e4
    )
    folder = f"{request['dir']}/journal"
    data = journals.trial_journal(
        request["trial"],
        request["arm"],
        spec["seed"],
        {"valid.accuracy": accuracy},
        end=end,
        message=message,
        steps=steps,
    )
    with open(f"{folder}/{request['trial']}.log", "wb") as log:
        log.write(data)


def study_trial(request):
    """A trial of a whole study: `width` of the model is the milliseconds that a step takes."""
    name, spec = request["trial"], request["spec"]
    write_journal(request, None, 1)
    for step in range(1, 11):
        if stopped[name].wait(value_of(spec["model"], "width", 0) / 1000):
            write_journal(request, "stopped", step)
            return send({"event": "exit", "trial": name, "pid": 1, "code": 75, "signal": 0})
        set_step(request["slot"], step, 10)
    failed = spec["seed"] == 66
    write_journal(
        request,
        "failed" if failed else "done",
        10,
        "loss is not finite at step 7" if failed else "",
    )
    return send({"event": "exit", "trial": name, "pid": 1, "code": int(failed), "signal": 0})


def inspect(request):
    model = request["spec"]["model"]
    if value_of(model, "width") == 13:
        return refuse(
            request, ("model.width", "model/mlp: 13 is an unlucky width, expected another")
        )
    return reply(
        request,
        facts={
            "parameters": 1234567,
            "train_items": 60000,
            "valid_items": 10000,
            "steps_per_epoch": 2,
            "fingerprint": "abc",
            "device": "cpu",
            "precision": "bf16",
            "memory_format": "contiguous",
        },
    )


def trial(request):
    """The seed of the spec says how the trial goes."""
    name, seed = request["trial"], request["spec"]["seed"]
    if "model" in request["spec"]:
        return study_trial(request)
    for step in range(1, 11):
        if stopped[name].wait(0.01):
            return send({"event": "exit", "trial": name, "pid": 1, "code": 75, "signal": 0})
        set_step(request["slot"], step, 10)
    if seed == 99:
        stopped[name].wait()
        return send({"event": "exit", "trial": name, "pid": 1, "code": 75, "signal": 0})
    if seed == 66:
        os.makedirs(request["dir"] + "/logs", exist_ok=True)
        with open(f"{request['dir']}/logs/{name}.txt", "w") as log:
            log.write("first words\nlast words\n")
        return send({"event": "exit", "trial": name, "pid": 1, "code": 1, "signal": 0})
    code, sig = (0, signal.SIGSEGV) if seed == 11 else (0, 0)
    return send({"event": "exit", "trial": name, "pid": 1, "code": code, "signal": int(sig)})


def handle(request):
    op = request["op"]
    if op == "echo":
        reply(request, text=request.get("text", ""))
    elif op == "event_first":
        send({"event": "exit", "trial": "t", "code": 0})
        reply(request)
    elif op == "late":
        send({"id": request["id"] - 1, "ok": True, "text": "stale"})
        reply(request, text="fresh")
    elif op == "refuse":
        refuse(request, ("optimizer.lr", "too large"), ("", "and more"))
    elif op == "refuse_silently":
        send({"id": request["id"], "ok": False})
    elif op == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    elif op == "leave":
        print("no such library", file=sys.stderr, flush=True)
        os._exit(3)
    elif op == "garbage":
        wire.sendall(b"hello there\n")
    elif op == "endless":
        while True:
            wire.sendall(b"x" * (1 << 20))
    elif op == "chatter":
        for _ in range(200):
            print("y" * 4000, file=sys.stderr, flush=True)
        reply(request)
    elif op == "fds":
        reply(
            request,
            fds=sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
            sid=os.getsid(0) == os.getpid(),
        )
    elif op == "silence":
        time.sleep(60)
    elif op == "hello":
        reply(request, libtorch="2.13.0", abi="0", cpu_capability="AVX2", cores=2, devices=["cpu"])
    elif op in ("load", "open"):
        reply(request)
    elif op == "inspect":
        inspect(request)
    elif op == "lr_find":
        rates = [10 ** (-5 + i / 10) for i in range(50)]
        reply(
            request,
            points=[[rate, 2.3 - rate if rate < 1 else rate] for rate in rates],
            suggestion=0.1,
        )
    elif op == "start":
        if request["spec"]["seed"] == 13:
            refuse(request, ("", "seed 13 is unlucky"))
            return
        stopped[request["trial"]] = threading.Event()
        reply(request, pid=1)
        threading.Thread(target=trial, args=(request,), daemon=True).start()
    elif op == "stop":
        stopped[request["trial"]].set()
        reply(request)
    else:
        refuse(request, ("", f"unknown op {op}"))


def main():
    for line in wire.makefile("r"):
        handle(json.loads(line))


main()
