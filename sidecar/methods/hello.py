"""What the sidecar is and runs on, found without importing anything heavy."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SidecarError
from ..native import build_kernels, cpu
from ..native.memory import host_memory
from ..wire import params
from ..wire.protocol import VERSION

PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "bitsandbytes", "numpy", "pyarrow", "scikit-learn")


def hello(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to `hello`. Raises SidecarError of kind `protocol` for another protocol version."""
    wanted = params.integer(request, "protocol", 0)
    if wanted != VERSION:
        raise SidecarError("protocol", f"the engine speaks protocol {wanted}, this sidecar {VERSION}")
    device, memory = find_device()
    found = {"device": device, "memory_bytes": memory, "versions": versions()}
    kernels = {"kernels": build_kernels.built()} if cpu.architectures() else {}
    return {"protocol": VERSION, "pid": os.getpid(), **found, **kernels}


def versions() -> dict[str, str]:
    """The installed version of Python and of every package that can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def find_device() -> tuple[str, int]:
    """The device a model would be loaded on by default and its memory in bytes."""
    if Path("/proc/driver/nvidia").exists():
        memory = cuda_memory()
        if memory is not None:
            return "cuda", memory
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "mps", host_memory()
    return "cpu", host_memory()


def cuda_memory() -> int | None:
    """Bytes of the first CUDA device, the host's where both share one memory; None when its driver does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        first = answer.split()[0]
        return host_memory() if first == "[N/A]" else int(first) * 1024 * 1024
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
