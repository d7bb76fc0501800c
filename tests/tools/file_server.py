#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves data files on a free port of the loopback, well and badly; writes the port to stdout. Ends with its stdin."""

import gzip
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"a data file\n" * 100


class Handler(BaseHTTPRequestHandler):
    def answer(self, body, length=None):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/good":
            self.answer(BODY, len(BODY))
        elif self.path == "/good.gz":
            packed = gzip.compress(BODY, 9, mtime=1)
            self.answer(packed, len(packed))
        elif self.path == "/short":
            self.answer(BODY[:100], len(BODY))
        elif self.path == "/unsized":
            self.answer(BODY[:100])
        elif self.path == "/long":
            self.answer(BODY + b"more")
        elif self.path in ("/elsewhere", "/outside"):
            self.send_response(302)
            self.send_header(
                "Location", "/good" if self.path == "/elsewhere" else "file:///etc/hostname"
            )
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
