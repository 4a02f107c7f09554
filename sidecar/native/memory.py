"""Memory of this machine and this process, from the kernel; no package is imported to ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .beside import beside
from .groups import control_groups

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
# Files of a control group by version: its limit, what it uses, its statistics.
FILES = (("memory.max", "memory.current", "memory.stat"), ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"))


def host_memory() -> int:
    """Bytes this process may use: its part of the machine's, or of a control group's limit when that is lower."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for limit, _ in limits())]) // beside()


def free_host_memory() -> int:
    """Bytes this process may still take, its part of what is free, page cache that can be dropped included; of macOS, which
    does not say, half."""
    fields = read_fields(Path("/proc/meminfo"))
    available = fields["MemAvailable"] * 1024 if "MemAvailable" in fields else beside() * host_memory() // 2
    return max(0, min([available, *(limit - used for limit, used in limits())])) // beside()


def limits() -> Iterator[tuple[int, int]]:
    """Limit and use in bytes of every control group above this process that limits memory."""
    for group in control_groups("memory"):
        yield from limit_of(group)


def limit_of(group: Path) -> Iterator[tuple[int, int]]:
    """Limit and use of one control group, nothing when it has no limit."""
    for limit, usage, statistics in FILES:
        try:
            inactive = read_fields(group / statistics).get("total_inactive_file") or read_fields(group / statistics).get("inactive_file", 0)
            yield int((group / limit).read_text()), int((group / usage).read_text()) - inactive
        except (OSError, ValueError):
            continue


class Peak:
    """Most bytes of memory this process had; 0 where the kernel does not say."""

    def __init__(self) -> None:
        self._former = 0

    def since_restart(self) -> int:
        """Since the last `restart`."""
        return read_fields(STATUS).get("VmHWM", 0) * 1024

    def ever(self) -> int:
        """Since the process began."""
        return max(self._former, self.since_restart())

    def restart(self) -> bool:
        """Begins anew at what the process has now. False where the kernel cannot."""
        self._former = self.ever()
        try:
            CLEAR.write_text("5")
        except OSError:
            return False
        return True


PEAK = Peak()


def read_fields(file: Path) -> dict[str, int]:
    """The whole numbers of a file with a name and a number on each line; empty when it cannot be read."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    words = [line.replace(":", " ").split() for line in lines]
    return {name: int(value) for name, value, *_ in (line for line in words if len(line) > 1) if value.isdigit()}
