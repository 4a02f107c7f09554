"""A real sidecar whose first life blocks inside a call that keeps the interpreter's lock.

`holds_gil.py FOLDER PROGRAM ARGUMENT...`: from the second life on it becomes PROGRAM.
"""

import ctypes
import os
import sys
from pathlib import Path

folder, *then = sys.argv[1:]
mark = Path(folder, "held")
if mark.exists():
    os.execv(then[0], then)
mark.touch()
Path(folder, "starts").write_text(f"{os.getpid()}\n")

from sidecar import __main__, dispatch  # noqa: E402

honest = dispatch.run


def run(method, request, resident, progress):
    """Answers what needs no model; `generate` never returns."""
    if method == "hello":
        return honest(method, request, resident, progress)
    if method == "generate":
        ctypes.PyDLL(None).sleep(3600)
    return {"seconds": 0}


dispatch.run = run
sys.exit(__main__.main())
