"""Control groups of Linux that this process is in, of both versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def control_groups(controller: str) -> Iterator[Path]:
    """The folders of every group above this process by which `controller` may limit it, its own among them; none where
    there are no groups."""
    try:
        lines = OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = ROOT / controller if controllers else ROOT
        folder = top / own.lstrip("/")
        for group in {top, *(folder, *folder.parents)}:
            if group == top or top in group.parents:
                yield group
