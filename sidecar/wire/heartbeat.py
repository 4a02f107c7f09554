"""Signs of life for the engine, which takes long silence for a hang.

A beat says more than that a thread still turns: it is sent only while the process computes or reads. One that waits
for ever for a lock or a device gives none, nor does one whose interpreter's lock is held.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERVAL = 1.0  # seconds between two beats
AT_WORK = 0.01  # seconds of processor time within an interval that count as work


class Heartbeat:
    """Beats in a thread of its own while a request is worked on."""

    def __init__(self, notify: Callable[[dict[str, Any]], None], interval: float = INTERVAL) -> None:
        self._notify = notify
        self._interval = interval
        self._request: int | str | None = None
        self._begun = threading.Event()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    @contextmanager
    def during(self, request: int | str) -> Iterator[None]:
        """Beats for `request` until left."""
        self._request = request
        self._begun.set()
        try:
            yield
        finally:
            self._begun.clear()
            self._request = None

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            self._begun.wait()
            before = usage()
            pause.wait(self._interval)
            request = self._request
            if request is not None and worked(before, usage()):
                self._notify({"request": request})


def usage() -> tuple[float, int]:
    """Processor seconds, and disk transfers with the page faults that read from one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_inblock + used.ru_oublock + used.ru_majflt


def worked(before: tuple[float, int], after: tuple[float, int]) -> bool:
    """Whether the process did something between two readings."""
    return after[0] - before[0] >= AT_WORK or after[1] > before[1]
