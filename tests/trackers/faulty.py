# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback that goes wrong on the way to a real server, and back."""

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """Hands requests on. `faults`: for each one in turn None, a status (429 and such, with Retry-After: 0.2), "drop"
    (before the server has it), "taken, then drop", "cut" (half of the answer comes)."""

    def __init__(self, port, faults=(), to="127.0.0.1"):
        self.target, self.to = port, to
        self.faults, self.wait = list(faults), "0.2"
        self.seen = []  # of each request: method, path, headers, body, the status it got
        self.lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def handle_one(self):
                proxy.pass_on(self)

            do_GET = do_POST = do_PUT = handle_one

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def next_fault(self):
        with self.lock:
            return self.faults.pop(0) if self.faults else None

    def pass_on(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = self.next_fault()
        if isinstance(fault, int):
            self.note(handler, body, fault)
            handler.send_response(fault)
            handler.send_header("Retry-After", self.wait)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if fault == "drop":
            self.note(handler, body, fault)
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        status, answer = self.ask(handler, body)
        self.note(handler, body, status)
        if fault == "taken, then drop" or status is None:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        if fault == "cut":
            handler.wfile.write(answer[: len(answer) // 2])
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.wfile.write(answer)

    def ask(self, handler, body):
        try:
            server = http.client.HTTPConnection(self.to, self.target, timeout=30)
            kept = {
                name: value
                for name, value in handler.headers.items()
                if name.lower() not in ("host", "connection")
            }
            server.request(handler.command, handler.path, body, kept)
            answer = server.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None, b""  # the server is down

    def note(self, handler, body, status):
        with self.lock:
            self.seen.append((handler.command, handler.path, dict(handler.headers), body, status))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def now_and_then(fault, between, times=40):
    """One request of `between` + 1 goes wrong: over a study, each kind of request does."""
    return [fault if number == between else None for number in range(between + 1)] * times
