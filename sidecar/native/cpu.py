"""What this CPU is, and how much of it is ours, without anything heavy."""

from __future__ import annotations

import functools
import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from .beside import beside
from .groups import control_groups

FEATURES = Path("/proc/cpuinfo")
AVX2 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
# Those that are compiled for, by the kind of machine, the best first: what a CPU must say of itself, and torch's name.
ARCHITECTURES: dict[str, dict[str, tuple[set[str], str]]] = {
    "x86_64": {"x86-64-v4": (AVX512, "avx512"), "x86-64-v3": (AVX2, "avx2")},
    "aarch64": {"armv8-a": (set(), "default")},
}


def architectures() -> list[str]:
    """Those of this kind of machine, the best first."""
    return list(ARCHITECTURES.get(platform.machine(), {}))


@functools.cache
def architecture() -> str | None:
    """The best that this CPU has; None where it has none of them.

    `ATEN_CPU_CAPABILITY`, by which torch is kept to fewer instructions than there are, is heeded here too.
    """
    known = ARCHITECTURES.get(platform.machine(), {})
    most = os.environ.get("ATEN_CPU_CAPABILITY", "").lower()
    names = [name for _, name in known.values()]
    if most:
        names = names[names.index(most) :] if most in names else []
    has = features()
    return next((found for found, (needs, name) in known.items() if name in names and needs <= has), None)


def features() -> set[str]:
    """What the kernel says that the first CPU has, empty where it does not tell."""
    return set((told("flags") or told("Features") or "").split())


def processor() -> str | None:
    """What the first CPU is called; None where the kernel does not tell."""
    return told("model name")


def cores() -> int:
    """How many CPUs this process may keep busy: those that it may run on, or of a container what a control group allows, and
    of them its part."""
    return max(1, min([runnable(), *(math.ceil(share) for share in shares())]) // beside())


def runnable() -> int:
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares() -> Iterator[float]:
    """How many CPUs' time every control group above this process allows that limits it."""
    for group in control_groups("cpu"):
        for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            try:
                quota, period = (int(word) for file in files for word in (group / file).read_text().split())
            except (OSError, ValueError):  # no such file, or `max`
                continue
            if quota > 0:
                yield quota / period


def told(name: str) -> str | None:
    """What the kernel says under `name` of the first CPU."""
    try:
        lines = FEATURES.read_text().splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)
