# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that speaks enough of Weights & Biases' protocol for its own client, and keeps all that came."""

import base64
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Run:
    """What the server holds of one."""

    def __init__(self):
        self.fields = {}  # of UpsertBucket, those that were given
        self.history = {}  # by number of the line
        self.events = {}  # likewise: what was sampled
        self.summary = self.complete = self.exitcode = None
        self.output = {}
        self.uploaded = []
        self.files = {}

    def rows(self):
        """Its history, whole: a hole would show."""
        assert sorted(self.history) == list(range(len(self.history)))
        return [json.loads(self.history[number]) for number in sorted(self.history)]

    def samples(self):
        """Of machine and trial, whole."""
        assert sorted(self.events) == list(range(len(self.events)))
        return [json.loads(self.events[number]) for number in sorted(self.events)]


class Recorder:
    def __init__(self, entity="someone"):
        self.entity, self.runs = entity, {}
        self.requests = []  # method, path, headers, body
        self.headers = {}  # of every answer, beside the usual ones
        self.lock = threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def handle_one(self):
                recorder.take(self)

            do_GET = do_POST = do_PUT = handle_one

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = self.storage = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler):
        body = self.body(handler)
        with self.lock:
            self.requests.append((handler.command, handler.path, dict(handler.headers), body))
            if handler.path == "/graphql":
                answer = self.graphql(json.loads(body))
            elif handler.path.endswith("/file_stream"):
                answer = self.stream(handler.path.split("/")[4], json.loads(body))
            else:
                _, _, run, name = handler.path.split("/", 3)
                self.runs[run].files[name] = body
                answer = {}
        data = json.dumps(answer).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def body(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.headers.get("Transfer-Encoding") == "chunked":
            while size := int(handler.rfile.readline().split(b";")[0], 16):
                body += handler.rfile.read(size)
                handler.rfile.readline()
            handler.rfile.readline()
        return gzip.decompress(body) if handler.headers.get("Content-Encoding") == "gzip" else body

    def graphql(self, request):
        variables = request.get("variables") or {}
        operation = request["operationName"]
        if operation == "Viewer":
            teams = {"edges": []}
            known = {"id": "1", "entity": self.entity, "username": "u", "email": "", "flags": "{}"}
            return {"data": {"viewer": known | {"teams": teams}}}
        if operation == "UpsertBucket":
            return {"data": {"upsertBucket": self.upsert(variables)}}
        if operation == "CreateRunFiles":
            run = variables["run"]
            files = [
                {"name": name, "uploadUrl": f"{self.storage}/storage/{run}/{name}"}
                for name in variables["files"]
            ]
            made = {"runID": run, "uploadHeaders": ["X-Storage:of this server"], "files": files}
            return {"data": {"createRunFiles": made}}
        return {"data": None, "errors": [{"message": f"no operation {operation}"}]}

    def upsert(self, variables):
        name = variables["name"]
        is_new = name not in self.runs
        run = self.runs.setdefault(name, Run())
        run.fields |= {key: value for key, value in variables.items() if value is not None}
        run.complete = run.exitcode = None
        entity = {"id": "E", "name": run.fields.get("entity", self.entity)}
        bucket = {
            "id": "B",
            "name": name,
            "displayName": run.fields.get("displayName", "x"),
            "description": None,
            "config": run.fields.get("config", "{}"),
            "sweepName": None,
            "project": {"id": "P", "name": run.fields["project"], "entity": entity},
            "historyLineCount": len(run.history),
        }
        return {"bucket": bucket, "inserted": is_new}

    def stream(self, name, body):
        run = self.runs[name]
        files = body.get("files", {})
        for kept, file in (
            (run.history, "wandb-history.jsonl"),
            (run.events, "wandb-events.jsonl"),
            (run.output, "output.log"),
        ):
            part = files.get(file, {"offset": 0, "content": []})
            for number, line in enumerate(part["content"], part["offset"]):
                assert file == "output.log" or kept.get(number, line) == line, (
                    "another line of the same number"
                )
                kept[number] = line
        if "wandb-summary.json" in files:
            run.summary = json.loads(files["wandb-summary.json"]["content"][-1])
        run.uploaded += body.get("uploaded") or []
        run.complete = body.get("complete", run.complete)
        run.exitcode = body.get("exitcode", run.exitcode)
        return {"exitcode": None, "limits": {}}

    def operations(self):
        """Names of those that GraphQL was asked for, and of the other places."""
        found = []
        for method, path, _, body in self.requests:
            if path == "/graphql":
                found.append(json.loads(body)["operationName"])
            else:
                found.append(method + " " + ("file" if method == "PUT" else path.split("/")[-1]))
        return found

    def points(self, of):
        """`of`: the trial of each run's name. Every point of every row: doubles show."""
        found = []
        for name, run in self.runs.items():
            for row in run.rows():
                found += [
                    (of(name), metric, row["_step"], value)
                    for metric, value in row.items()
                    if not metric.startswith("_")
                ]
        return sorted(found)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def basic(key):
    """As HTTP Basic has it."""
    return "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
