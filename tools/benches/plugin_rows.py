# SPDX-License-Identifier: Apache-2.0
"""The rows about plugins: how long an author waits for a build, and how long a folder full of them takes to look through."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from figure import Figure
from rows import ROOT, cpus, take_turns, timed, walls


def quietly(*words, **options):
    subprocess.run([str(word) for word in words], check=True, capture_output=True, **options)


def rebuild(setting):
    """a part of `plugins new` whose source has changed: cmake --build, without ccache"""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "prefix"
        quietly("cmake", "--install", setting.build, "--prefix", prefix)
        env = {**os.environ, "CCACHE_DISABLE": "1", "PATH": f"{prefix}/bin:{os.environ['PATH']}"}
        for kind in ("optimizer", "callback", "model"):
            name = f"timed_{kind}"
            quietly("paribus", "plugins", "new", kind, name, cwd=folder, env=env)
            build = ["cmake", "--build", "build", "--target", f"{kind}_{name}"]
            project = Path(folder) / name
            settings = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
            quietly("cmake", "-S", ".", "-B", "build", *settings, cwd=project, env=env)
            first, _ = timed(build, cwd=project, env=env)

            def turn(project=project, name=name, build=build):
                with (project / f"{name}.cpp").open("a") as source:
                    source.write("// changed\n")
                return timed(build, cwd=project, env=env)

            (got,) = take_turns(setting.turns(5), turn)
            bar = 6 if kind in ("optimizer", "callback") else None
            figures.append(Figure(f"{kind}, CPU time", "s", cpus(got), bar=bar))
            figures.append(
                Figure(f"{kind}, wall time", "s", walls(got), ours=f"the first time {first:.1f} s")
            )
    return figures


def many_plugins(source: Path, folder: Path, count: int):
    """Copies of a plugin whose manifests name parts of their own."""
    folder.mkdir()
    section = folder / "section"
    read = ["objcopy", "-O", "binary", "--only-section=.paribus", source, section]
    quietly(*read)
    text = section.read_bytes()
    for number in range(count):
        section.write_bytes(re.sub(rb'"name":"lion"', b'"name":"lion_%d"' % number, text, count=1))
        target = folder / f"optimizer_lion_{number}.so"
        quietly("objcopy", "--update-section", f".paribus={section}", source, target)
    section.unlink()


def index(setting):
    """`paribus plugins` with a folder of 500 plugins: never seen, and seen before; the whole program"""
    count = 500
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "plugins"
        built_in = setting.build / "lib" / "paribus" / "plugins"
        many_plugins(built_in / "optimizer_lion.so", folder, count)
        cache = Path(place) / "cache"
        env = {**os.environ, "PARIBUS_PLUGINS": str(folder), "XDG_CACHE_HOME": str(cache)}
        words = [str(setting.build / "bin" / "paribus"), "plugins", "--kind", "optimizer"]
        listed = subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout
        all_there = listed.count("lion_") == count
        time.sleep(2.5)  # files that changed just now are looked at again

        def cold():
            shutil.rmtree(cache, ignore_errors=True)
            return timed(words, env=env)

        unseen, seen = take_turns(setting.turns(15), cold, lambda: timed(words, env=env))
    return [
        Figure("never seen", "ms", [1e3 * wall for wall in walls(unseen)], equal=all_there),
        Figure("seen before", "ms", [1e3 * wall for wall in walls(seen)], bar=20, equal=all_there),
        Figure("seen before, CPU time", "ms", [1e3 * cpu for cpu in cpus(seen)]),
    ]


def complete(setting):
    """what a shell waits for at a press of TAB: `paribus complete`, the whole program"""
    paribus = setting.build / "bin" / "paribus"
    study = ROOT / "experiments" / "quickstart" / "study.toml"
    asked = {
        "commands": [""],
        "names of parts": ["plugins", "show", "optimizer/"],
        "keys of a study": ["run", study, "-s", "optimizer."],
        "studies and folders": ["check", f"{ROOT}/experiments/"],
    }
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "XDG_CACHE_HOME": cache}

        def act(words):
            return lambda: timed([paribus, "complete", "words", *words], env=env)

        got = take_turns(setting.turns(25), *map(act, asked.values()))
    return [
        Figure(name, "ms", [1e3 * wall for wall in walls(times)], bar=50)
        for name, times in zip(asked, got, strict=True)
    ]


ROWS = {row.__name__: row for row in (rebuild, index, complete)}
