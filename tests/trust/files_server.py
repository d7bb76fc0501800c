# SPDX-License-Identifier: Apache-2.0
"""A folder served by https with a certificate of its own, on a free port of the loopback, with bad manners on demand."""

import functools
import ssl
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    plain = ""  # where http goes

    def do_GET(self):
        name = self.path.split("?")[0].strip("/")
        if name.startswith("endless"):
            self.send_response(200)
            self.end_headers()
            block = b"x" * (1 << 20)
            try:
                for _ in range(1 << 10):
                    self.wfile.write(block)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
        elif name.startswith("round/"):
            self.redirect(f"/{name}")
        elif name.startswith("down/"):
            self.redirect(f"{self.plain}/{name.removeprefix('down/')}")
        elif name.startswith("elsewhere/"):
            self.redirect(f"/{name.removeprefix('elsewhere/')}")
        else:
            super().do_GET()

    def redirect(self, where):
        self.send_response(302)
        self.send_header("Location", where)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(folder: Path, context: ssl.SSLContext | None, plain: str = "") -> ThreadingHTTPServer:
    handler = type("Here", (Handler,), {"plain": plain})
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The file that a client has to believe in, and what a server shows."""
    key, file = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(file)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
