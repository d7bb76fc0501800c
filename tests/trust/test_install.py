# SPDX-License-Identifier: Apache-2.0
"""paribus plugins install: verified first, then put in place whole, from a file or by https."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from files_server import certificate, serve
from lab import FIXTURES, Lab
from minisign import Signer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    believed, context = certificate(folder)
    plain = serve(folder, None)
    secure = serve(folder, context, f"http://127.0.0.1:{plain.server_port}")
    secure.folder, secure.believed = folder, believed
    secure.url = f"https://127.0.0.1:{secure.server_port}"
    secure.plain_url = f"http://127.0.0.1:{plain.server_port}"
    secure.plugin = Path(shutil.copy(FIXTURES / "witness" / "witness.so", folder))
    secure.alice = Signer(folder, "alice")
    secure.alice.sign(secure.plugin)
    shutil.copy(secure.plugin, folder / "bare.so")
    shutil.copy(secure.plugin, folder / "forged.so")
    (folder / "forged.so").write_bytes(secure.plugin.read_bytes() + b"\0")
    shutil.copy(f"{secure.plugin}.minisig", folder / "forged.so.minisig")
    yield secure
    secure.shutdown()
    plain.shutdown()


@pytest.fixture
def lab(tmp_path, server):
    lab = Lab(tmp_path)
    lab.environment["PARIBUS_LAWS_WITNESS"] = str(tmp_path / "loaded")
    lab.environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    lab.environment["SSL_CERT_FILE"] = str(server.believed)
    lab.installed = tmp_path / "home" / "paribus" / "plugins"
    return lab


def install(lab, *words) -> dict:
    told = json.loads(lab.answer("plugins", "install", *words, "--json"))
    assert not (lab.folder / "loaded").exists()
    assert lab.answer("plugins", "show", "schedule/witness")
    return told


def refused(lab, *words) -> str:
    before = {path: path.read_bytes() for path in lab.installed.glob("*")}
    done = lab.command("plugins", "install", *words)
    print(done.stderr)
    assert done.returncode == 2
    assert {path: path.read_bytes() for path in lab.installed.glob("*")} == before
    assert not (lab.folder / "loaded").exists()
    return done.stderr


def test_signed_with_a_key_that_is_known(lab, server):
    lab.answer("plugins", "keys", "add", "alice", server.alice.text)
    told = install(lab, f"{server.url}/witness.so")
    assert told == {
        "file": str(lab.installed / "witness.so"),
        "parts": ["schedule/witness"],
        "sha256": hashlib.sha256(server.plugin.read_bytes()).hexdigest(),
        "signed_by": {"key": "alice", "comment": "made with care"},
        "replaced": False,
    }
    names = sorted(path.name for path in lab.installed.iterdir())
    assert names == ["witness.so", "witness.so.minisig"]
    assert (lab.installed / "witness.so").read_bytes() == server.plugin.read_bytes()
    assert install(lab, server.plugin)["replaced"]


@pytest.mark.parametrize("key", ["text", "public"])
def test_signed_with_the_key_that_is_named(lab, server, key):
    words = ["--key", getattr(server.alice, key)]
    assert install(lab, f"{server.url}/elsewhere/witness.so?v=1#x", *words)["signed_by"]
    said = lab.answer("plugins", "install", server.plugin, *words)
    assert said.startswith(f"replaced {lab.installed}/witness.so: schedule/witness, signed by ")


def test_not_signed(lab, server):
    said = refused(lab, f"{server.url}/bare.so")
    assert "it isn't signed: " in said
    assert "--sha256 SUM" in said
    assert "--unsigned" in said
    assert install(lab, f"{server.url}/bare.so", "--unsigned")["signed_by"] is None


def test_its_sum(lab, server):
    total = hashlib.sha256(server.plugin.read_bytes()).hexdigest()
    assert f"its sha256 is {total}, --sha256 asks for 00" in refused(
        lab, f"{server.url}/bare.so", "--sha256", "00" * 32
    )
    assert install(lab, f"{server.url}/bare.so", "--sha256", total.upper())["sha256"] == total


def test_a_key_that_nobody_knows(lab, server):
    said = refused(lab, f"{server.url}/witness.so")
    assert f"signed with the key {server.alice.id}, which you don't know" in said
    assert "paribus plugins keys add" in said


def test_a_wrong_signature_is_never_passed_over(lab, server):
    lab.answer("plugins", "keys", "add", "alice", server.alice.text)
    for words in [], ["--unsigned"], ["--key", "alice"]:
        assert "is not what was signed" in refused(lab, f"{server.url}/forged.so", *words)


def test_a_named_key_wants_a_signature(lab, server):
    total = hashlib.sha256(server.plugin.read_bytes()).hexdigest()
    words = ["--key", server.alice.text, "--sha256", total]
    assert "it isn't signed" in refused(lab, f"{server.url}/bare.so", *words)
    done = lab.command("plugins", "install", server.plugin, "--unsigned", "--key", "alice")
    assert done.returncode == 2


def test_ways_that_are_not_taken(lab, server):
    assert "plugins come by https" in refused(lab, f"{server.plain_url}/bare.so", "--unsigned")
    assert "can't fetch" in refused(lab, f"{server.url}/down/bare.so", "--unsigned")
    assert "redirects" in refused(lab, f"{server.url}/round/bare.so", "--unsigned")
    assert "404" in refused(lab, f"{server.url}/nothing.so", "--unsigned")
    lab.environment["SSL_CERT_FILE"] = "/etc/ssl/certs/ca-certificates.crt"
    assert "certificate" in refused(lab, f"{server.url}/bare.so", "--unsigned")


def test_too_much_is_not_taken(lab, server):
    said = refused(lab, f"{server.url}/endless.so", "--unsigned")
    assert "longer than the 268435456 bytes expected" in said
    with (lab.folder / "large.so").open("wb") as file:
        file.truncate((256 << 20) + 1)
    assert "longer than the 268435456 bytes" in refused(lab, "large.so", "--unsigned")


@pytest.mark.parametrize("name", ["x.txt", ".so", "..so", "a b.so", "a\n.so"])
def test_names_that_are_none(lab, server, name):
    assert "a plugin is a file NAME.so" in refused(lab, f"{server.url}/{name}", "--unsigned")


def test_what_is_no_plugin(lab, server):
    (lab.folder / "text.so").write_text("hello")
    assert "text.so: " in refused(lab, "text.so", "--unsigned")
    assert "No such file" in refused(lab, "nothing.so", "--unsigned")


def test_two_of_one_name(lab, server):
    total = hashlib.sha256(server.plugin.read_bytes()).hexdigest()
    install(lab, f"{server.url}/bare.so", "--sha256", total)
    said = refused(lab, f"{server.url}/witness.so", "--unsigned")
    assert f"schedule/witness is offered by {lab.installed}/bare.so already" in said


def test_a_folder_that_others_may_write(lab, server):
    lab.installed.mkdir(parents=True)
    lab.installed.chmod(0o777)
    assert "may be written by everyone" in refused(lab, server.plugin, "--unsigned")
