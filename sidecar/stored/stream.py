"""Works through many stored tensors: read one after another in the order in which they lie on the disk, checked and
worked on beside each other.

Reading in one sequence is what lets the kernel read ahead; hashing and products are what takes the time, and leave
Python's lock.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import numpy as np

from .refs import Ref, check, fill, open_file
from .scratch import Memory
from .tensors import as_stored, check_form

Made = TypeVar("Made")

# One more than can compute at once: it waits for the disk meanwhile.
WORKERS = min(8, os.cpu_count() or 1) + 1
AHEAD = 4 * WORKERS  # how many are worked on or wait to be taken


def each(refs: Sequence[Ref], work: Callable[[int, np.ndarray, Memory], Made]) -> Iterator[tuple[int, Made]]:
    """Of every ref its index and what `work` makes of (index, numbers as `as_stored` has them, memory to use), in the order
    of file and offset. `work` is called in several threads, with numbers that it may not keep.

    Raises SidecarError: `corrupt`, or `bad-input` when dtype or shape is missing or contradicts the length.
    """
    for ref in refs:
        check_form(ref)
    own = threading.local()

    def one(index: int) -> Made:
        memory = vars(own).setdefault("memory", Memory())
        data = memory.bytes(refs[index].length)
        reader.read(refs[index], data)
        check(data, refs[index])
        return work(index, as_stored(data, refs[index]), memory)

    with InTurn() as reader, ThreadPoolExecutor(WORKERS) as workers:
        begun: deque[tuple[int, Future[Made]]] = deque()
        try:
            for index in sorted(range(len(refs)), key=lambda index: (refs[index].path, refs[index].offset)):
                begun.append((index, workers.submit(one, index)))
                if len(begun) >= AHEAD:
                    first, made = begun.popleft()
                    yield first, made.result()
            while begun:
                first, made = begun.popleft()
                yield first, made.result()
        finally:
            for _, made in begun:
                made.cancel()


class InTurn:
    """Reads for one thread at a time, and keeps the file open that it last read of."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._path: str | None = None
        self._file = -1
        self._open = ExitStack()

    def read(self, ref: Ref, data: np.ndarray) -> None:
        """Fills `data` with the bytes of `ref`, which are not checked."""
        with self._turn:
            if ref.path != self._path:
                self._open.close()
                self._path = None
                self._file = self._open.enter_context(open_file(ref))
                self._path = ref.path
                os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            fill(memoryview(data), self._file, ref)

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
