"""How far a request has come, told at most ten times a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

INTERVAL = 0.1  # seconds between two notifications of a request


class Progress:
    """Counts a request's finished cells and processed tokens, and passes them on at a bounded rate."""

    def __init__(self, request: int | str, notify: Callable[[dict[str, Any]], None], clock: Callable[[], float]) -> None:
        self._request = request
        self._notify = notify
        self._clock = clock
        self._told = float("-inf")
        self.total = 0
        self.done = 0
        self.tokens = 0

    def restart(self) -> Progress:
        """Counts from nothing: the request is begun, or begun again."""
        self.total = self.done = self.tokens = 0
        return self

    def expect(self, total: int) -> None:
        """Sets the number of cells the request has."""
        self.total = total

    def advance(self, done: int = 0, tokens: int = 0) -> None:
        """Adds finished cells and processed tokens."""
        self.done += done
        self.tokens += tokens
        now = self._clock()
        if now - self._told >= INTERVAL:
            self._told = now
            self._notify({"request": self._request, "done": self.done, "total": self.total, "tokens": self.tokens})
