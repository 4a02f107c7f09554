"""Signs of life come from work, and from nothing else."""

from __future__ import annotations

import queue
import threading
from typing import Any

from sidecar.wire.heartbeat import AT_WORK, Heartbeat, worked

INTERVAL = 0.05


def test_work_that_tells_no_progress_gives_signs_of_life() -> None:
    beats: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with Heartbeat(beats.put, INTERVAL).during(7):
        while beats.qsize() < 2:
            sum(range(10_000))
    assert beats.get() == {"request": 7}


def test_a_wait_without_end_gives_none() -> None:
    beats: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with Heartbeat(beats.put, INTERVAL).during(7):
        threading.Event().wait(8 * INTERVAL)
    assert beats.empty()


def test_a_little_processor_time_is_none_and_one_block_read_is_some() -> None:
    assert not worked((1.0, 5), (1.0 + AT_WORK / 2, 5))
    assert worked((1.0, 5), (1.0 + 2 * AT_WORK, 5))
    assert worked((1.0, 5), (1.0, 6))
