# SPDX-License-Identifier: Apache-2.0
"""`paribus watch --web` as a process, and what a client of it says and hears, byte by byte."""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from watching import ENVIRONMENT, PARIBUS

PATIENCE = 60  # s, for what comes in milliseconds


class Served:
    """A study that is served; `url` ends with a slash."""

    def __init__(self, folder, *words):
        self.process = subprocess.Popen(
            [PARIBUS, "watch", folder, "--web", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self.url = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/[0-9a-f]{48}/)", self.url)
        assert found, self.url + self.process.stderr.read()
        self.port, self.path = int(found[1]), found[2]
        self.here = f"127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def head(self, path=None, method="GET", host=None, **fields) -> bytes:
        lines = [f"{method} {self.path if path is None else path} HTTP/1.1"]
        lines += [f"Host: {self.here if host is None else host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def say(self, data: bytes) -> bytes:
        """All that is answered until the connection ends."""
        with self.connect() as client:
            client.sendall(data)
            return everything(client)

    def ask(self, **request) -> tuple[int, dict, str]:
        return parsed(self.say(self.head(**request)))

    def page_data(self) -> dict:
        status, _, page = self.ask()
        assert status == 200
        return json.loads(re.search(r' id="data">(.*?)</script>', page, re.DOTALL)[1])

    def stream(self, since=0) -> "Stream":
        return Stream(self, since)

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self) -> int:
        """KiB that are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def cpu(self) -> float:
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def everything(client: socket.socket) -> bytes:
    answer = b""
    while part := client.recv(1 << 16):
        answer += part
    return answer


def parsed(answer: bytes) -> tuple[int, dict, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), fields, body.decode()


class Stream:
    """The events of a served study, put together as its page does."""

    def __init__(self, served: Served, since=0):
        self.client = served.connect()
        self.client.sendall(served.head(served.path + f"events?since={since}"))
        self.file = self.client.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.fields, self.data, self.version = {}, {}, since
        while (line := self.file.readline()) != b"\r\n":
            name, value = line.decode().strip().lower().split(": ", 1)
            self.fields[name] = value

    def event(self) -> dict:
        said = {}
        while (line := self.file.readline().decode()) != "\n" or "data" not in said:
            assert line, "the stream ended"
            if ":" in line:
                name, value = line.split(":", 1)
                said[name] = value.strip()
        event = json.loads(said["data"])
        assert int(said["id"]) == event["version"] >= self.version
        self.version = event["version"]
        for path, value in sorted(event["pieces"], key=lambda piece: len(piece[0])):
            place = self.data
            for key in path[:-1]:
                place = place[key]
            if len(path) == 1 and path[0] in place:
                value = filled(value, place[path[0]])
            place[path[-1]] = value
        return event

    def until(self, condition) -> dict:
        """Events until the data or the last event's state are so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self.event()
            if condition(self.data, event["state"]):
                return event
            assert time.monotonic() < deadline, event["state"]

    def close(self) -> None:
        self.file.close()
        self.client.close()


def filled(fresh, old):
    if isinstance(fresh, dict):
        old = old if isinstance(old, dict) else {}
        return {k: filled(v, old.get(k)) if isinstance(v, list) else v for k, v in fresh.items()}
    if not isinstance(fresh, list) or not isinstance(old, list):
        return fresh
    before = old + [None] * len(fresh)
    return [
        o if f is None else filled(f, o) if isinstance(f, dict) else f
        for f, o in zip(fresh, before)
    ]
