# SPDX-License-Identifier: Apache-2.0
"""A server that goes wrong in every way that we know of: every point comes, once where the server tells by number."""

import json
import random
import socket
import ssl
import subprocess
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from journals import MAGIC, event, points, series
from uplinks import Uplink, kill_midway, status, study, sync, tracker, wait_for

KEY = "PLANTED-KEY-0123456789-abcdefghijklmnop"


class Receiver:
    """Takes what comes, and answers as `faults` say, one for each request; then well."""

    def __init__(self, faults=(), port=0, certificate=None):
        self.taken, self.requests, self.faults = {}, 0, list(faults)
        self.headers = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def do_POST(self):
                receiver.take(self)

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", port), Handler)
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests += 1
        self.headers.append(dict(handler.headers))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            handler.send_response(fault)
            handler.send_header("Retry-After", "0.2")
            handler.send_header("Content-Length", "0")
            handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
            handler.end_headers()
            return
        if fault == "drop":
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        message = json.loads(body)
        key = handler.headers["Idempotency-Key"]
        assert self.taken.setdefault(key, message) == message, "another request of the same key"
        if fault == "taken, then drop":
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        answer = b"x" * (10 << 20) if fault == "10 MB" else b"{}"
        handler.send_response(200)
        size = len(answer) + (100 if fault == "cut" else 0)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        for byte in answer if fault == "slow" else (answer,):
            handler.wfile.write(bytes([byte]) if fault == "slow" else byte)
            time.sleep(0.3 if fault == "slow" else 0)
        if fault == "cut":
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)

    def points(self) -> list[tuple]:
        got = []
        for message in self.taken.values():
            for point in message.get("points", ()):
                got.append((message["trial"], point["metric"], point["step"], point["value"]))
        return sorted(got)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def hook(port, scheme="http", **more):
    return tracker("webhook", url=f"{scheme}://127.0.0.1:{port}/in", **more)


def test_what_comes(tmp_path, receiver):
    expected = study(tmp_path, trials=2)
    assert sync(tmp_path, hook(receiver.port, points=4)) == 0
    assert receiver.points() == expected
    of_first = [one for one in receiver.taken.values() if one["trial"] == "00000000"]
    assert [one["event"] for one in of_first] == ["begin", "points", "points", "points", "end"]
    assert [one["first"] for one in of_first[1:4]] == [0, 4, 8]
    assert of_first[-1]["status"] == "done"
    assert of_first[-1]["final"] == {"valid.accuracy": 0.5}
    assert {one["study"] for one in of_first} == {"made-up"}


def test_numbers_that_json_lacks(tmp_path, receiver):
    study(tmp_path, trials=1)
    path = tmp_path / "journal" / "00000000.log"
    values = [float("nan"), float("inf"), float("-inf"), 0.1]
    path.write_bytes(
        MAGIC + event(event="start", time=1.0) + series("a") + points(0, range(4), values)
    )
    assert sync(tmp_path, hook(receiver.port)) == 0
    assert [value for *_, value in receiver.points()] == ["NaN", "Infinity", "-Infinity", 0.1]


@pytest.mark.parametrize(
    "fault", [408, 425, 429, 500, 502, 503, "drop", "taken, then drop", "cut", "10 MB", "slow"]
)
def test_faults_that_pass(tmp_path, fault):
    expected = study(tmp_path, trials=2)
    receiver = Receiver([None, fault, None, fault, fault])
    assert sync(tmp_path, hook(receiver.port)) == 0
    assert receiver.points() == expected
    assert len(receiver.taken) == 6
    receiver.close()


def test_what_went_through_ends_a_row_of_failures(tmp_path):
    """Or the waits, twice as long each time, would be 31 s together."""
    expected = study(tmp_path, trials=4)
    receiver = Receiver([None, "cut"] * 6)
    assert sync(tmp_path, hook(receiver.port), wait=20.0) == 0
    assert receiver.points() == expected
    receiver.close()


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 413, 501])
def test_faults_that_stay(tmp_path, code):
    study(tmp_path, trials=1)
    receiver = Receiver([code] * 100)
    assert sync(tmp_path, hook(receiver.port), wait=600.0) == 1
    assert receiver.requests == 1, "neither tried again nor followed"
    told = status(tmp_path, "webhook")
    assert told["state"] == "gave up"
    assert told["problem"] == f"tracker/webhook: the server answered {code}"
    receiver.close()


def test_down_for_the_whole_run_then_up(tmp_path):
    expected = study(tmp_path, trials=2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert sync(tmp_path, hook(port), wait=1.0) == 1
    assert status(tmp_path, "webhook")["state"] == "waiting"
    assert "connect" in status(tmp_path, "webhook")["problem"]
    receiver = Receiver(port=port)
    assert sync(tmp_path, hook(port)) == 0
    assert receiver.points() == expected
    receiver.close()


def test_a_server_that_never_answers_holds_nobody_up(tmp_path):
    study(tmp_path, trials=1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        # Its own patience with an answer is a minute: more than the uplink is given to end in.
        assert sync(tmp_path, hook(mute.getsockname()[1]), tracker("csv"), wait=1.0) == 1
    assert status(tmp_path, "csv")["state"] == "up to date"


def test_a_wait_longer_than_there_is_time_for_ends_at_once(tmp_path):
    study(tmp_path, trials=1)

    class Busy(Receiver):
        def take(self, handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.send_response(429)
            handler.send_header("Retry-After", "3000")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    receiver = Busy()
    assert sync(tmp_path, hook(receiver.port), wait=600.0) == 1  # or the test's patience ends
    assert status(tmp_path, "webhook")["problem"].endswith("answered 429")
    receiver.close()


def test_a_certificate_that_nobody_vouches_for(tmp_path):
    pem = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", pem, "-out", tmp_path / "cert.pem"],
        check=True,
        capture_output=True,
    )
    pem.write_text(pem.read_text() + (tmp_path / "cert.pem").read_text())
    folder = tmp_path / "study"
    expected = study(folder, trials=1)
    receiver = Receiver(certificate=pem)
    assert sync(folder, hook(receiver.port, "https")) == 1
    assert (receiver.requests, status(folder, "webhook")["state"]) == (0, "gave up")
    assert "certificate" in status(folder, "webhook")["problem"]
    trusting = {"SSL_CERT_FILE": str(tmp_path / "cert.pem")}
    assert sync(folder, hook(receiver.port, "https"), environment=trusting) == 0
    assert receiver.points() == expected
    receiver.close()


def test_kills_at_random(tmp_path, receiver):
    chance = random.Random(2)
    expected = study(tmp_path, trials=20, steps=50)
    start = partial(Uplink, tmp_path, hook(receiver.port, points=20))
    kill_midway(start, lambda: receiver.requests, (chance.randrange(10) for _ in range(20)))
    assert sync(tmp_path, hook(receiver.port, points=20)) == 0
    assert receiver.points() == expected


def planted(folder) -> list:
    return [
        path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]


def test_a_key_reaches_the_server_and_no_file(tmp_path, receiver):
    study(tmp_path, trials=1)
    secret = hook(receiver.port, header="X-Key", secret="HOOK_KEY")
    assert sync(tmp_path, secret, environment={"HOOK_KEY": KEY}) == 0
    assert {headers["X-Key"] for headers in receiver.headers} == {KEY}
    assert planted(tmp_path) == []


def test_a_key_that_the_server_echoes_reaches_no_file(tmp_path):
    study(tmp_path, trials=1)

    class Echo(Receiver):
        def take(self, handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            answer = f"no such key: {handler.headers['X-Key']}".encode()
            handler.send_response(403)
            handler.send_header("Content-Length", str(len(answer)))
            handler.end_headers()
            handler.wfile.write(answer)

    receiver = Echo()
    secret = hook(receiver.port, header="X-Key", secret="HOOK_KEY")
    uplink = Uplink(tmp_path, secret, environment={"HOOK_KEY": KEY})
    assert uplink.finish() == 1
    assert status(tmp_path, "webhook")["problem"].endswith("answered 403: no such key: ***")
    assert planted(tmp_path) == []
    assert KEY not in uplink.output
    receiver.close()


def test_a_key_that_is_missing_is_named(tmp_path, receiver):
    study(tmp_path, trials=1)
    assert sync(tmp_path, hook(receiver.port, secret="NO_SUCH_KEY")) == 1
    told = status(tmp_path, "webhook")["problem"]
    assert told == "tracker/webhook: the environment has no NO_SUCH_KEY"
    assert receiver.requests == 0


def test_while_it_waits_it_says_so(tmp_path):
    study(tmp_path, trials=1)
    receiver = Receiver([503] * 1000)
    uplink = Uplink(tmp_path, hook(receiver.port), wait=0.5)
    wait_for(lambda: (tmp_path / "uplink" / "webhook.json").exists())
    wait_for(lambda: status(tmp_path, "webhook")["state"] == "waiting")
    assert status(tmp_path, "webhook")["problem"].endswith("answered 503")
    assert uplink.finish() == 1
    receiver.close()
