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

SLOT = 64  # bytes: seven 8-byte words and a flag, padded
stopped = {}
wire = socket.socket(fileno=3)
lock = threading.Lock()


def send(message):
    with lock:
        wire.sendall((json.dumps(message) + "\n").encode())


def reply(request, **extra):
    send({"id": request["id"], "ok": True, **extra})


def refuse(request, *problems):
    send({"id": request["id"], "ok": False, "problems": [{"address": a, "message": m} for a, m in problems]})


def set_step(slot, step, steps):
    size = os.fstat(4).st_size
    if size >= (slot + 1) * SLOT:
        with mmap.mmap(4, size) as board:
            board[slot * SLOT : slot * SLOT + 16] = struct.pack("QQ", step, steps)


def trial(request):
    """The seed of the spec says how the trial goes."""
    name, seed = request["trial"], request["spec"]["seed"]
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
    send({"event": "exit", "trial": name, "pid": 1, "code": code, "signal": int(sig)})


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
        reply(request, fds=sorted(int(fd) for fd in os.listdir("/proc/self/fd")), sid=os.getsid(0) == os.getpid())
    elif op == "silence":
        time.sleep(60)
    elif op == "start":
        if request["spec"]["seed"] == 13:
            return refuse(request, ("", "seed 13 is unlucky"))
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
