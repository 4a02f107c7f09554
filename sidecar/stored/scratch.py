"""Memory to work in."""

from __future__ import annotations

import numpy as np


class Memory:
    """Memory that is kept from one use to the next. What is asked for anew each time is zeroed by the kernel page by page,
    which takes as long as reading does."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)
        self._floats = np.empty(0, np.float32)

    def bytes(self, count: int) -> np.ndarray:
        """uint8 `[count]`, of any content; the same memory for every call."""
        if count > len(self._bytes):
            self._bytes = np.empty(count, np.uint8)
        return self._bytes[:count]

    def floats(self, count: int) -> np.ndarray:
        """float32 `[count]`, of any content; the same memory for every call."""
        if count > len(self._floats):
            self._floats = np.empty(count, np.float32)
        return self._floats[:count]
