# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback that goes wrong on the way to a real server, and back."""

import contextlib
import datetime
import http.client
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """Hands requests on. `faults`: for each one in turn None, a status (429 and such, with Retry-After: 0.2), "drop"
    (before the server has it), "taken, then drop", "cut" (half of the answer comes), "dribble" (all of it, byte by
    byte), "10 MB" (of something else), "mute" (no answer), "endless" (a byte now and then, and no end).
    `listen`: its own port, where it is to be a certain one. `certificate`: a PEM file with a key; it speaks https."""

    def __init__(self, port, faults=(), to="127.0.0.1", listen=0, certificate=None):
        self.target, self.to, self.certificate = port, to, certificate
        self.faults, self.wait = list(faults), "0.2"
        self.seen = []  # of each request: method, path, headers, body, the status it got
        self.lock, self.connections = threading.Lock(), set()
        self.port = listen
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def setup(self):
                super().setup()
                with proxy.lock:
                    proxy.connections.add(self.connection)

            def finish(self):
                with proxy.lock:
                    proxy.connections.discard(self.connection)
                super().finish()

            def handle_one(self):
                proxy.pass_on(self)

            do_GET = do_POST = do_PUT = handle_one

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that was killed

        self.make = lambda: Server(("127.0.0.1", self.port), Handler)
        self.start()

    def start(self):
        """Again at the same address, after `stop`."""
        self.stopped = threading.Event()
        self.server = self.make()
        self.port = self.server.server_address[1]
        if self.certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self.certificate)
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and who was connected is no longer."""
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):  # it has gone
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

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
        if fault in ("mute", "endless"):
            self.note(handler, body, fault)
            self.hold(handler, fault)
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
        if fault == "10 MB":
            answer = b"x" * (10 << 20)
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        if fault == "dribble":
            for byte in answer:
                handler.wfile.write(bytes([byte]))
                self.stopped.wait(0.001)
            return
        if fault == "cut":
            handler.wfile.write(answer[: len(answer) // 2])
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.wfile.write(answer)

    def hold(self, handler, fault):
        """Until one of both goes."""
        if fault == "endless":
            handler.send_response(200)
            handler.send_header("Content-Length", str(1 << 20))
            handler.end_headers()
        while not self.stopped.wait(0.05):
            if fault == "endless":
                handler.wfile.write(b" ")

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
        self.stop()


def now_and_then(fault, between, times=40):
    """One request of `between` + 1 goes wrong: over a study, each kind of request does."""
    return [fault if number == between else None for number in range(between + 1)] * times


def certificate(path, host="127.0.0.1", days=(-1, 1)):
    """A PEM file that vouches for itself: a key and what it is for, from and to so many days from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)])
    first, last = (
        datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=day) for day in days
    )
    is_number = host.replace(".", "").isdigit()
    known = x509.IPAddress(ipaddress.ip_address(host)) if is_number else x509.DNSName(host)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName([known]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    form, secrecy = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(text, form, secrecy) + made.public_bytes(text))
    return path
