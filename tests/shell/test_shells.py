# SPDX-License-Identifier: Apache-2.0
"""Completion in bash, zsh and fish themselves, at a terminal: keys go in, and the shell says what then stands on its line."""

import contextlib
import os
import shlex
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
from build_folder import ROOT

SCRIPTS = ROOT / "tools" / "shell"
SECONDS = 20

START = {
    "bash": f"""
PS1='> '
bind 'set enable-bracketed-paste off'
bind 'set show-all-if-ambiguous on'
bind 'set page-completions off'
bind -x '"\\C-xd": printf %s "$READLINE_LINE" > "$SAID.new"; mv "$SAID.new" "$SAID"'
. {SCRIPTS}/paribus.bash
""",
    "zsh": f"""
PS1='> '
fpath=({SCRIPTS} $fpath)
autoload -U compinit && compinit -u -D
unsetopt beep
LISTMAX=1000
say() {{ print -rn -- "$BUFFER" > "$SAID.new"; mv "$SAID.new" "$SAID" }}
zle -N say
bindkey -e
bindkey '^Xd' say
bindkey '^Xc' complete-word
""",
    "fish": f"""
function fish_prompt; echo -n '> '; end
function fish_greeting; end
source {SCRIPTS}/paribus.fish
bind \\cxd 'commandline | string collect > $SAID.new; mv $SAID.new $SAID'
""",
}
COMMAND = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


class Terminal:
    def __init__(self, shell: str, place, folder: Path):
        self.said = folder / "said"
        start = folder / "start"
        start.write_text(START[shell])
        ready = folder / "ready"
        environment = place.environment | {"SAID": str(self.said), "TERM": "xterm"}
        self.child = pexpect.spawn(
            COMMAND[shell][0], COMMAND[shell][1:], cwd=str(place.folder), env=environment,
            encoding="utf-8", timeout=SECONDS, dimensions=(200, 300),
        )  # fmt: skip
        self.child.logfile_read = self.screen = open(folder / "screen", "w+")  # noqa: SIM115
        self.child.sendline(
            f"source {start}; and touch {ready}" if shell == "fish" else f". {start}; touch {ready}"
        )
        self._wait(ready)
        time.sleep(0.2)

    def _wait(self, path: Path) -> str:
        """Reads the terminal, or the shell would stop, until the file is there."""
        end = time.monotonic() + SECONDS
        while not path.exists():
            assert time.monotonic() < end, f"no {path.name}: {self.shown()}"
            with contextlib.suppress(pexpect.TIMEOUT):
                self.child.read_nonblocking(100_000, timeout=0.05)
        return path.read_text()

    def shown(self) -> str:
        self.screen.flush()
        return Path(self.screen.name).read_text()

    def shown_with(self, *words: str) -> str:
        """What is on the screen once all of these are; some of it may still be on its way."""
        end = time.monotonic() + SECONDS
        while not all(word in self.shown() for word in words) and time.monotonic() < end:
            with contextlib.suppress(pexpect.TIMEOUT):
                self.child.read_nonblocking(100_000, timeout=0.05)
        assert all(word in self.shown() for word in words)
        return self.shown()

    def line_after(self, keys: str) -> str:
        self.child.send(keys)
        self.child.send("\x18d")
        text = self._wait(self.said)
        self.said.unlink()
        self.child.send("\x15")  # an empty line again
        return text.rstrip("\n")

    def close(self):
        self.child.close(force=True)
        self.screen.close()


@pytest.fixture(params=["bash", "zsh", "fish"])
def terminal(request, place, tmp_path):
    terminal = Terminal(request.param, place, tmp_path)
    terminal.shell = request.param
    yield terminal
    terminal.close()


def arguments(line: str, folder: Path, shell: str) -> list[str]:
    """What the command would be given, were the line run."""
    out = folder / "arguments"
    function = 'paribus() { printf "%s\\0" "$@" > ' + shlex.quote(str(out)) + "; }\n"
    if shell == "fish":
        function = f"function paribus; printf '%s\\0' $argv > {out}; end\n"
    subprocess.run([*COMMAND[shell][:-1], "-c", function + line], cwd=folder, timeout=SECONDS)
    return out.read_text().split("\0")[:-1]


def test_what_is_typed_is_completed(terminal):
    assert terminal.line_after("paribus che\t") == "paribus check "
    assert terminal.line_after("paribus check stu\t").rstrip() == "paribus check study.toml"
    assert terminal.line_after("paribus run study.toml --fr\t") == "paribus run study.toml --fresh "
    assert (
        terminal.line_after("paribus plugins show optimizer/looka\t")
        == "paribus plugins show optimizer/lookahead "
    )
    assert terminal.line_after("paribus help plugins lo\t") == "paribus help plugins lock "
    assert (
        terminal.line_after("paribus status runs/d\t").rstrip("/ ") == "paribus status runs/digits"
    )
    assert terminal.line_after("paribus compare di\t").rstrip() == "paribus compare di"
    assert (
        terminal.line_after("paribus run study.toml --isolate=e\t")
        == "paribus run study.toml --isolate=exec "
    )
    assert terminal.line_after("paribus -\t-vers\t").startswith("paribus -")


def test_keys_and_values(terminal):
    start = "paribus run study.toml -s "
    assert terminal.line_after(f"{start}train.ep\t") == f"{start}train.epochs="
    assert terminal.line_after(f"{start}train.device=cu\t") == f"{start}train.device=cuda "
    assert terminal.line_after(f"{start}callback.ema.de\t") == f"{start}callback.ema.decay="
    assert terminal.line_after(f"{start}optimizer.inn\t") == f"{start}optimizer.inner"
    assert terminal.line_after(f"{start}optimizer.use=lookah\t") == f"{start}optimizer.use=lookah"
    assert terminal.line_after(f"{start}loss=mse\t") == f"{start}loss=mse "


def test_a_home(terminal, place):
    Path(place.environment["HOME"], "mine.toml").touch()
    assert terminal.line_after("paribus check ~/mi\t").rstrip() in (
        "paribus check ~/mine.toml",
        f"paribus check {place.environment['HOME']}/mine.toml",
    )


def test_quotes_that_are_open(terminal, place):
    (place.folder / "my study.toml").touch()
    for typed in ("my", '"my', "'my", "my\\ s"):
        line = terminal.line_after(f"paribus check {typed}\t")
        assert arguments(line, place.folder, terminal.shell) == ["check", "my study.toml"], line


def test_candidates_are_shown_with_what_they_are(terminal):
    terminal.line_after("paribus re\t\t")
    shown = terminal.shown_with("resume", "results", "report")
    if terminal.shell != "bash":  # whose lists have no room for it
        assert "go on with a study" in shown


HOSTILE = [
    "$(touch x)",
    "`touch x`",
    ";touch x;",
    "a b",
    "it's",
    'a"b',
    "a\\b",
    "~",
    "*",
    "&touch x&",
    "{a,b}",
    "#",
]


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_hostile_names_never_run(terminal, place, quote):
    for number, name in enumerate(HOSTILE):
        record = place.folder / f"d{number}" / name
        (record / "journal").mkdir(parents=True)
    for number, name in enumerate(HOSTILE):
        line = terminal.line_after(f"paribus status {quote}d{number}/\t")
        assert not any(place.folder.rglob("x")), (name, line)
        got = arguments(line, place.folder, terminal.shell)
        assert [word.rstrip("/") for word in got] == ["status", f"d{number}/{name}"], (name, line)
        assert not any(place.folder.rglob("x")), (name, line)


def test_hostile_words_never_run(terminal, place):
    for name in ("$(touch x)", "`touch x`", "it's"):
        arms = f"[arms]\n{json_text(name)} = {{}}\n"
        (place.folder / "h.toml").write_text(f'data = "glyphs"\nmodel = "mlp"\n{arms}')
        line = terminal.line_after("paribus check h.toml -s arms.\t")
        assert arguments(line, place.folder, terminal.shell)[-1].startswith(f"arms.{name}."), line
        assert not any(place.folder.rglob("x")), (name, line)


def json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_what_is_typed_is_not_run(terminal, place):
    """Not even what would be, once the line is. TAB alone makes zsh expand what is typed, whosever command it is."""
    tab = "\x18c" if terminal.shell == "zsh" else "\t"
    for typed in (
        "paribus check $(touch x)",
        "paribus check `touch x`",
        'paribus check "$(touch x)',
        "paribus $(touch x) ",
    ):
        terminal.line_after(typed + tab)
        assert not any(place.folder.rglob("x")), typed


def test_a_program_in_the_folder_is_not_started(terminal, place):
    """`./paribus` is asked only when it is run."""
    trap = place.folder / "paribus"
    trap.write_text(f"#!/bin/sh\ntouch {place.folder}/x\n")
    trap.chmod(0o755)
    terminal.line_after("./paribus che\t")
    terminal.line_after("paribus che\t")
    assert not os.path.exists(place.folder / "x")


def test_the_scripts_find_the_program_beside_them(place, tmp_path, request):
    """Where `paribus` isn't in PATH, as with an environment that isn't active."""
    prefix = tmp_path / "prefix"
    target = prefix / "share" / "bash-completion" / "completions"
    target.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "paribus").symlink_to(place.environment["PATH"].split(":")[0] + "/paribus")
    (target / "paribus").write_text((SCRIPTS / "paribus.bash").read_text())
    place.environment["PATH"] = "/usr/bin:/bin"
    script = (
        f"compopt() {{ :; }}; . {target}/paribus; COMP_LINE='paribus che'; COMP_POINT=11; _paribus; "
        'printf "%s" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=place.environment
    )
    assert done.stdout == "check", done.stderr
