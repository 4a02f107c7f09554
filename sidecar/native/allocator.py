"""Whether memory that was freed goes back to the system or stays for the next tensor.

The C library gives large blocks back at once by default, and each that is asked for is new: the kernel fills its pages
with zeros one by one, at a tenth of the speed at which memory that is there is written. The work of a forward pass asks
for the same sizes again and again. How blocks are kept is said in glibc's way (mallopt(3), malloc_trim(3)); other C
libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from typing import Any

# malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
DEFAULT_TRIM_THRESHOLD = 128 * 1024
DEFAULT_MMAP_MAX = 65_536
NEVER = 2**31 - 1  # the largest int


def keep_freed_memory(keep: bool) -> None:
    """From now on freed blocks stay with this process, or no longer."""
    mallopt = function("mallopt")
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0 if keep else DEFAULT_MMAP_MAX)
        mallopt(M_TRIM_THRESHOLD, NEVER if keep else DEFAULT_TRIM_THRESHOLD)


def give_freed_memory_back() -> None:
    """Gives what was freed until now back to the system."""
    trim = function("malloc_trim")
    if trim is not None:
        trim(0)


def function(name: str) -> Any:
    """glibc's function of this name, None where there is none."""
    library = ctypes.CDLL(None)
    return getattr(library, name) if hasattr(library, "gnu_get_libc_version") else None
