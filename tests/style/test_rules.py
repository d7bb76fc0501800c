# SPDX-License-Identifier: Apache-2.0
"""Each rule finds what it forbids, and only that."""

import rules


def test_kernel_includes_no_outside_library():
    text = '#include <vector>\n#include <boost/dll.hpp>\n#  include "registry/schema.h"\n'
    assert rules.check_arrows("kernel/src/a.cpp", text) == [
        "kernel/src/a.cpp:2: kernel/ must not include boost/dll.hpp",
        "kernel/src/a.cpp:3: kernel/ must not include registry/schema.h",
    ]
    assert rules.check_arrows("registry/a.cpp", "#include <boost/dll.hpp>\n") == []


def test_command_line_is_free_of_torch():
    text = "#include <torch/nn.h>\n"
    assert rules.check_arrows("tools/paribus/a.cpp", text) == [
        "tools/paribus/a.cpp:1: tools/paribus/ must not include torch/nn.h"
    ]
    assert rules.check_arrows("tools/worker/a.cpp", text) == []


def test_plugin_includes():
    good = "#include <paribus/loss.h>\n#include <ATen/ops/mul.h>\n#include <cmath>\n#include <zlib.h>\n"
    assert rules.check_plugin_includes("plugins/loss/a.cpp", good) == []
    beside = '#include "targets.h"\n'
    assert rules.check_plugin_includes("plugins/loss/l1.cpp", beside) == []
    assert rules.check_plugin_includes("plugins/optimizer/sgd.cpp", beside) == [
        "plugins/optimizer/sgd.cpp:1: a plugin must not include targets.h"
    ]
    bad = '#include "registry/schema.h"\n#include <fmt/core.h>\n'
    assert rules.check_plugin_includes("plugins/loss/a.cpp", bad) == [
        "plugins/loss/a.cpp:1: a plugin must not include registry/schema.h",
        "plugins/loss/a.cpp:2: a plugin must not include fmt/core.h",
    ]


def test_heavy_headers():
    assert rules.check_light("a.h", "#include <torch/torch.h>\n") == [
        "a.h:1: include the single headers that are needed, not torch/torch.h"
    ]
    assert rules.check_light("a.h", "#include <ATen/core/Tensor.h>\n") == []


def test_licence_line():
    wrong = [
        "a.cpp:1: the first line must be `SPDX-License-Identifier: Apache-2.0` in a comment",
    ]
    assert rules.check_licence("a.cpp", "int x;\n// SPDX-License-Identifier: Apache-2.0\n") == wrong
    assert rules.check_licence("a.cpp", "") == wrong
    assert rules.check_licence("a.cpp", "// SPDX-License-Identifier: Apache-2.0\nint x;\n") == []
    script = "#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n"
    assert rules.check_licence("tools/test", script) == []


def test_length(monkeypatch):
    assert rules.check_length("a.cpp", "\n" * 400) == []
    assert rules.check_length("a.cpp", "\n" * 401) == [
        "a.cpp: 401 lines, at most 400; split it, or name it in LONGER with a reason"
    ]
    monkeypatch.setitem(rules.LONGER, "a.cpp", "a table of the standard, one row a line")
    assert rules.check_length("a.cpp", "\n" * 401) == []


def test_plugin_name():
    text = 'PARIBUS_PART(Sgd, "sgd", "steps")\n'
    assert rules.check_plugin_name("plugins/optimizer/sgd.cpp", text) == []
    assert rules.check_plugin_name("plugins/optimizer/adam.cpp", text) == [
        "plugins/optimizer/adam.cpp: a plugin's file bears the name of its one part, got sgd"
    ]
    assert rules.check_plugin_name(
        "plugins/optimizer/sgd.cpp", text + text.replace("sgd", "x")
    ) == ["plugins/optimizer/sgd.cpp: a plugin's file bears the name of its one part, got sgd, x"]
