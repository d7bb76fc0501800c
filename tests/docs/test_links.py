# SPDX-License-Identifier: Apache-2.0
"""Every relative link and every file that a document names is there."""

import subprocess
from pathlib import Path

import pytest
from documents import links, named_files

ROOT = Path(__file__).resolve().parents[2]
# Named as what a reader would write, or as what isn't wanted here.
NOT_OURS = {"NAME.cpp", "util.h", "output.txt"}


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in out.split("\0") if name and (ROOT / name).is_file()]


TREE = tracked()
BASENAMES = {Path(name).name for name in TREE}
DOCUMENTS = [name for name in TREE if name.endswith(".md")]


def is_there(name: str, document: str) -> bool:
    """By its path from the root, from the kernel's headers or from the document; or a bare name anywhere."""
    if "/" not in name:
        return name in BASENAMES or name in NOT_OURS
    places = (ROOT, (ROOT / document).parent, ROOT / "kernel" / "include")
    return any((place / name).exists() for place in places)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_named_files_exist(document):
    text = (ROOT / document).read_text("utf-8")
    broken = [t for t in links(text) if t and not (ROOT / document).parent.joinpath(t).exists()]
    assert broken == [], f"{document}: links to nowhere"
    absent = [name for name in named_files(text) if not is_there(name, document)]
    assert absent == [], f"{document}: names files that are not there"


def test_each_folder_says_what_it_holds():
    folders = (
        "kernel",
        "registry",
        "experiments",
        "plugins",
        "tools",
        "tests",
        "third_party",
        "docs",
    )
    assert [folder for folder in folders if not (ROOT / folder / "README.md").is_file()] == []


def test_every_page_of_the_documentation_is_in_its_index():
    index = set(links((ROOT / "docs" / "README.md").read_text("utf-8")))
    pages = {Path(d).relative_to("docs").as_posix() for d in DOCUMENTS if d.startswith("docs/")}
    assert pages - index - {"README.md"} == set()
