"""Sidecars of one run that share this machine's processor and memory."""

from __future__ import annotations

import os


def beside() -> int:
    """How many there are, this process among them, as the engine said when it started them: each takes its part."""
    return max(1, int(os.environ.get("DAG_SIDE_BY_SIDE", "1")))
