# SPDX-License-Identifier: Apache-2.0
"""[study] trust: what is loaded is built in, or signed with a key that the study names."""

import base64
import json
import shutil
from pathlib import Path

import pytest
from lab import FIXTURES, Lab, differences
from minisign import Signer

STUDY = """\
study = {{ seeds = [1], threads = 1, plugins = ["mine"]{study} }}
model = {{ use = "mlp", hidden = [4] }}
data = {{ use = "glyphs", items = 40, valid_items = 10, transforms = ["normalize"] }}
train.epochs = 1
[schedule]
"optimizer.lr" = {{ use = "witness" }}
"""


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    lab.environment["PARIBUS_LAWS_WITNESS"] = str(tmp_path / "loaded")
    lab.environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    (tmp_path / "mine").mkdir()
    lab.plugin = Path(shutil.copy(FIXTURES / "witness" / "witness.so", tmp_path / "mine"))
    lab.alice, lab.mallory = Signer(tmp_path, "alice"), Signer(tmp_path, "mallory")
    return lab


def study(lab, *keys):
    listed = ", ".join(json.dumps(key) for key in keys)
    return lab.write("study.toml", STUDY.format(study=f", trust = [{listed}]"))


def refused(lab, file, *words) -> str:
    (lab.folder / "loaded").unlink(missing_ok=True)
    done = lab.command("check", file, *words)
    print(done.stderr)
    assert done.returncode == 2
    assert not (lab.folder / "loaded").exists()
    return done.stderr


def accepted(lab, file):
    done = lab.command("check", file)
    assert done.returncode == 0, done.stderr
    assert (lab.folder / "loaded").exists()


@pytest.mark.parametrize("how", [[], ["-l"]], ids=["prehashed", "legacy"])
def test_what_minisign_signed_is_loaded(lab, how):
    lab.alice.sign(lab.plugin, *how)
    accepted(lab, study(lab, lab.alice.text))
    kind = base64.b64decode(Path(f"{lab.plugin}.minisig").read_text().splitlines()[1])[:2]
    assert kind == (b"Ed" if how else b"ED")
    said = refused(lab, study(lab, lab.mallory.text))
    assert f"{lab.plugin}: was signed with the key {lab.alice.id}, which is none of those" in said
    assert "study.toml:1:" in said


def test_what_is_not_signed_is_refused(lab):
    assert f"{lab.plugin}: isn't signed: there is no witness.so.minisig" in refused(
        lab, study(lab, lab.alice.text)
    )
    refused(lab, study(lab))  # nobody's but what is built in
    lab.alice.sign(lab.plugin)
    refused(lab, study(lab))


def test_names_of_keys(lab):
    lab.alice.sign(lab.plugin)
    file = study(lab, "alice")
    assert "study.toml:1:" in refused(lab, file)
    lab.answer("plugins", "keys", "add", "alice", lab.alice.public)
    accepted(lab, file)
    lab.answer("plugins", "keys", "add", "mallory", lab.mallory.text)
    listed = json.loads(lab.answer("plugins", "keys", "list", "--json"))["keys"]
    assert [(k["name"], k["id"], k["key"]) for k in listed] == [
        ("alice", lab.alice.id, lab.alice.text),
        ("mallory", lab.mallory.id, lab.mallory.text),
    ]
    assert lab.alice.text in lab.answer("plugins", "keys", "list")
    assert "no key is named 'alce'; did you mean 'alice'?" in refused(lab, study(lab, "alce"))
    refused(lab, study(lab, "mallory"))
    lab.answer("plugins", "keys", "remove", "alice")
    assert "no key is named 'alice'" in refused(lab, study(lab, "alice"))


def test_keys_that_are_none(lab):
    for words, text in [
        (["add", "alice", "RWnonsense"], "is no public key of minisign"),
        (["add", "../alice", lab.alice.text], "is no name for a key"),
        (["remove", "alice"], "no key is named 'alice'"),
    ]:
        done = lab.command("plugins", "keys", *words)
        assert done.returncode == 2
        assert text in done.stderr
    lab.answer("plugins", "keys", "add", "alice", lab.alice.text)
    done = lab.command("plugins", "keys", "add", "alice", lab.mallory.text)
    assert done.returncode == 2
    assert f"the name 'alice' is that of the key {lab.alice.id}" in done.stderr


def test_a_keyring_that_others_may_write_is_not_used(lab):
    lab.answer("plugins", "keys", "add", "alice", lab.alice.text)
    lab.alice.sign(lab.plugin)
    ring = lab.folder / "config" / "paribus" / "keys"
    assert ring.stat().st_mode & 0o777 == 0o700
    for path, mode in (ring, 0o777), (ring / "alice.pub", 0o666):
        before = path.stat().st_mode
        path.chmod(mode)
        assert "may be written by everyone" in refused(lab, study(lab, "alice"))
        path.chmod(before)
    accepted(lab, study(lab, "alice"))


@pytest.mark.parametrize("part", ["plugin", "signature", "comment", "comment's signature", "lines"])
def test_a_bit_that_changed_anywhere(lab, part):
    signature = lab.alice.sign(lab.plugin)
    lines = signature.read_text().splitlines()
    if part == "plugin":
        data = bytearray(lab.plugin.read_bytes())
        data[-1] ^= 1
        lab.plugin.write_bytes(data)
    elif part == "comment":
        lines[2] += "!"
    elif part == "lines":
        lines = lines[:2]
    else:
        line = 1 if part == "signature" else 3
        data = bytearray(base64.b64decode(lines[line]))
        data[-1] ^= 1
        lines[line] = base64.b64encode(data).decode()
    signature.write_text("\n".join(lines) + "\n")
    said = refused(lab, study(lab, lab.alice.text))
    wanted = {
        "plugin": "is not what was signed with the key",
        "signature": "is not what was signed with the key",
        "comment": "trusted comment was changed",
        "comment's signature": "trusted comment was changed",
        "lines": "is no signature of minisign",
    }
    assert f"{lab.plugin}: " in said
    assert wanted[part] in said


def test_a_signed_study_has_the_same_bits_and_resumes(lab):
    lab.alice.sign(lab.plugin)
    plain = lab.run(lab.write("plain.toml", STUDY.format(study="")), "plain")
    signed = lab.run(study(lab, lab.alice.text), "signed")
    assert differences(plain.all(), signed.all()) == []
    Path(f"{lab.plugin}.minisig").unlink()
    done = lab.command("resume", lab.folder / "runs" / "signed")
    assert done.returncode == 2
    assert "isn't signed" in done.stderr
