# SPDX-License-Identifier: Apache-2.0
"""`paribus watch --web` and its clients: who is refused, who is served, and that none of them costs the others anything."""

import json
import random
import signal
import socket
import time
from contextlib import suppress

import pytest
from served import PATIENCE, everything, parsed
from watching import made, paribus

MOST_SERVED = 64


def report(folder) -> dict:
    return json.loads(paribus("report", folder, "--format", "json").stdout)


def points(data) -> int:
    """That are shown of the trial that runs."""
    return sum(
        len(seed["x"])
        for metric in data["curves"]["metrics"]
        if metric["name"] == "train.batch_loss"
        for arm in metric["arms"]
        for seed in arm["seeds"]
    )


@pytest.mark.parametrize("make", [made.two_arms, made.sweep, made.factorial, made.hostile])
def test_it_shows_what_the_report_shows(tmp_path, serve, make):
    folder = make(tmp_path / "s")
    served, wanted = serve(folder), report(folder)
    data = served.page_data()
    assert data.pop("live")["version"] > 0
    assert data == wanted
    stream = served.stream()
    event = stream.event()
    assert stream.data == wanted
    assert event["state"] | {"over": True, "driven": False, "problem": ""} == event["state"]
    assert stream.event()["pieces"] == [], "what did not change is not sent again"


def test_what_is_allowed_is_said_in_every_answer(tmp_path, serve):
    served = serve(made.two_arms(tmp_path / "s"))
    for path, kind in ((served.path, "text/html"), ("/", "text/plain")):
        _, fields, _ = served.ask(path=path)
        assert fields["content-type"] == f"{kind}; charset=utf-8"
        assert fields["cache-control"] == "no-store" and fields["connection"] == "close"
        assert fields["x-content-type-options"] == "nosniff"
        assert fields["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in fields["content-security-policy"]
        assert "frame-ancestors 'none'" in fields["content-security-policy"]
        assert "access-control-allow-origin" not in fields
    assert served.stream().fields["content-type"] == "text/event-stream; charset=utf-8"


def test_who_is_refused(tmp_path, serve):
    served = serve(made.two_arms(tmp_path / "s"))
    here, events = served.here, served.path + "events"
    wrong = "/" + "0" * 48 + "/"
    refused = [
        (404, {"path": "/"}),
        (404, {"path": wrong}),
        (404, {"path": wrong + "events"}),
        (404, {"path": served.path[:-2] + "/"}),
        (404, {"path": served.path[:-1]}),
        (404, {"path": served.path + "x"}),
        (404, {"path": served.path + "../" + served.path}),
        (404, {"path": events + "x"}),
        (404, {"path": "/favicon.ico"}),
        (400, {"path": "http://" + here + served.path}),
        (400, {"path": events + "?since=x"}),
        (400, {"path": events + "?since=-1"}),
        (400, {"path": events + "?since=" + "9" * 40}),
        (400, {"path": events, "Last_Event_ID": "x"}),
        (405, {"method": "POST"}),
        (405, {"method": "HEAD"}),
        (405, {"method": "OPTIONS", "Origin": "http://" + here}),
        (405, {"method": "BREW"}),
        (400, {"Content_Length": "5"}),
        (400, {"Transfer_Encoding": "chunked"}),
        (400, {"Connection": "upgrade", "Upgrade": "websocket"}),
        (403, {"host": f"evil.example:{served.port}"}),
        (403, {"host": "127.0.0.1"}),
        (403, {"host": f"127.0.0.1:{served.port + 1}"}),
        (403, {"host": f"127.0.0.1.evil.example:{served.port}"}),
        (403, {"host": f"0.0.0.0:{served.port}"}),
        (403, {"host": ""}),
        (400, {"Host": here}),  # twice
        (403, {"Origin": "http://evil.example"}),
        (403, {"Origin": "null"}),
        (403, {"Origin": f"https://{here}"}),
        (403, {"Origin": f"http://localhost:{served.port}"}),  # not the host that was asked
        (403, {"path": events, "Origin": "http://127.0.0.1:1"}),
        (403, {"Sec_Fetch_Site": "cross-site"}),
        (403, {"path": events, "Sec_Fetch_Site": "same-site"}),
        (431, {"Cookie": "x" * 9000}),
        (431, {"path": "/" + "x" * 9000}),
    ]
    for status, request in refused:
        got, fields, text = served.ask(**request)
        assert got == status, (request, got, text)
        assert len(text) < 100 and served.path.strip("/") not in text
        assert (fields.get("allow") == "get") is (status == 405)
    at_name = f"localhost:{served.port}"
    allowed = [{}, {"host": at_name}, {"host": at_name, "Origin": f"http://{at_name}"}]
    allowed += [{"Sec_Fetch_Site": "none"}, {"Sec_Fetch_Site": "same-origin"}]
    for request in allowed:
        assert served.ask(**request)[0] == 200, request


def test_it_listens_to_this_machine_alone(tmp_path, serve):
    served = serve(made.two_arms(tmp_path / "s"))
    address = "127.0.0.2"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some, suppress(OSError):
        some.connect(("192.0.2.1", 9))  # sends nothing: tells which address this machine would have
        address = some.getsockname()[0]
    with pytest.raises(OSError):
        socket.create_connection((address, served.port), timeout=PATIENCE)


def test_study_that_grows(running, serve):
    running.make(1, 250)
    served = serve(running.folder)
    stream, late = served.stream(), served.stream()
    stream.until(lambda data, _: points(data) == 250)
    assert stream.data["counts"] | {"running": 1, "planned": 1} == stream.data["counts"]
    running.make(251, 300)
    event = stream.until(lambda data, _: points(data) == 300)
    assert {path[0] for path, _ in event["pieces"]} <= {"curves", "trials"}, "only what changed"
    running.trial.add(b"\x00\x01")  # a write that is not done yet
    assert stream.event()["state"]["problem"] == ""
    running.trial.file.seek(-2, 2)
    running.end(0.875)
    event = stream.until(lambda data, _: data["counts"]["done"] == 2)
    running.driver.close()
    event = stream.until(lambda _, state: not state["driven"])
    wanted = report(running.folder)
    assert stream.data == wanted and served.page_data().items() >= wanted.items()
    late.until(lambda data, _: data.get("counts", {}).get("done") == 2)
    assert late.data == wanted, "one that read nothing until now has the same"
    again = served.stream(stream.version)
    assert again.event()["pieces"] == [], "one that comes back is told only what it missed"


def test_directory_that_goes_away(running, serve):
    running.make(1, 250)
    served = serve(running.folder)
    stream = served.stream()
    stream.event()
    running.folder.rename(running.folder.with_name("gone"))
    event = stream.until(lambda _, state: state["problem"])
    assert "study.log" in event["state"]["problem"] and points(stream.data) == 250
    assert served.ask()[0] == 200
    running.folder.with_name("gone").rename(running.folder)
    stream.until(lambda _, state: not state["problem"])


def test_it_only_reads(running, serve):
    running.make(1, 250)

    def files():
        found = [running.folder, *running.folder.rglob("*")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in found}

    before = files()
    served = serve(running.folder)
    stream = served.stream()
    for _ in range(3):
        stream.event()
    served.page_data()
    assert files() == before


def test_without_a_reader_nothing_is_done(running, serve):
    served = serve(running.folder)
    files = served.files()
    assert served.ask()[0] == 200
    stream = served.stream()
    stream.event()
    stream.close()
    until_files(served, files)
    before = served.cpu()
    time.sleep(3)  # three looks' time, were there any
    assert served.cpu() - before <= 0.05


def until_files(served, most: int) -> None:
    """Until it has no more files open than that."""
    deadline = time.monotonic() + PATIENCE
    while served.files() > most:
        assert time.monotonic() < deadline, f"{served.files()} files, not {most}"
        time.sleep(0.05)


def test_readers_that_do_not_read(running, serve):
    """Slow ones, silent ones, and two hundred at once: the others are told at once, and nothing is left of them."""
    running.make(1, 250)
    served = serve(running.folder)
    files, slow = served.files(), []
    stream = served.stream()
    stream.event()
    for _ in range(20):
        client = served.connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(served.head())
        client.recv(1)
        slow.append(client)
    silent = [served.connect() for _ in range(40)]
    for client in silent[::2]:
        client.sendall(b"GET / HT")
    running.make(251, 300)
    stream.until(lambda data, _: points(data) == 300)
    crowd = [served.connect() for _ in range(200)]
    for client in crowd:
        client.sendall(served.head(served.path + "events"))
    firsts = [client.recv(12) for client in crowd]
    taken = firsts.count(b"HTTP/1.1 200")
    assert MOST_SERVED - len(slow) - 1 <= taken < MOST_SERVED  # slow ones are dropped in the end
    assert firsts.count(b"HTTP/1.1 503") == 200 - taken
    running.make(301, 350)
    stream.until(lambda data, _: points(data) == 350)
    for client in (*slow, *silent, *crowd, stream):
        client.close()
    until_files(served, files)
    assert served.page_data()["counts"]["running"] == 1


def test_nothing_leaks(running, serve):
    running.make(1, 250)
    served = serve(running.folder)

    def round_of_all():
        for _ in range(40):
            assert served.ask(path="/")[0] == 404
            assert served.ask()[0] == 200
            stream = served.stream()
            stream.event()
            stream.close()

    files = served.files()
    round_of_all()
    until_files(served, files)
    before = served.memory()
    for _ in range(3):
        round_of_all()
    until_files(served, files)
    assert served.memory() - before < 8 << 10, "240 MB were sent meanwhile"


def test_garbage(tmp_path, serve):
    """Bytes of no meaning, requests with bytes changed, lines without end: answered with an error or cut, never a page."""
    served, draw = serve(made.two_arms(tmp_path / "s")), random.Random(11)
    whole = served.head(Accept="text/html", Origin="http://" + served.here)
    for number in range(300):
        if number % 3 == 0:
            data = draw.randbytes(draw.randint(1, 3000))
        else:
            bad = bytearray(whole)
            for _ in range(draw.randint(1, 6)):
                bad[draw.randrange(len(bad))] = draw.randrange(256)
            data = bytes(bad[: draw.choice([len(bad), draw.randrange(1, len(bad))])])
        with served.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            try:
                answer = everything(client)
            except ConnectionResetError:
                continue
        status = parsed(answer)[0] if answer else 0
        meant = served.path.encode() + b" HTTP/1." in data and served.here.encode() in data
        assert status in (
            (0, 200, 400, 403, 404, 405, 431) if meant else (0, 400, 403, 404, 405, 431)
        )
    with served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for _ in range(2000):
                client.sendall(b"X-" + b"y" * 1000 + b": z\r\n")
            answer = everything(client)
        except OSError:
            answer = b""
        assert answer[:12] in (b"", b"HTTP/1.1 431")
    assert served.ask()[0] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_how_it_ends(running, serve, number):
    served = serve(running.folder)
    stream = served.stream()
    stream.event()
    served.process.send_signal(number)
    assert served.process.wait(PATIENCE) == 130
    assert served.process.stderr.read() == ""


def test_wrong_requests(tmp_path, running, serve):
    missing = paribus("watch", tmp_path, "--web", status=2).stderr
    assert "is not a study's directory" in missing
    for other in ("--once", "--json"):
        assert other in paribus("watch", running.folder, "--web", other, status=2).stderr
    assert "--web" in paribus("watch", running.folder, "--port", "8000", status=2).stderr
    assert "--port" in paribus("watch", running.folder, "--web", "--port", "70000", status=2).stderr
    taken = serve(running.folder)
    words = ("watch", running.folder, "--web", "--port", str(taken.port))
    assert paribus(*words, status=2).stderr == (
        f"paribus: watch: port {taken.port} of 127.0.0.1 can't be had: Address already in use; "
        "without --port a free one is taken\n"
    )
    taken.close()
    again = serve(running.folder, "--port", taken.port)
    assert again.port == taken.port and again.path != taken.path, "the token is another every time"
