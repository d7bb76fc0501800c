# SPDX-License-Identifier: Apache-2.0
"""Makes what the program holds of the page's files: one text each, and an assembler file that includes them."""

import base64
import gzip
import sys
from pathlib import Path

ASSEMBLY = """    .section .rodata
    .global paribus_report_{name}
    .global paribus_report_{name}_end
paribus_report_{name}:
    .incbin "{file}"
paribus_report_{name}_end:
"""


def main() -> None:
    folder, plotly, out = (Path(word) for word in sys.argv[1:])
    packed = gzip.compress(plotly.read_bytes(), 9, mtime=0)
    live = folder / "script" / "9_live.js"
    scripts = [f.read_text() for f in sorted((folder / "script").glob("*.js")) if f != live]
    texts = {
        "page": (folder / "page.html").read_bytes(),
        "style": (folder / "style.css").read_bytes(),
        "script": "".join(scripts).encode(),
        "live": live.read_bytes(),
        "plotly": base64.b64encode(packed),
    }
    assembly = ""
    for name, text in texts.items():
        file = out.parent / f"asset.{name}"
        file.write_bytes(text)
        assembly += ASSEMBLY.format(name=name, file=file)
    out.write_text(assembly + '    .section .note.GNU-stack,"",%progbits\n')


if __name__ == "__main__":
    main()
