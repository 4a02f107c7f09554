"""Which function answers which method. A method's module is imported when it is first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from .errors import SidecarError
from .inference.residency import Resident
from .methods.hello import hello
from .wire.progress import Progress

# Methods that work, in the module of the same name, as `run(request, resident, progress)`.
WORK = (
    "generate",
    "capture",
    "project",
    "score",
    "norms",
    "save_torch",
    "extract",
    "adopt",
    "random_directions",
    "shift",
    "logit_lens",
    "import_answers",
    "import_recordings",
    "inspect_files",
)


def run(method: str, request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """The result of `method`. Raises SidecarError."""
    if method == "hello":
        return hello(request)
    if method == "load_base":
        return resident.load_base(request)
    if method == "set_adapter":
        return resident.set_adapter(request)
    if method == "shutdown":
        return {}
    if method in WORK:
        return resident.work(lambda: importlib.import_module(f".methods.{method}", __package__).run(request, resident, progress.restart()))
    raise SidecarError("protocol", f"there is no method '{method}'")
