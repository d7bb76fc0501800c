# SPDX-License-Identifier: Apache-2.0
"""The reader of documents finds what is wrong in them."""

import documents
import pytest

TEXT = """\
Text.

<!-- file: a.toml -->
<!-- status: 2 -->
```toml
model = "mlp"
```
More.
```console
$ paribus check a.toml
a.toml: wrong
$ true
```
"""


def test_blocks_have_their_notes_and_only_theirs():
    first, second = documents.blocks("a.md", TEXT)
    assert (first.language, first.text, first.line) == ("toml", 'model = "mlp"\n', 5)
    assert first.notes == {"file": "a.toml", "status": "2"}
    assert second.notes == {}
    checked, true = documents.commands(second)
    assert (checked.text, checked.output) == ("paribus check a.toml", ["a.toml: wrong"])
    assert (true.text, true.output) == ("true", [])


def test_a_note_belongs_to_the_next_block_only():
    (block,) = documents.blocks("a.md", "<!-- status: 2 -->\nSomething else.\n```text\n```\n")
    assert block.notes == {}


def test_a_block_without_end_is_told():
    with pytest.raises(ValueError, match="a.md:2: this block has no end"):
        documents.blocks("a.md", "x\n```sh\n$ ls\n")


def test_output_without_command_is_told():
    (block,) = documents.blocks("a.md", "```console\nls\n```\n")
    with pytest.raises(ValueError, match="a.md:1: output without a command: ls"):
        documents.commands(block)


def test_numbers_and_widths_may_differ_and_words_may_not():
    real = "arm     trials\nsgd  8 of 10   0.78775 ± 0.012\n7a18e900095e5b38  done"
    assert documents.missing_output(["arm  trials", "sgd 9 of 1,000  1e-05 ± 7"], real) == []
    assert documents.missing_output(["...", "00ff00ff00ff00ff  done"], real) == []
    assert documents.missing_output(["adam 8 of 10 0.7 ± 0.1"], real) != []
    assert documents.missing_output(["arm  trial"], real) == ["arm  trial"]
    assert documents.missing_output(["took 9 ms of 3"], "took 1 min 05 s of 3") == []
    assert documents.missing_output(["took 9 ms of 3"], "took 1 apple of 3") != []
    backwards = ["sgd 8 of 10 0.7 ± 0.1", "arm  trials"]
    assert documents.missing_output(backwards, real) == ["arm  trials"], "in their order"


def test_links_and_names():
    text = "[a](b.md#c) [x](https://x.org) [y](#z) `kernel/src/groups.cpp` `a.{h,cpp}` `x = 1` `[q](r)`"
    assert documents.links(text) == ["b.md"]
    assert documents.named_files(text) == ["kernel/src/groups.cpp", "a.h", "a.cpp"]
    assert documents.links("```text\n[a](b)\n```") == []
